"""A SAML provider while a browser is between it and the vault: its row, its connection, and where each is reached."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.http import HttpRequest
from django.urls import reverse

from access.federation.ports import Connection
from access.federation.providers import connection_of, named_provider
from access.federation.saml.errors import SamlSignatureRefused
from access.federation.saml.keys import ServiceKeys, service_keys
from access.federation.saml.messages import ServiceAddresses
from access.federation.saml.metadata import IdentityMetadata
from access.federation.saml.stored import current_metadata, renewed_metadata
from access.models import IdentityProvider
from access.models.identity_provider import ProviderKind
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

ReadT = TypeVar("ReadT")


@dataclass(frozen=True)
class Peer:
    """A provider, and how the vault presents itself to it."""

    provider: IdentityProvider
    connection: Connection
    keys: ServiceKeys
    here: ServiceAddresses


def find_peer(request: HttpRequest, organization: str, slug: str) -> Peer:
    """The provider that a path names, switched on or not. Open no scope around it. Raises ProviderNotFound."""
    provider = named_provider(organization, slug, kind=ProviderKind.SAML)
    tenant_id = provider.tenant_id
    assert tenant_id is not None
    with tenant_scope(tenant_id, Principal.nobody(tenant_id)):
        connection, keys = connection_of(provider, secret=False), service_keys(provider.pk)
    return Peer(provider, connection, keys, service_addresses(connection, base_url(request)))


def base_url(request: HttpRequest) -> str:
    """Scheme and host under which the vault was asked."""
    return f"{request.scheme}://{request.get_host()}"


def service_path(connection: Connection, step: str) -> str:
    """The path of a step ("begin", "consume", "finish", "sign_out", "metadata") of signing in at a provider."""
    return reverse(f"saml_{step}", args=[connection.tenant_slug, connection.slug])


def service_addresses(connection: Connection, base: str) -> ServiceAddresses:
    """The vault's addresses for a provider; ``base`` as of :func:`base_url`."""
    steps = ("metadata", "consume", "sign_out")
    return ServiceAddresses(*(base + service_path(connection, step) for step in steps))


def read_signed(peer: Peer, read: Callable[[IdentityMetadata], ReadT]) -> ReadT:
    """What ``read`` finds by the provider's metadata; once more when it has renewed its keys since that was fetched.

    Open no scope around it. Raises what ``read`` and current_metadata raise.
    """
    metadata = current_metadata(peer.connection)
    try:
        return read(metadata)
    except SamlSignatureRefused:
        renewed = renewed_metadata(peer.connection)
        if renewed is None:
            raise
    return read(renewed)
