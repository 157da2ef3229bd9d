"""Proving who one is, beyond the password or anew: each guess is counted for good before it is looked at."""

from collections.abc import Callable
from uuid import UUID

from django.db.models.functions import Now

from access.auth.passwords import password_holds
from access.factors import recovery, totp, webauthn
from access.factors.errors import FactorRefused
from access.federation.passwords import is_judged_by_directory, vouches_again
from access.models import RecoveryCode, SecurityKey, TotpDevice, User
from access.services.second_factor import credential, open_seed
from access.services.throttle import count_attempt, factor_brakes, forgive
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.scope import current_scope, durable_effect


def prove_by_app(user: User, code: str) -> None:
    """A one-time code that was not used before. Raises FactorRefused, TooManyAttempts, after recording it."""
    _prove(user, "app", lambda: _spend_step(user.pk, code))


def prove_by_key(user: User, *, party: webauthn.RelyingParty, challenge: bytes, response: str) -> None:
    """A security key's answer to ``challenge``, which the caller gives once. Raises as prove_by_app."""
    _prove(user, "key", lambda: _spend_answer(user.pk, party, challenge, response))


def prove_by_recovery_code(user: User, code: str) -> None:
    """A recovery code, which opens nothing again. Raises as prove_by_app."""
    _prove(user, "recovery", lambda: _spend_recovery_code(user.pk, code))


def prove_by_password(user: User, password: str) -> None:
    """The password once more, of who has no second factor: the vault's own, or that of the user's directory.

    Raises as prove_by_app, and DirectoryUnavailable.
    """
    judge = vouches_again if is_judged_by_directory(user) else password_holds
    _prove(user, "password", lambda: judge(user, password))


def _prove(user: User, by: str, is_proved: Callable[[], bool]) -> None:
    """Count, look, and forgive; what was spent stays spent whatever becomes of the scope."""
    facts = {"by": by}
    emit(Event(EventType.FACTOR_SHOWN, "read", ResourceRef("user", str(user.pk)), metadata=facts), primary=True)
    brakes = factor_brakes(user.pk, current_scope().request.ip_address)
    count_attempt(brakes)
    if not is_proved():
        raise FactorRefused
    forgive(brakes)


def _spend_step(user_id: UUID, code: str) -> bool:
    for device in TotpDevice.objects.filter(user_id=user_id):
        step = totp.matching_step(open_seed(device), code, after=device.last_step)
        if step is None:
            continue
        with durable_effect():
            return spend_step(device, step)
    return False


def spend_step(device: TotpDevice, step: int) -> bool:
    """Use up the codes of an app up to ``step``; False where somebody did meanwhile."""
    unused = TotpDevice.objects.filter(pk=device.pk, last_step__lt=step)
    return bool(unused.update(last_step=step, last_used_at=Now()))


def _spend_answer(user_id: UUID, party: webauthn.RelyingParty, challenge: bytes, response: str) -> bool:
    named = webauthn.named_credential(response)
    row = SecurityKey.objects.filter(user_id=user_id, credential_id=named).first()
    if row is None:
        return False
    count = webauthn.verify_response(party, credential(row), challenge=challenge, response=response)
    with durable_effect():
        unchanged = SecurityKey.objects.filter(pk=row.pk, sign_count=row.sign_count)
        return bool(unchanged.update(sign_count=count, last_used_at=Now()))


def _spend_recovery_code(user_id: UUID, code: str) -> bool:
    with durable_effect():
        return spend_recovery_code(user_id, code)


def spend_recovery_code(user_id: UUID, code: str) -> bool:
    """Use up a recovery code; False where it is none of the user's, or was used."""
    code_hash = recovery.code_hash(code)
    if code_hash is None:
        return False
    unused = RecoveryCode.objects.filter(user_id=user_id, code_hash=code_hash, used_at__isnull=True)
    return bool(unused.update(used_at=Now()))
