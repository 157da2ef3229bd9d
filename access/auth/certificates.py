"""Client certificates as a proxy hands them on (RFC 9440), and the names by which they are known."""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509

from access.auth.errors import CertificateRefused
from access.models import CertificateName

#: Largest certificate that is read, bytes of DER.
LONGEST: Final = 8192
#: A byte sequence of structured fields (RFC 8941 section 3.3.5), alone: a list of two would be somebody's addition.
_SEQUENCE: Final = re.compile(r":([A-Za-z0-9+/]+={0,2}):")


@dataclass(frozen=True)
class PresentedCertificate:
    """A certificate whose chain and key the proxy has verified; whose it is, the vault decides."""

    der: bytes
    not_before: datetime
    not_after: datetime
    names: tuple[tuple[CertificateName, str], ...]

    def holds(self, now: datetime) -> bool:
        return self.not_before <= now <= self.not_after


def read_header(value: str) -> PresentedCertificate:
    """The certificate in a ``Client-Cert`` header. Raises CertificateRefused for anything else."""
    match = _SEQUENCE.fullmatch(value.strip()) if len(value) <= 2 * LONGEST else None
    if match is None:
        raise CertificateRefused
    try:
        der = base64.b64decode(match[1], validate=True)
        certificate = x509.load_der_x509_certificate(der)
        names = _names(certificate)
    except (ValueError, binascii.Error, TypeError):
        raise CertificateRefused from None
    if len(der) > LONGEST:
        raise CertificateRefused
    return PresentedCertificate(
        der, certificate.not_valid_before_utc, certificate.not_valid_after_utc, (_fingerprint(der), *names)
    )


def _fingerprint(der: bytes) -> tuple[CertificateName, str]:
    return CertificateName.FINGERPRINT, hashlib.sha256(der).hexdigest()


def _names(certificate: x509.Certificate) -> list[tuple[CertificateName, str]]:
    """The DNS names and URIs of subjectAltName; a common name counts for nothing (RFC 9525), a wildcard neither."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    hosts = [name.lower() for name in found.get_values_for_type(x509.DNSName) if "*" not in name]
    uris = found.get_values_for_type(x509.UniformResourceIdentifier)
    return [*((CertificateName.DNS, host) for host in hosts), *((CertificateName.URI, uri) for uri in uris)]
