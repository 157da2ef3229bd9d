"""The vault's own keys towards a SAML provider: made here, sealed at rest, two published while they rotate."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from django.db import IntegrityError, transaction
from django.utils import timezone

from access.federation.providers import find_provider, resource_of, worth_of_provider
from access.federation.saml.errors import SamlKeyRotation
from access.models import IdentityProvider, SamlKey
from access.models.saml import SamlKeyState
from access.services.authorize import authorize
from access.services.grants import refuse_wider
from access.services.keyring import open_column, seal_column
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal

#: Nobody checks the dates of a certificate that metadata names; some providers refuse one that has ended.
LIFETIME: Final = timedelta(days=5 * 365)
_BITS: Final = 3072
_KIND: Final = "access.saml_key"


@dataclass(frozen=True)
class ServiceKeys:
    """``signing`` signs, any of ``opening`` opens; ``published`` are the certificates in metadata, DER in base64."""

    signing: rsa.RSAPrivateKey
    opening: Sequence[rsa.RSAPrivateKey]
    published: Sequence[str]


def service_keys(provider_id: UUID) -> ServiceKeys:
    """The keys towards a provider, the first made at its first use. Inside a scope."""
    rows = _rows(provider_id)
    if SamlKeyState.CURRENT not in rows:
        try:
            with transaction.atomic():
                _make(provider_id, SamlKeyState.CURRENT)
        except IntegrityError:  # somebody else made it at this moment
            pass
        rows = _rows(provider_id)
    private = {state: _private(row) for state, row in rows.items()}
    named = (SamlKeyState.CURRENT, SamlKeyState.NEXT)
    return ServiceKeys(
        signing=private[SamlKeyState.CURRENT],
        opening=list(private.values()),
        published=[rows[state].certificate for state in named if state in rows],
    )


def list_keys(provider_id: UUID) -> list[SamlKey]:
    """The keys that there are, in the order of their lives. Inside a scope."""
    return list(_rows(provider_id).values())


def begin_rotation(principal: Principal, *, provider_id: UUID) -> None:
    """Make the next key and publish it beside the current one.

    Raises AccessDenied, StepUpRequired, ProviderNotFound, GrantTooWide, SamlKeyRotation (it has begun).
    """
    changeable_provider(principal, provider_id, "begin_key_rotation")
    service_keys(provider_id)
    SamlKey.objects.filter(provider_id=provider_id, state=SamlKeyState.PAST).delete()
    try:
        with transaction.atomic():
            _make(provider_id, SamlKeyState.NEXT)
    except IntegrityError:
        raise SamlKeyRotation("The next key is there already") from None


def finish_rotation(principal: Principal, *, provider_id: UUID) -> None:
    """Sign with the next key, and no longer publish the one before; that still opens what is on its way.

    Call it when the identity provider has read the new metadata. Raises as begin_rotation (it has not begun).
    """
    changeable_provider(principal, provider_id, "finish_key_rotation")
    rows = {row.state: row for row in SamlKey.objects.select_for_update().filter(provider_id=provider_id)}
    if SamlKeyState.NEXT not in rows:
        raise SamlKeyRotation("There is no next key yet")
    for before, after in ((SamlKeyState.CURRENT, SamlKeyState.PAST), (SamlKeyState.NEXT, SamlKeyState.CURRENT)):
        rows[before].state = after
        rows[before].save(update_fields=["state"])


def changeable_provider(principal: Principal, provider_id: UUID, act: str) -> IdentityProvider:
    """The provider, for who may change it: no less than for its settings. Inside a scope.

    Raises AccessDenied, StepUpRequired, ProviderNotFound, GrantTooWide.
    """
    authorize(principal, "identity_provider.manage", resource_of(provider_id), facts={"act": act})
    provider = find_provider(provider_id)
    refuse_wider(principal, worth_of_provider(provider))
    return provider


def _rows(provider_id: UUID) -> dict[str, SamlKey]:
    rows = {row.state: row for row in SamlKey.objects.filter(provider_id=provider_id)}
    return {
        state: rows[state] for state in (SamlKeyState.PAST, SamlKeyState.CURRENT, SamlKeyState.NEXT) if state in rows
    }


def _make(provider_id: UUID, state: SamlKeyState) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    now = timezone.now()
    row = SamlKey(id=uuid7(), provider_id=provider_id, state=state, expires_at=now + LIFETIME)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"LLM Data Vault {row.pk.hex[-12:]}")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(row.expires_at)
    der = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    row.certificate = base64.b64encode(der).decode()
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    row.sealed = seal_column(_KIND, row.pk.bytes, private)
    row.save(force_insert=True)


def _private(row: SamlKey) -> rsa.RSAPrivateKey:
    key = load_der_private_key(open_column(_KIND, row.pk.bytes, bytes(row.sealed)), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key
