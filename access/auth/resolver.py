"""Who makes a request: proved by an API key header, else by a session cookie."""

from typing import Final
from uuid import UUID

from django.contrib import auth
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from access.auth.api_keys import Token
from access.auth.sessions import SEEN_EVERY
from access.errors import (
    AuthenticationError,
    AuthenticationRequired,
    CredentialExpired,
    CredentialRevoked,
    InvalidCredential,
    PasswordChangeRequired,
    SessionEnded,
)
from access.factors.errors import SecondFactorRequired
from access.models import ApiKey, User
from access.selectors import api_key_principal, is_open
from access.services.assurance import needs_second_factor
from access.services.sessions import half_signed_in, session_principal
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.middleware import facts_of
from vaultsite.kernel.tenancy.ports import PrincipalResolver
from vaultsite.kernel.tenancy.principal import PLATFORM_TENANT_ID, Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

_BEARER: Final = "bearer"
_NO_HASH: Final = bytes(32)


class RequestPrincipalResolver(PrincipalResolver):
    """Header ``Authorization: Bearer ldv_..`` or ``X-API-Key``; a header that does not hold is never passed over."""

    def resolve(self, request: HttpRequest) -> Principal:
        """Raises an AuthenticationError after recording it: under the tenant the credential names, if there is one.

        Asked again about a request it refused, it says the same and records nothing more.
        """
        refused: AuthenticationError | None = getattr(request, "vault_refused_credential", None)
        if refused is not None:
            raise refused
        try:
            text = _api_key_of(request)
            return _by_api_key(request, text) if text is not None else _by_session(request)
        except AuthenticationError as refusal:
            request.vault_refused_credential = refusal  # type: ignore[attr-defined]
            _record(request, refusal)
            raise


def _api_key_of(request: HttpRequest) -> str | None:
    header = request.headers.get("Authorization")
    if header is None:
        return request.headers.get("X-API-Key")
    scheme, _, credential = header.partition(" ")
    if scheme.lower() != _BEARER:
        raise InvalidCredential
    return credential.strip()


def _by_api_key(request: HttpRequest, text: str) -> Principal:
    token = Token.parse(text)
    request.vault_named_tenant = token.tenant_id  # type: ignore[attr-defined]
    with tenant_scope(token.tenant_id, Principal.nobody(token.tenant_id), facts_of(request)):
        key = ApiKey.objects.filter(pk=token.key_id).first()
        if (
            not token.matches(bytes(key.secret_hash) if key else _NO_HASH)
            or key is None
            or not is_open(token.tenant_id)
        ):
            raise InvalidCredential
        now = timezone.now()
        if key.revoked_at is not None:
            raise CredentialRevoked
        if key.expires_at <= now:
            raise CredentialExpired
        if key.last_used_at is None or now - key.last_used_at > SEEN_EVERY:
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
        return api_key_principal(key)


def _by_session(request: HttpRequest) -> Principal:
    tenant_id: UUID | None = request.session.tenant_id  # type: ignore[attr-defined]
    if tenant_id is None:
        raise AuthenticationRequired
    request.vault_named_tenant = tenant_id  # type: ignore[attr-defined]
    with tenant_scope(tenant_id, Principal.nobody(tenant_id), facts_of(request)):
        user = auth.get_user(request)
        if half_signed_in(request) is not None:
            raise SecondFactorRequired
        if not isinstance(user, User) or not user.live_roles():
            raise SessionEnded
        if user.must_change_password and not _is_page(request):
            raise PasswordChangeRequired
        principal = session_principal(request, user)
        if not principal.mfa and needs_second_factor(principal.roles):
            raise SecondFactorRequired
    request.user = user
    return principal


def _is_page(request: HttpRequest) -> bool:
    """Whether the admin site answers, which shows such a user the page to change the password and no other."""
    return request.path.startswith(reverse("admin:index"))


def _record(request: HttpRequest, refusal: AuthenticationError) -> None:
    named: UUID = getattr(request, "vault_named_tenant", PLATFORM_TENANT_ID)
    tenant_id = named if _exists(named) else PLATFORM_TENANT_ID
    event = Event(type=EventType.CREDENTIAL_REFUSED, operation="read", resource=ResourceRef("credential"))
    with tenant_scope(tenant_id, Principal.nobody(tenant_id), facts_of(request)):
        emit(event.ended_by(refusal), primary=True)


def _exists(tenant_id: UUID) -> bool:
    with tenant_scope(tenant_id, Principal.nobody(tenant_id)):
        return is_open(tenant_id)
