"""A provider tells the vault that somebody signed out there (OpenID Connect Back-Channel Logout 1.0)."""

from datetime import timedelta
from http import HTTPStatus

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from access.federation.arrival import record_refusal
from access.federation.attempts import spend
from access.federation.errors import LogoutRefused
from access.federation.logout import end_federated_sessions
from access.federation.oidc.party import describe, trust_of
from access.federation.oidc.tokens import OLDEST, SKEW, moment, read_logout_token
from access.federation.providers import connection_of, named_provider
from access.models import IdentityProvider
from access.models.identity_provider import ProviderKind
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.middleware import facts_of
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: How long one logout token counts, whatever it says itself.
_LIFETIME = timedelta(seconds=OLDEST + SKEW)


@csrf_exempt  # a server sends it, and a token stands for the form's
@require_POST
def logout(request: HttpRequest, organization: str, provider: str) -> JsonResponse:
    """End the sessions that the logout token names: 200, or 400 in the words of section 2.8."""
    try:
        row = named_provider(organization, provider, kind=ProviderKind.OIDC)
    except VaultError:
        return _answer(HTTPStatus.BAD_REQUEST)
    try:
        _end(request, row, request.POST.get("logout_token", ""))
    except VaultError as refusal:
        told = LogoutRefused(reason=refusal.extra.get("reason", "unavailable"))
        record_refusal(request, row, told, kind=EventType.CREDENTIAL_REFUSED)
        return _answer(HTTPStatus.BAD_REQUEST)
    return _answer(HTTPStatus.OK)


def _end(request: HttpRequest, row: IdentityProvider, token: str) -> None:
    nobody = Principal.nobody(row.organization_id)
    if not row.is_active:
        raise LogoutRefused(reason="inactive")
    with tenant_scope(row.organization_id, nobody):
        connection = connection_of(row, secret=False)
    claims = read_logout_token(token, trust_of(connection, describe(connection)))
    issued = moment(claims["iat"])
    if issued is None or issued < timezone.now() - _LIFETIME:
        raise LogoutRefused(reason="expired")
    with tenant_scope(row.organization_id, nobody, facts_of(request)):
        if not spend(row, f"logout:{claims['jti']}", lifetime=_LIFETIME):
            raise LogoutRefused(reason="replay")
        count = end_federated_sessions(
            row, issuer=claims["iss"], subject=claims.get("sub", ""), session_index=claims.get("sid", "")
        )
        facts = {"act": "back_channel", "count": count, "provider": row.slug}
        resource = ResourceRef("identity_provider", str(row.pk))
        emit(Event(EventType.SESSION_ENDED, "delete", resource, metadata=facts), primary=True)


def _answer(status: HTTPStatus) -> JsonResponse:
    body = {} if status == HTTPStatus.OK else {"error": "invalid_request"}
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})
