"""Brakes on guessing passwords and codes: by name and by address, counted before the guess is looked at."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from access.auth.networks import reached_from
from access.errors import TooManyAttempts
from access.models import LoginThrottle
from access.services.keyring import KeyPurpose, current_key
from vaultsite.kernel.tenancy.scope import durable_effect

#: Failures are forgotten after a quiet time of this length.
WINDOW: Final = timedelta(minutes=15)
LONGEST_LOCK: Final = timedelta(minutes=15)
_LABEL: Final = b"access/login-throttle"
#: Failures that cost nothing, for one name from one place.
_FREE: Final = 5
_ADDRESS: Final = "ip"


@dataclass(frozen=True)
class Brake:
    """What is counted, and how many failures are free. The next one locks for 2 s, each further twice as long."""

    kind: str
    value: str
    free: int

    def lock_after(self, failures: int) -> timedelta | None:
        over = failures - self.free
        return min(timedelta(seconds=2 ** min(over, 10)), LONGEST_LOCK) if over > 0 else None


def login_brakes(tenant_slug: str, username: str, address: str) -> tuple[Brake, ...]:
    """By the name that is tried, whether or not it exists, by the address that tries, and by the two together.

    The two together lock first, so that who guesses from one place locks out that place; the name alone bounds those
    who guess from many.
    """
    who, where = f"{tenant_slug.casefold()}\0{username.casefold()}", reached_from(address)
    if not where:
        return (Brake("username", who, free=_FREE),)
    pair = Brake("username+ip", f"{who}\0{where}", free=_FREE)
    return (pair, Brake("username", who, free=4 * _FREE), Brake(_ADDRESS, where, free=30))


def factor_brakes(user_id: UUID, address: str) -> tuple[Brake, ...]:
    """By the user whose second factor or password is asked for once more, and by the address that tries."""
    user, where = Brake("factor", str(user_id), free=_FREE), reached_from(address)
    return (user, Brake(_ADDRESS, where, free=30)) if where else (user,)


def count_attempt(brakes: Iterable[Brake]) -> None:
    """Count an attempt as failed, for good, before its password is looked at: parallel guesses cannot slip through.

    Raises TooManyAttempts while any brake is locked; such attempts are not counted.
    """
    hashed = [(brake, _hash(brake)) for brake in brakes]
    with durable_effect():
        rows = [(brake, _row(key_hash)) for brake, key_hash in sorted(hashed, key=lambda pair: pair[1])]
        now = timezone.now()
        is_locked = any(row.locked_until is not None and row.locked_until > now for _, row in rows)
        for brake, row in () if is_locked else rows:
            _count(brake, row)
    if is_locked:
        raise TooManyAttempts


def forgive(brakes: Iterable[Brake]) -> None:
    """A right password or code: the name starts anew, the address gets back the one attempt counted for it."""
    hashed = [(brake, _hash(brake)) for brake in brakes]
    with durable_effect():
        for brake, key_hash in sorted(hashed, key=lambda pair: pair[1]):
            row = _row(key_hash)
            row.failures = max(0, row.failures - 1) if brake.kind == _ADDRESS else 0
            row.locked_until = None
            row.save(update_fields=["failures", "locked_until"])


def _count(brake: Brake, row: LoginThrottle) -> None:
    now = timezone.now()
    if now - max(row.last_failed_at, row.locked_until or row.last_failed_at) > WINDOW:
        row.failures = 0
    row.failures += 1
    lock = brake.lock_after(row.failures)
    row.last_failed_at, row.locked_until = now, now + lock if lock else None
    row.save(update_fields=["failures", "last_failed_at", "locked_until"])


def _row(key_hash: bytes) -> LoginThrottle:
    LoginThrottle.objects.bulk_create(
        [LoginThrottle(key_hash=key_hash, last_failed_at=timezone.now())], ignore_conflicts=True
    )
    return LoginThrottle.objects.select_for_update().get(key_hash=key_hash)


def _hash(brake: Brake) -> bytes:
    key = current_key(KeyPurpose.PSEUDONYM).key.derive(_LABEL)
    return key.mac(f"{brake.kind}\0{brake.value}".encode(errors="surrogatepass"))
