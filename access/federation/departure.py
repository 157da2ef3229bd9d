"""Somebody signs out who signed in at a provider: the way to end its session as well."""

from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse

from access.federation.kinds import federation
from access.federation.ports import FederatedLogin
from access.federation.providers import connection_of
from access.models import IdentityProvider
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope


@dataclass(frozen=True)
class Elsewhere:
    """A provider as somebody leaving sees it, and where it ends their session."""

    name: str
    url: str


def way_out(request: HttpRequest, login: FederatedLogin, tenant_id: UUID) -> Elsewhere | None:
    """Where the browser goes once the vault's own session is over; None when the provider has no such place.

    A provider that does not answer keeps nobody from signing out here. Open no scope around it.
    """
    with tenant_scope(tenant_id, Principal.nobody(tenant_id)):
        provider = IdentityProvider.objects.filter(pk=login.provider_id, is_active=True).first()
        if provider is None:
            return None
        connection, name = connection_of(provider), provider.name
    try:
        here = request.build_absolute_uri(reverse("admin:login"))
        url = federation(provider.kind).sign_out_url(connection, login, here)
    except VaultError:
        return None
    is_address = url is not None and urlsplit(url).scheme in {"http", "https"}
    return Elsewhere(name, url) if is_address and url is not None else None
