"""UUIDs of version 7 (RFC 9562, section 5.7): identifiers that sort by the time they were made."""

import os
import secrets
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

COUNTER_BITS: Final = 74

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_LOW_BITS: Final = 62
_VERSION: Final = 0x7 << 76
_VARIANT: Final = 0b10 << _LOW_BITS
_TICKS: Final = 1 << (COUNTER_BITS - _LOW_BITS)
#: A clock set back by more than this many milliseconds is followed, not outlasted.
_FOLLOWED: Final = 1_000


class _Clock:
    """Ticks of 1/4096 ms since 1970: each call of a process gives a later one than the call before."""

    def __init__(self) -> None:
        self._last = 0
        self.unlock()

    def unlock(self) -> None:
        """For a process that was forked, perhaps while another thread was here."""
        self._lock = threading.Lock()

    def tick(self) -> int:
        now = time.time_ns() * _TICKS // 1_000_000
        with self._lock:
            is_set_back = now < self._last - _FOLLOWED * _TICKS
            self._last = now if is_set_back else max(now, self._last + 1)
            return self._last


_clock: Final = _Clock()
os.register_at_fork(after_in_child=_clock.unlock)


def uuid7(at: datetime | None = None) -> UUID:
    """A new identifier of the given moment (an aware datetime), its other 74 bits random; by default of now.

    Those of now order as this process made them: 12 of the bits go on counting below the millisecond (RFC 9562,
    section 6.2, method 3), 62 are random. Raises ValueError for a naive datetime or one before 1970.
    """
    if at is None:
        milliseconds, tick = divmod(_clock.tick(), _TICKS)
        return uuid7_from(milliseconds, tick << _LOW_BITS | secrets.randbits(_LOW_BITS))
    if at.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    milliseconds = (at - _EPOCH) // _MILLISECOND
    return uuid7_from(milliseconds, secrets.randbits(COUNTER_BITS))


def moment_of(identifier: UUID) -> datetime:
    """When an identifier of version 7 was made, to the millisecond."""
    return _EPOCH + (identifier.int >> 80) * _MILLISECOND


def uuid7_from(milliseconds: int, counter: int) -> UUID:
    """The identifier of a Unix time in milliseconds and a 74-bit counter: the same for the same arguments.

    Identifiers order by milliseconds, then by counter. Raises ValueError when either does not fit.
    """
    if not 0 <= milliseconds < 1 << 48 or not 0 <= counter < 1 << COUNTER_BITS:
        raise ValueError("a UUIDv7 holds 48 bits of milliseconds and 74 bits of counter")
    high, low = counter >> _LOW_BITS, counter & ((1 << _LOW_BITS) - 1)
    return UUID(int=milliseconds << 80 | _VERSION | high << 64 | _VARIANT | low)
