"""What somebody signs in at a provider for who is in already: to prove it anew, or to try the provider out."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from access.errors import AccessDenied, AuthenticationRequired
from access.federation.arrival import identity_of, record_refusal
from access.federation.errors import FederationRefused, ProviderNotFound
from access.federation.ports import Arrival
from access.federation.providers import Choice, sign_in_path
from access.models import IdentityProvider
from access.services.authorize import may
from access.services.sessions import federated_login, renew_proof
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.middleware import facts_of
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: Where the last arrival that somebody tried is kept for their eyes, in their session.
_TRIAL_KEY: Final = "vault_tried_arrival"


def confirming_choice(request: HttpRequest) -> Choice | None:
    """Where whoever sits here can prove anew who they are: the provider with which the session began, if browsers are
    sent there. Inside a scope.
    """
    login = federated_login(request)
    provider = IdentityProvider.objects.filter(pk=login.provider_id, is_active=True).first() if login else None
    if provider is None:
        return None
    path = sign_in_path(provider)
    return Choice(provider.name, path) if path else None


def proving_user_id(request: HttpRequest) -> str:
    """Who is signed in with this browser. Raises an AuthenticationError."""
    return str(_signed_in(request).id)


def confirm_arrival(request: HttpRequest, provider: IdentityProvider, arrival: Arrival, *, user_id: str) -> None:
    """Whoever is signed in here has proved it anew at the provider. Open no scope around it.

    Raises FederationRefused when somebody else did, or is signed in by now; recorded like a second factor shown.
    """
    principal = _signed_in(request)
    facts = {"by": "provider", "provider": provider.slug}
    event = Event(EventType.FACTOR_SHOWN, "read", ResourceRef("user", str(principal.id)), metadata=facts)
    if principal.tenant_id != provider.tenant_id or str(principal.id) != user_id:
        refusal = FederationRefused("Somebody else is signed in here", reason="other_user")
        record_refusal(request, provider, refusal)
        raise refusal
    with tenant_scope(provider.tenant_id, principal, facts_of(request)):
        emit(event, primary=True)
        identity = identity_of(provider, arrival)
        if identity is None or identity.user_id != principal.id or arrival.authenticated_at is None:
            raise FederationRefused("Somebody else proved who they are", reason="other_user")
    renew_proof(request, mfa=arrival.mfa, proved_at=min(arrival.authenticated_at, timezone.now()))


def require_trier(request: HttpRequest, provider: IdentityProvider) -> None:
    """Raise unless whoever is signed in here sets up providers of that tenant."""
    principal = _signed_in(request)
    if principal.tenant_id != provider.tenant_id:
        raise ProviderNotFound
    if not may(principal, "identity_provider.manage"):
        raise AccessDenied


def keep_trial(request: HttpRequest, provider: IdentityProvider, arrival: Arrival) -> None:
    """Show who arrived to who tried it, and let nobody in. Raises as require_trier."""
    require_trier(request, provider)
    request.session[_TRIAL_KEY] = {
        "provider": str(provider.pk),
        "issuer": arrival.issuer,
        "subject": arrival.subject,
        "username": arrival.username,
        "email": arrival.email,
        "full_name": arrival.full_name,
        "groups": list(arrival.groups),
        "mfa": arrival.mfa,
        "authenticated_at": arrival.authenticated_at.isoformat() if arrival.authenticated_at else "",
    }


def take_trial(request: HttpRequest, provider_id: UUID) -> Arrival | None:
    """The arrival that was tried last in this browser at the provider, this once."""
    kept: dict[str, Any] | None = request.session.get(_TRIAL_KEY)
    if kept is None or kept["provider"] != str(provider_id):
        return None
    del request.session[_TRIAL_KEY]
    proved = kept.pop("authenticated_at")
    del kept["provider"]
    groups = tuple(kept.pop("groups"))
    return Arrival(**kept, groups=groups, authenticated_at=datetime.fromisoformat(proved) if proved else None)


def _signed_in(request: HttpRequest) -> Principal:
    """Whoever is signed in with this browser. Raises an AuthenticationError."""
    principal = resolve_principal(request)
    if principal.credential != "session":
        raise AuthenticationRequired
    return principal
