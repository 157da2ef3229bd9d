"""Second factors of one's own: added, removed, replaced by recovery codes. All of it inside a scope of the user."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from django.db import IntegrityError, transaction

from access.errors import UserNotFound
from access.factors import recovery, totp, webauthn
from access.factors.errors import FactorNotFound, FactorRefused, LastFactor, TooManyFactors
from access.models import RecoveryCode, SecurityKey, TotpDevice, User, VaultSession
from access.policy.builtin import reach
from access.services.assurance import needs_second_factor
from access.services.authorize import authorize
from access.services.grants import refuse_reach
from access.services.keyring import open_column, seal_column
from access.services.tokens import end_families
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal

FactorKind = Literal["app", "key"]

#: Factors that one person may have at once.
MOST: Final = 10
LONGEST_NAME: Final = 60
_KIND: Final = "access.totp"


@dataclass(frozen=True)
class Factor:
    """A second factor as its owner sees it: ``app`` is an authenticator app, ``key`` a security key or passkey."""

    id: UUID
    kind: FactorKind
    name: str
    created_at: datetime
    last_used_at: datetime | None


def factors_of(user_id: UUID) -> list[Factor]:
    """What the user can confirm with, oldest first; recovery codes are none of them."""
    apps = [_factor(row, "app") for row in TotpDevice.objects.filter(user_id=user_id).defer("sealed")]
    keys = [_factor(row, "key") for row in SecurityKey.objects.filter(user_id=user_id).defer("public_key")]
    return sorted([*apps, *keys], key=lambda factor: (factor.created_at, factor.id))


def has_factor(user_id: UUID) -> bool:
    return TotpDevice.objects.filter(user_id=user_id).exists() or SecurityKey.objects.filter(user_id=user_id).exists()


def unused_codes(user_id: UUID) -> int:
    """How many recovery codes are left."""
    return RecoveryCode.objects.filter(user_id=user_id, used_at__isnull=True).count()


def credentials_of(user_id: UUID) -> list[webauthn.Credential]:
    """The user's security keys as the ceremonies of WebAuthn need them."""
    return [credential(row) for row in SecurityKey.objects.filter(user_id=user_id)]


def credential(row: SecurityKey) -> webauthn.Credential:
    return webauthn.Credential(
        bytes(row.credential_id), bytes(row.public_key), row.sign_count, tuple(map(str, row.transports))
    )


def add_app(user: User, *, seed: bytes, code: str, name: str) -> list[str]:
    """An authenticator app that showed with ``code`` that it has ``seed``.

    Returns the recovery codes that were made with the user's first factor, else none; they are told nowhere again.
    Raises FactorRefused, TooManyFactors, InvalidInput (the name).
    """
    _record(user, "app.added")
    named = _name(user, name)
    step = totp.matching_step(seed, code, after=-1)
    if step is None:
        raise FactorRefused
    device_id = uuid7()
    sealed = seal_column(_KIND, device_id.bytes, seed)
    TotpDevice.objects.create(id=device_id, user=user, name=named, sealed=sealed, last_step=step)
    return _first_codes(user)


def add_key(user: User, *, party: webauthn.RelyingParty, challenge: bytes, response: str, name: str) -> list[str]:
    """A security key that ``response`` (JSON of a browser's PublicKeyCredential) made for ``challenge``; as add_app."""
    _record(user, "key.added")
    named = _name(user, name)
    made = webauthn.read_new_credential(party, challenge=challenge, response=response)
    try:
        with transaction.atomic():
            SecurityKey.objects.create(
                user=user,
                name=named,
                credential_id=made.id,
                public_key=made.public_key,
                sign_count=made.sign_count,
                transports=list(made.transports),
            )
    except IntegrityError:
        raise FactorRefused from None
    return _first_codes(user)


def expect_no_factor(user: User) -> None:
    """Raise FactorRefused when the user has a factor already; of two who add the first at once, one is refused.

    For who has shown a password alone, and would add a factor of their own instead of showing the one that is there.
    """
    User.objects.select_for_update().get(pk=user.pk)
    if has_factor(user.pk):
        raise FactorRefused


def remove_factor(user: User, *, factor_id: UUID) -> None:
    """Take a factor away; with the last one go the recovery codes.

    Raises FactorNotFound, LastFactor where the user has to have one.
    """
    _record(user, "factor.removed", factor_id)
    others = [factor for factor in factors_of(user.pk) if factor.id != factor_id]
    if not others and needs_second_factor(user.live_roles()):
        raise LastFactor
    removed = [table.objects.filter(pk=factor_id, user=user).delete()[0] for table in (TotpDevice, SecurityKey)]
    if not any(removed):
        raise FactorNotFound
    if not others:
        RecoveryCode.objects.filter(user=user).delete()


def renew_codes(user: User) -> list[str]:
    """New recovery codes; the old ones open nothing any more. Raises FactorNotFound for who has no factor."""
    _record(user, "codes.renewed")
    if not has_factor(user.pk):
        raise FactorNotFound
    return _replace_codes(user)


def reset_factors(principal: Principal, *, user_id: UUID) -> None:
    """Take every second factor from somebody who lost them, and end their sessions and programs.

    Raises AccessDenied, UserNotFound, GrantTooWide (the user may do more than the principal: who takes a factor away
    and sets a password can sign in as the user).
    """
    authorize(principal, "user.manage", ResourceRef("user", str(user_id)), facts={"act": "factors.reset"})
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise UserNotFound
    refuse_reach(principal, reach(frozenset().union(*user.live_roles().values())))
    for table in (TotpDevice, SecurityKey, RecoveryCode):
        table.objects.filter(user=user).delete()
    VaultSession.objects.filter(user=user).delete()
    end_families(user.pk)


def open_seed(device: TotpDevice) -> bytes:
    """The seed of an app, to check a code against; it is shown to nobody after the app was added."""
    return open_column(_KIND, device.pk.bytes, device.sealed)


def _first_codes(user: User) -> list[str]:
    return [] if RecoveryCode.objects.filter(user=user).exists() else _replace_codes(user)


def _replace_codes(user: User) -> list[str]:
    RecoveryCode.objects.filter(user=user).delete()
    codes = recovery.new_codes()
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, code_hash=recovery.code_hash(code)) for code in codes)
    return codes


def _name(user: User, name: str) -> str:
    """A name for one more factor of the user; raises InvalidInput, TooManyFactors."""
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidInput(errors=[FieldProblem("name", f"1 to {LONGEST_NAME} printable characters")])
    if len(factors_of(user.pk)) >= MOST:
        raise TooManyFactors
    return name


def _factor(row: TotpDevice | SecurityKey, kind: FactorKind) -> Factor:
    return Factor(row.pk, kind, row.name, row.created_at, row.last_used_at)


def _record(user: User, act: str, factor_id: UUID | None = None) -> None:
    facts = {"act": act} | ({"factor_id": str(factor_id)} if factor_id else {})
    emit(Event(EventType.FACTOR_CHANGED, "update", ResourceRef("user", str(user.pk)), metadata=facts), primary=True)
