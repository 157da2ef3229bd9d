"""Nothing leaves in the clear: calls to others are refused without TLS, and certificates are judged."""

import ssl
from typing import Final
from uuid import UUID

from compliance.posture.outcome import Outcome, judged
from vaultsite.kernel.outgoing import AddressRefused, require_allowed_url

_CLEAR: Final = ("http://example.com/", "http://192.0.2.1/", "ftp://example.com/", "http://user@example.com/")


def probe(_tenant_id: UUID) -> Outcome:
    breaches = [f"{url} would be called" for url in _CLEAR if not _refused(url)]
    context = ssl.create_default_context()
    if context.verify_mode != ssl.CERT_REQUIRED or not context.check_hostname:
        breaches.append("certificates of peers are not judged")
    if context.minimum_version < ssl.TLSVersion.TLSv1_2:
        breaches.append("TLS older than 1.2 is spoken")
    return judged(breaches, addresses=len(_CLEAR))


def _refused(url: str) -> bool:
    try:
        require_allowed_url(url)
    except AddressRefused:
        return True
    return False
