"""Access tokens for who has proved who they are, and the refresh tokens behind those of people."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Now

from access.auth.access_tokens import LIFETIME, Claims, Surface, sign
from access.auth.api_keys import REFRESH_PREFIX, Token
from access.auth.errors import RefreshTokenReused, ScopeRefused
from access.auth.token_keys import public_keys, renew_signing_key, signing_key
from access.errors import CredentialExpired, CredentialRevoked, InvalidCredential
from access.models import EncryptionKey, KeyPurpose, KeyState, RefreshToken, TokenFamily, User
from access.policy.scopes import KNOWN, expand
from access.selectors import family_principal, is_open
from access.services.authorize import authorize
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_tenant_id, durable_effect

__all__ = [
    "IssuedTokens",
    "begin_family",
    "end_families",
    "end_family",
    "end_family_of",
    "exchange_refresh_token",
    "issue_access_token",
    "public_keys",
    "rotate_signing_key",
]

#: A refresh token that nobody uses for so long is over.
REFRESH_IDLE: Final = timedelta(hours=24)
_NO_HASH: Final = bytes(32)


@dataclass(frozen=True)
class IssuedTokens:
    """What a client is given; shown to it alone. ``refresh_token`` is empty for programs, which prove themselves."""

    access_token: str = field(repr=False)
    scopes: tuple[str, ...] = ()
    refresh_token: str = field(default="", repr=False)
    expires_in: int = int(LIFETIME.total_seconds())


def issue_access_token(
    principal: Principal, *, scopes: Sequence[str] = (), surface: Surface = Surface.REST
) -> IssuedTokens:
    """A token for what the principal's credential is worth, narrowed to ``scopes`` if any; it ends with either.

    Raises ScopeRefused for a scope that does not exist or that the credential does not have.
    """
    emit(_issued(principal, scopes, surface), primary=True)
    _refuse_wider_scopes(principal, scopes)
    key_id, key, now = signing_key()
    claims = Claims(
        tenant_id=current_tenant_id(),
        subject=principal.id,
        credential=principal.credential,
        scopes=tuple(scopes),
        surface=surface,
        id=uuid7(),
        issued_at=now,
    )
    return IssuedTokens(sign(claims, key_id=key_id, key=key), claims.scopes)


def begin_family(
    user: User, *, method: str, mfa: bool, authenticated_at: datetime, scopes: Sequence[str], surface: Surface
) -> IssuedTokens:
    """Sign a program in for a person who has proved who they are. Raises ScopeRefused."""
    _refuse_unknown_scopes(scopes)
    family = TokenFamily(
        id=uuid7(),
        user=user,
        method=method,
        mfa=mfa,
        scopes=list(scopes),
        authenticated_at=authenticated_at,
        expires_at=Now() + settings.REFRESH_LIFETIME,
    )
    family.save(force_insert=True)
    issued = issue_access_token(family_principal(family), scopes=scopes, surface=surface)
    return _with_refresh_token(issued, family.pk)


def exchange_refresh_token(token: Token, *, surface: Surface) -> IssuedTokens:
    """The next tokens of a family, in a scope of the tenant that ``token`` names; ``token`` opens nothing again.

    Raises InvalidCredential, CredentialExpired, CredentialRevoked, and RefreshTokenReused after ending the family,
    which stays ended whatever becomes of the scope.
    """
    row = (
        RefreshToken.objects.select_related("family__user").annotate(now=Now()).filter(pk=token.key_id).first()
        if token.tenant_id == current_tenant_id() and is_open(token.tenant_id)
        else None
    )
    if not token.matches(bytes(row.secret_hash) if row else _NO_HASH) or row is None:
        raise InvalidCredential
    _spend(row)
    family = row.family
    _require_live(family, min(row.expires_at, family.expires_at), row.now)
    issued = issue_access_token(family_principal(family), scopes=family.scopes, surface=surface)
    return _with_refresh_token(issued, family.pk)


def end_family(token: Token) -> None:
    """Sign out who holds this refresh token, used or not. Raises InvalidCredential."""
    row = RefreshToken.objects.filter(pk=token.key_id).first()
    if not token.matches(bytes(row.secret_hash) if row else _NO_HASH) or row is None:
        raise InvalidCredential
    _end(row.family_id)


def end_family_of(principal: Principal) -> None:
    """Sign out the program whose access token this principal came with; raises InvalidCredential for other ones."""
    kind, _, family_id = principal.credential.partition(":")
    if kind != "token":
        raise InvalidCredential
    _end(UUID(family_id))


def end_families(user_id: UUID) -> int:
    """End every program that is signed in for a person: their access tokens open nothing from now on."""
    return TokenFamily.objects.filter(user_id=user_id, revoked_at=None).update(revoked_at=Now())


def rotate_signing_key(principal: Principal) -> None:
    """Sign with a new key from now on; tokens of the old one live out their minutes. Raises AccessDenied."""
    facts = {"purpose": str(KeyPurpose.ACCESS_TOKEN)}
    authorize(principal, "key.rotate", ResourceRef("encryption_key"), facts=facts)
    active = EncryptionKey.objects.filter(purpose=KeyPurpose.ACCESS_TOKEN, state=KeyState.ACTIVE).first()
    if active is None:
        signing_key()
    else:
        renew_signing_key(active.pk)


def _spend(row: RefreshToken) -> None:
    """Mark the token used. Of two at once one is the second, which only a thief or a careless client is."""
    if RefreshToken.objects.filter(pk=row.pk, used_at=None).update(used_at=Now()):
        return
    resource = ResourceRef("token_family", str(row.family_id))
    event = Event(EventType.TOKEN_REUSED, "write", resource, severity="critical")
    emit(event, primary=True)
    with durable_effect():
        TokenFamily.objects.filter(pk=row.family_id, revoked_at=None).update(revoked_at=Now())
    raise RefreshTokenReused


def _require_live(family: TokenFamily, ends_at: datetime, now: datetime) -> None:
    if family.revoked_at is not None or not family.user.is_active or not family.user.live_roles():
        raise CredentialRevoked
    if ends_at <= now:
        raise CredentialExpired


def _with_refresh_token(issued: IssuedTokens, family_id: UUID) -> IssuedTokens:
    token = Token.generate(current_tenant_id(), uuid7(), REFRESH_PREFIX)
    RefreshToken.objects.create(
        id=token.key_id, family_id=family_id, secret_hash=token.secret_hash(), expires_at=Now() + REFRESH_IDLE
    )
    return IssuedTokens(issued.access_token, issued.scopes, token.reveal())


def _end(family_id: UUID) -> None:
    emit(Event(EventType.TOKEN_REVOKED, "write", ResourceRef("token_family", str(family_id))), primary=True)
    TokenFamily.objects.filter(pk=family_id, revoked_at=None).update(revoked_at=Now())


def _refuse_unknown_scopes(scopes: Sequence[str]) -> None:
    if not set(scopes) <= KNOWN:
        raise ScopeRefused


def _refuse_wider_scopes(principal: Principal, scopes: Sequence[str]) -> None:
    _refuse_unknown_scopes(scopes)
    if principal.scopes and not expand(scopes) <= principal.scopes:
        raise ScopeRefused


def _issued(principal: Principal, scopes: Sequence[str], surface: Surface) -> Event:
    facts: dict[str, Any] = {
        "credential": principal.credential,
        "scopes": sorted(set(scopes) & KNOWN),
        "surface": surface.value,
    }
    return Event(EventType.TOKEN_ISSUED, "write", ResourceRef("principal", str(principal.id)), metadata=facts)
