"""Metadata of an identity provider: who it is, where it is asked, and by which keys it signs."""

import base64
import binascii
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import Certificate, load_der_x509_certificate

from access.federation.saml.documents import MAX_METADATA_BYTES, check_signatures, read_document
from access.federation.saml.errors import SamlMessageMalformed, SamlMetadataRefused, SamlSignatureRefused
from access.federation.saml.moments import read_moment
from access.federation.saml.names import METADATA_NS, REDIRECT, SIGNATURE_NS, tag
from access.federation.saml.signatures import verify_enveloped

_MAX_NAME: Final = 1024
_LEAST_RSA_BITS: Final = 2048
_LEAST_EC_BITS: Final = 256
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class IdentityMetadata:
    """What is used of an identity provider's metadata.

    ``sign_on``, ``sign_out`` and ``sign_out_answer`` are addresses of the redirect binding, the latter two None where
    it has no single logout; ``certificates`` are DER in base64, any of which may have signed.
    """

    entity_id: str
    sign_on: str
    sign_out: str | None
    sign_out_answer: str | None
    certificates: tuple[str, ...]
    valid_until: datetime | None


@dataclass(frozen=True)
class CertificateFacts:
    """Its kind of key, the end that it names, and its SHA-256 in hexadecimal."""

    kind: str
    ends_at: datetime
    fingerprint: str


def read_metadata(raw: bytes, *, now: datetime, signer: str = "") -> IdentityMetadata:
    """The metadata in ``raw``, one EntityDescriptor that describes an identity provider.

    ``signer`` is the certificate (DER in base64) that must have signed it; without one, a signature is not looked at.
    Raises SamlMetadataRefused, SamlUnavailable.
    """
    try:
        document = read_document(raw, limit=MAX_METADATA_BYTES, has_comments=True)
    except SamlMessageMalformed as refusal:
        raise SamlMetadataRefused(refusal.detail) from None
    root = document.root
    if root.tag != tag(METADATA_NS, "EntityDescriptor"):
        raise SamlMetadataRefused("It is not one EntityDescriptor")
    if signer:
        try:
            check_signatures(root, signed=(root,))
            verify_enveloped(document, "EntityDescriptor", document.text, [signer])
        except SamlSignatureRefused:
            raise SamlMetadataRefused("It is not signed by the certificate of this provider") from None
    return _read(root, now)


def read_certificate(text: str) -> str:
    """A certificate given as PEM or base64, as DER in base64; raises SamlMetadataRefused unless its key is strong."""
    lines = [line for line in text.splitlines() if "-----" not in line]
    try:
        der = base64.b64decode("".join("".join(lines).split()), validate=True)
        certificate = load_der_x509_certificate(der)
    except (binascii.Error, ValueError):
        raise SamlMetadataRefused("It has a certificate that cannot be read") from None
    if not _is_strong(certificate):
        raise SamlMetadataRefused(f"It has a key that is too weak (RSA from {_LEAST_RSA_BITS} bits, EC from 256)")
    return base64.b64encode(der).decode()


def describe_certificate(certificate: str) -> CertificateFacts:
    """What a person compares of a certificate (DER in base64) that was read before."""
    der = base64.b64decode(certificate)
    found = load_der_x509_certificate(der)
    key = found.public_key()
    kind = f"RSA {key.key_size}" if isinstance(key, rsa.RSAPublicKey) else "EC"
    return CertificateFacts(kind, found.not_valid_after_utc, hashlib.sha256(der).hexdigest())


def _read(root: Element, now: datetime) -> IdentityMetadata:
    roles = root.findall(tag(METADATA_NS, "IDPSSODescriptor"))
    entity_id = root.get("entityID", "").strip()
    if len(roles) != 1 or not 0 < len(entity_id) <= _MAX_NAME:
        raise SamlMetadataRefused("It does not describe one identity provider")
    ends = [read_moment(each.get("validUntil")) for each in (root, roles[0]) if each.get("validUntil")]
    if any(end is None or end <= now for end in ends):
        raise SamlMetadataRefused("It is no longer valid")
    sign_on = next(_addresses(roles[0], "SingleSignOnService", "Location"), None)
    if sign_on is None:
        raise SamlMetadataRefused("It has no https address for sign-on by the HTTP-Redirect binding")
    sign_out = next(_addresses(roles[0], "SingleLogoutService", "Location"), None)
    return IdentityMetadata(
        entity_id=entity_id,
        sign_on=sign_on,
        sign_out=sign_out,
        sign_out_answer=next(_addresses(roles[0], "SingleLogoutService", "ResponseLocation"), sign_out),
        certificates=_signing_certificates(roles[0]),
        valid_until=min((end for end in ends if end), default=None),
    )


def _addresses(role: Element, service: str, attribute: str) -> Iterator[str]:
    for each in role.findall(tag(METADATA_NS, service)):
        address = each.get(attribute, "")
        if each.get("Binding") == REDIRECT and is_web_address(address):
            yield address


def is_web_address(address: str) -> bool:
    """Whether a browser may be sent there: https, or http on this machine, and nothing that hides where it leads."""
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return False
    is_local = parts.scheme == "http" and host in _LOCAL
    is_plain = address.isascii() and address.isprintable() and " " not in address and "\\" not in address
    is_whole = bool(host) and not parts.username and not parts.fragment and len(address) <= _MAX_NAME
    return (parts.scheme == "https" or is_local) and is_plain and is_whole


def _signing_certificates(role: Element) -> tuple[str, ...]:
    found = [
        read_certificate(certificate.text or "")
        for each in role.findall(tag(METADATA_NS, "KeyDescriptor"))
        if each.get("use", "signing") == "signing"
        for certificate in each.iter(tag(SIGNATURE_NS, "X509Certificate"))
    ]
    if not found:
        raise SamlMetadataRefused("It has no certificate for signatures")
    return tuple(dict.fromkeys(found))


def _is_strong(certificate: Certificate) -> bool:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= _LEAST_RSA_BITS
    return isinstance(key, ec.EllipticCurvePublicKey) and key.key_size >= _LEAST_EC_BITS
