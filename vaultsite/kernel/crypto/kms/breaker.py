"""A KMS that fails is left alone for a while: nobody waits for what was just refused."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Final, TypeVar

from vaultsite.kernel.errors import KeyUnavailable

_Result = TypeVar("_Result")
#: Failures in a row after which the KMS is left alone, and for how many seconds.
FAILURES: Final = 5
PAUSE: Final = 5.0
#: What failures are remembered of; of more, those of longest ago are forgotten.
_REMEMBERED: Final = 10_000


class Breaker:
    """Counts failures for each key, or whatever else is asked for, by itself: one that was revoked closes no other.

    After the pause one call is let through; if it fails too, the pause begins again.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """Forget all failures; for a process that was forked."""
        self._lock = threading.Lock()
        self._failed: dict[Hashable, tuple[int, float]] = {}

    def call(self, wanted: Hashable, work: Callable[[], _Result]) -> _Result:
        """What ``work`` returns. Raises what it raises, and KeyUnavailable without asking where it failed lately."""
        self._enter(wanted)
        try:
            result = work()
        except KeyUnavailable:
            self._failure(wanted)
            raise
        with self._lock:
            self._failed.pop(wanted, None)
        return result

    def _enter(self, wanted: Hashable) -> None:
        with self._lock:
            count, until = self._failed.get(wanted, (0, 0.0))
            if count < FAILURES:
                return
            now = self._clock()
            if now < until:
                raise KeyUnavailable("The KMS has failed several times, and is asked again in some seconds")
            self._failed[wanted] = (count, now + PAUSE)

    def _failure(self, wanted: Hashable) -> None:
        with self._lock:
            count, _ = self._failed.pop(wanted, (0, 0.0))
            self._failed[wanted] = (count + 1, self._clock() + PAUSE)
            if len(self._failed) > _REMEMBERED:
                del self._failed[next(iter(self._failed))]
