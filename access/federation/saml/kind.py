"""SAML 2.0 as one kind of identity provider."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from django.utils import timezone

from access.federation.mapping import read_arrival
from access.federation.ports import Arrival, Connection, CopiedValue, FederatedLogin, Federation, Finding
from access.federation.saml.errors import SamlConditionsNotMet, SamlMessageMalformed, SamlUnavailable
from access.federation.saml.forms import SamlForm
from access.federation.saml.metadata import IdentityMetadata
from access.federation.saml.peers import service_addresses, service_path
from access.federation.saml.responses import read_unverified
from access.federation.saml.sign_on import NAME_ID, is_second_factor
from access.federation.saml.sign_out import sign_out_address
from access.federation.saml.signatures import xmlsec_program
from access.federation.saml.stored import ask_for_metadata, current_metadata
from access.models import IdentityProvider
from vaultsite.kernel.errors import FieldProblem, InvalidInput, VaultError

_LONGEST_SAMPLE: Final = 256 * 1024


class Saml(Federation):
    form = SamlForm
    attributes = MappingProxyType(
        {
            "username": NAME_ID,
            "email": "urn:oid:0.9.2342.19200300.100.1.3",
            "full_name": "urn:oid:2.16.840.1.113730.3.1.241",
            "groups": "groups",
        }
    )
    mfa_values = ("https://refeds.org/profile/mfa", "http://schemas.microsoft.com/claims/multipleauthn")
    sample = "A response or assertion that is not encrypted, as XML"

    def sign_in_path(self, connection: Connection) -> str:
        return service_path(connection, "begin")

    def sign_out_url(self, connection: Connection, login: FederatedLogin, return_url: str) -> str | None:
        parts = urlsplit(return_url)
        return sign_out_address(connection, login, f"{parts.scheme}://{parts.netloc}")

    def copied_values(self, connection: Connection, base_url: str) -> Sequence[CopiedValue]:
        here = service_addresses(connection, base_url)
        return (
            CopiedValue("Metadata of the vault, and its entity ID", here.entity_id),
            CopiedValue("Assertion consumer service (HTTP-POST)", here.consumer),
            CopiedValue("Single logout service (HTTP-Redirect, HTTP-POST)", here.sign_out),
        )

    def test(self, connection: Connection) -> Sequence[Finding]:
        found = [_equipment()]
        try:
            fetched = ask_for_metadata(connection)[1] if connection.settings.get("metadata_url") else None
            metadata = fetched or current_metadata(connection)
        except VaultError as refusal:
            return (*found, Finding(is_good=False, text=f"Its metadata: {refusal.detail or refusal.title}."))
        return (*found, *_look_at(metadata))

    def read_sample(self, provider: IdentityProvider, sample: str) -> Arrival:
        try:
            issuer, name_id, context, attributes = read_unverified(sample[:_LONGEST_SAMPLE].encode(errors="replace"))
        except (SamlMessageMalformed, SamlConditionsNotMet) as refusal:
            raise InvalidInput(errors=[FieldProblem("sample", refusal.detail)]) from None
        said: Mapping[str, Any] = {NAME_ID: name_id.value, **attributes}
        mfa = is_second_factor(context, attributes, frozenset(provider.mfa_values))
        return read_arrival(provider.attributes, said, issuer=issuer, subject=name_id.value, mfa=mfa)


def _equipment() -> Finding:
    try:
        xmlsec_program()
    except SamlUnavailable as refusal:
        return Finding(is_good=False, text=f"{refusal.detail}.")
    return Finding(is_good=True, text="The vault can check signatures (xmlsec1 is installed).")


def _look_at(metadata: IdentityMetadata) -> Sequence[Finding]:
    left = f"until {metadata.valid_until:%Y-%m-%d %H:%M} UTC" if metadata.valid_until else "without an end"
    is_short = metadata.valid_until is not None and (metadata.valid_until - timezone.now()).days < 1
    single = "offers single logout" if metadata.sign_out else "offers no single logout by HTTP-Redirect"
    return (
        Finding(is_good=True, text=f"Its metadata names it {metadata.entity_id}."),
        Finding(is_good=True, text=f"Certificates it may sign with: {len(metadata.certificates)}."),
        Finding(is_good=not is_short, text=f"Its metadata is valid {left}."),
        Finding(is_good=metadata.sign_out is not None, text=f"It {single}."),
    )
