"""The metadata of a SAML provider: uploaded, or fetched from its address and fetched again before it is old."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.utils import timezone

from access.federation.outgoing import call
from access.federation.ports import Connection
from access.federation.saml.errors import SamlMetadataRefused
from access.federation.saml.keys import changeable_provider
from access.federation.saml.metadata import IdentityMetadata, read_metadata
from access.models import SamlMetadata
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import Scope, tenant_scope

#: Metadata from an address is asked for again after this time,
REFETCH_AFTER: Final = timedelta(hours=12)
#: and when something was signed by a key that it does not name, as often as this.
REFETCH_AT_MOST: Final = timedelta(minutes=1)
_OK: Final = 200


def upload_metadata(principal: Principal, *, provider_id: UUID, document: bytes) -> IdentityMetadata:
    """Use ``document`` from now on. Inside a scope.

    Raises AccessDenied, StepUpRequired, ProviderNotFound, GrantTooWide (as for the settings: who says by which keys a
    provider signs can be anybody it vouches for), SamlMetadataRefused.
    """
    provider = changeable_provider(principal, provider_id, "upload_metadata")
    if provider.settings.get("metadata_url"):
        raise SamlMetadataRefused("It is fetched from an address; take that away first")
    found = read_metadata(document, now=timezone.now(), signer=provider.settings.get("metadata_signer", ""))
    _keep(provider.pk, "", document)
    return found


def find_metadata(provider_id: UUID, settings: Mapping[str, Any]) -> tuple[IdentityMetadata, SamlMetadata] | None:
    """The metadata in use, with its row; None when there is none from where the settings say. Inside a scope.

    Raises SamlMetadataRefused when it is no longer valid. Its signature was checked when it was accepted.
    """
    row = SamlMetadata.objects.filter(provider_id=provider_id, address=settings.get("metadata_url", "")).first()
    return (read_metadata(row.document.encode(), now=timezone.now()), row) if row is not None else None


def current_metadata(connection: Connection) -> IdentityMetadata:
    """The metadata in use, fetched if it is not there or old. Open no scope around it.

    What cannot be fetched again stays in use as long as it says to be valid. Raises SamlMetadataRefused,
    ProviderUnavailable, OutgoingAddressRefused.
    """
    try:
        found = _found(connection)
    except SamlMetadataRefused:  # its time is over
        found = None
    address = connection.settings.get("metadata_url")
    if found is not None and (not address or timezone.now() - found[1].asked_at < REFETCH_AFTER):
        return found[0]
    if not address:
        raise SamlMetadataRefused("There is none that is valid: upload a file, or give its address")
    try:
        return fetch_metadata(connection)
    except VaultError:
        if found is None:
            raise
        return found[0]


def renewed_metadata(connection: Connection) -> IdentityMetadata | None:
    """The metadata as it is now at its address, if it was not asked for just now and names other keys than before.

    Open no scope around it. None when there is nothing new, or it cannot be had.
    """
    found = _found(connection)
    is_due = found is not None and timezone.now() - found[1].asked_at >= REFETCH_AT_MOST
    if found is None or not is_due or not connection.settings.get("metadata_url"):
        return None
    try:
        renewed = fetch_metadata(connection)
    except VaultError:
        return None
    return renewed if renewed.certificates != found[0].certificates else None


def fetch_metadata(connection: Connection) -> IdentityMetadata:
    """Fetch the metadata and use it from now on, unless it is of another provider than before.

    Open no scope around it. Raises SamlMetadataRefused, ProviderUnavailable, OutgoingAddressRefused.
    """
    address = connection.settings["metadata_url"]
    rows = SamlMetadata.objects.filter(provider_id=connection.provider_id, address=address)
    with _scope(connection):
        rows.update(asked_at=timezone.now())
    document, found = ask_for_metadata(connection)
    with _scope(connection):
        before = rows.first()
        if before is not None and _entity_id(before) != found.entity_id:
            raise SamlMetadataRefused("It is of another entity id than before; whoever it named would be somebody else")
        _keep(connection.provider_id, address, document)
    return found


def ask_for_metadata(connection: Connection) -> tuple[bytes, IdentityMetadata]:
    """What the address of the metadata answers, and what it says; nothing is kept. Raises as fetch_metadata."""
    answer = call("GET", connection.settings["metadata_url"], headers={"Accept": "application/samlmetadata+xml"})
    if answer.status != _OK:
        raise SamlMetadataRefused("Its address does not answer with it")
    signer = connection.settings.get("metadata_signer", "")
    return answer.body, read_metadata(answer.body, now=timezone.now(), signer=signer)


def _found(connection: Connection) -> tuple[IdentityMetadata, SamlMetadata] | None:
    with _scope(connection):
        return find_metadata(connection.provider_id, connection.settings)


def _keep(provider_id: UUID, address: str, document: bytes) -> None:
    now = timezone.now()
    kept = {"address": address, "document": document.decode("utf-8-sig"), "accepted_at": now, "asked_at": now}
    SamlMetadata.objects.update_or_create(provider_id=provider_id, defaults=kept)


def _entity_id(row: SamlMetadata) -> str:
    """Of metadata that was accepted before, whether or not it is valid still."""
    return read_metadata(row.document.encode(), now=row.accepted_at).entity_id


def _scope(connection: Connection) -> AbstractContextManager[Scope]:
    return tenant_scope(connection.tenant_id, Principal.nobody(connection.tenant_id))
