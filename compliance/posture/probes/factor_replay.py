"""Second factors: a code opens once, in its time; used again, or too late, it opens nothing."""

import time
from typing import Final
from uuid import UUID, uuid4

from django_otp.oath import TOTP

from access.factors import totp
from access.models import TotpDevice, User
from access.services import prove
from access.services.second_factor import add_app, open_seed
from compliance.posture.outcome import Outcome, Untried, judged
from compliance.posture.sandbox import sandbox

#: Steps from now whose codes are shown: the first two open, the others must not. A step may pass while we try.
_FIRST: Final = 0
_NEXT: Final = 1
_TOO_LATE: Final = -totp.TOLERANCE - 2
_TOO_EARLY: Final = totp.TOLERANCE + 3


def probe(tenant_id: UUID) -> Outcome:
    seed, now = _seed()
    breaches = list[str]()
    with sandbox(tenant_id):
        user = User.objects.create(username=f"probe-{uuid4().hex}", is_active=False)
        recovery_codes = add_app(user, seed=seed, code=_code(seed, now, _FIRST), name="probe")
        device = TotpDevice.objects.get(user=user)
        if not _opens(device, _code(seed, now, _NEXT)):
            raise Untried("a code that should open did not")
        if _opens(device, _code(seed, now, _NEXT)):
            breaches.append("a code was taken from two who showed it at once")
        device.refresh_from_db()
        shown = {"used": _NEXT, "older than one that was used": _FIRST, "too late": _TOO_LATE, "too early": _TOO_EARLY}
        breaches += [
            f"a code that is {how} was taken" for how, by in shown.items() if _opens(device, _code(seed, now, by))
        ]
        if not prove.spend_recovery_code(user.pk, recovery_codes[0]):
            raise Untried("a recovery code that should open did not")
        if prove.spend_recovery_code(user.pk, recovery_codes[0]):
            breaches.append("a recovery code was taken twice")
    return judged(breaches, attempts=len(shown) + 2)


def _seed() -> tuple[bytes, float]:
    """A seed whose codes around now differ: one that is the same by chance would be taken with right."""
    now = time.time()
    while True:
        seed = totp.new_seed()
        codes = [_code(seed, now, by) for by in range(_TOO_LATE - 1, _TOO_EARLY + 1)]
        if len(set(codes)) == len(codes):
            return seed, now


def _code(seed: bytes, now: float, by: int) -> str:
    oath = TOTP(seed, step=totp.STEP_SECONDS, drift=by)
    oath.time = now
    return f"{oath.token():06}"


def _opens(device: TotpDevice, code: str) -> bool:
    """By the device as it was looked up: two who show one code at once have looked it up before either used it."""
    step = totp.matching_step(open_seed(device), code, after=device.last_step)
    return step is not None and prove.spend_step(device, step)
