"""Who makes a request: proved by an API key or access token, else by a session cookie, else by a certificate."""

from typing import Final
from uuid import UUID

from django.contrib import auth
from django.http import HttpRequest
from django.urls import reverse

from access.auth.access_tokens import Surface, is_access_token, read_key_id
from access.auth.api_keys import Token
from access.auth.certificates import read_header
from access.auth.errors import CertificateRefused, TenantMismatch
from access.auth.holders import certificate_holder, proved_key, token_caller
from access.auth.proxy import presented_certificate
from access.errors import (
    AuthenticationError,
    AuthenticationRequired,
    InvalidCredential,
    PasswordChangeRequired,
    SessionEnded,
)
from access.factors.errors import SecondFactorRequired
from access.limits.errors import TooManyRequests
from access.limits.gate import admit, admit_refused
from access.limits.rules import Caller
from access.models import User
from access.selectors import api_key_principal, find_tenant, is_open
from access.services.assurance import needs_second_factor
from access.services.sessions import half_signed_in, session_principal
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.middleware import facts_of
from vaultsite.kernel.tenancy.ports import PrincipalResolver
from vaultsite.kernel.tenancy.principal import PLATFORM_TENANT_ID, Principal
from vaultsite.kernel.tenancy.scope import find_scope, tenant_scope

_BEARER: Final = "bearer"
#: Who the request says it is for; compared with its credential, and only beside a certificate, which names no tenant,
#: where to look it up.
TENANT_HEADER: Final = "X-Vault-Tenant"


class RequestPrincipalResolver(PrincipalResolver):
    """Header ``Authorization: Bearer`` or ``X-API-Key``, session, certificate, in this order.

    A header that does not hold is never passed over. Whoever is found is counted against the limits.
    """

    def resolve(self, request: HttpRequest) -> Principal:
        """Raises an AuthenticationError after recording it: under the tenant the credential names, if there is one.

        TooManyRequests in its place, and for a principal whose limit is reached. Asked again about a request it
        refused, it says the same and records and counts nothing more.
        """
        refused: VaultError | None = getattr(request, "vault_refused_credential", None)
        if refused is not None:
            raise refused
        try:
            caller = _caller(request)
            _require_named_tenant(request, caller.principal)
            admit(request, caller)
        except (AuthenticationError, TooManyRequests) as refusal:
            request.vault_refused_credential = refusal  # type: ignore[attr-defined]
            request.vault_is_settled = isinstance(refusal, TooManyRequests)  # type: ignore[attr-defined]
            if find_scope() is None:
                self.settle(request)
            raise
        return caller.principal

    def named_tenant(self, request: HttpRequest) -> UUID | None:
        """Of an API key or access token that has the shape of one."""
        try:
            text = stated_credential(request)
            if text is None:
                return None
            return read_key_id(text)[0] if is_access_token(text) else Token.parse(text).tenant_id
        except InvalidCredential:
            return None

    def settle(self, request: HttpRequest) -> None:
        """Count and record a refused credential, once. Raises TooManyRequests instead when its address has many."""
        refusal: VaultError | None = getattr(request, "vault_refused_credential", None)
        if not isinstance(refusal, AuthenticationError) or request.vault_is_settled:  # type: ignore[attr-defined]
            return
        request.vault_is_settled = True  # type: ignore[attr-defined]
        try:
            admit_refused(request)
        except TooManyRequests as instead:
            request.vault_refused_credential = instead  # type: ignore[attr-defined]
            raise
        _record(request, refusal)


def _caller(request: HttpRequest) -> Caller:
    text = stated_credential(request)
    if text is not None:
        return _by_access_token(request, text) if is_access_token(text) else _by_api_key(request, text)
    if request.session.tenant_id is None and presented_certificate(request):  # type: ignore[attr-defined]
        return Caller(certificate_principal(request))
    return Caller(_by_session(request))


def stated_credential(request: HttpRequest) -> str | None:
    """The text of the credential in the headers, None when they state none. Raises InvalidCredential."""
    header = request.headers.get("Authorization")
    if header is None:
        return request.headers.get("X-API-Key")
    scheme, _, credential = header.partition(" ")
    if scheme.lower() != _BEARER:
        raise InvalidCredential
    return credential.strip()


def _by_api_key(request: HttpRequest, text: str) -> Caller:
    token = Token.parse(text)
    request.vault_named_tenant = token.tenant_id  # type: ignore[attr-defined]
    with tenant_scope(token.tenant_id, Principal.nobody(token.tenant_id), facts_of(request)):
        key = proved_key(token, address=facts_of(request).ip_address)
        return Caller(api_key_principal(key), key.requests_per_minute)


def _by_access_token(request: HttpRequest, text: str) -> Caller:
    tenant_id, _ = read_key_id(text)
    request.vault_named_tenant = tenant_id  # type: ignore[attr-defined]
    with tenant_scope(tenant_id, Principal.nobody(tenant_id), facts_of(request)):
        surface: Surface = getattr(request, "vault_surface", Surface.REST)
        return token_caller(text, surface=surface, address=facts_of(request).ip_address)


def certificate_principal(request: HttpRequest) -> Principal:
    """The service account whose certificate our proxy presents, in the tenant that ``X-Vault-Tenant`` names.

    Raises CertificateRefused.
    """
    presented = read_header(presented_certificate(request) or "")
    tenant = find_tenant(request.headers.get(TENANT_HEADER, ""))
    if tenant is None:
        raise CertificateRefused
    request.vault_named_tenant = tenant.pk  # type: ignore[attr-defined]
    with tenant_scope(tenant.pk, Principal.nobody(tenant.pk), facts_of(request)):
        return certificate_holder(presented)


def _require_named_tenant(request: HttpRequest, principal: Principal) -> None:
    """A request may say whose it is, but only what its credential says counts. Raises TenantMismatch."""
    named = request.headers.get(TENANT_HEADER)
    if named is None or named == str(principal.tenant_id):
        return
    tenant = find_tenant(named)
    if tenant is None or tenant.pk != principal.tenant_id:
        raise TenantMismatch


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
