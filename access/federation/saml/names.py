"""Names that SAML 2.0, XML Signature and XML Encryption give to things, and those of them that are accepted."""

from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives import hashes

ASSERTION_NS: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
PROTOCOL_NS: Final = "urn:oasis:names:tc:SAML:2.0:protocol"
METADATA_NS: Final = "urn:oasis:names:tc:SAML:2.0:metadata"
SIGNATURE_NS: Final = "http://www.w3.org/2000/09/xmldsig#"
ENCRYPTION_NS: Final = "http://www.w3.org/2001/04/xmlenc#"
ENCRYPTION_11_NS: Final = "http://www.w3.org/2009/xmlenc11#"

POST: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
REDIRECT: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
SUCCESS: Final = "urn:oasis:names:tc:SAML:2.0:status:Success"
REQUESTER: Final = "urn:oasis:names:tc:SAML:2.0:status:Requester"
TRANSIENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
UNSPECIFIED: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"

#: How the vault signs what it sends.
RSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"

#: Signature methods that are accepted (RFC 9231), with their digest. No SHA-1, no HMAC.
SIGNATURE_METHODS: Final = MappingProxyType(
    {
        RSA_SHA256: hashes.SHA256(),
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384": hashes.SHA384(),
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512": hashes.SHA512(),
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256": hashes.SHA256(),
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384": hashes.SHA384(),
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512": hashes.SHA512(),
    }
)
#: Digests of what is signed that are accepted.
DIGEST_METHODS: Final = frozenset(
    {
        "http://www.w3.org/2001/04/xmlenc#sha256",
        "http://www.w3.org/2001/04/xmldsig-more#sha384",
        "http://www.w3.org/2001/04/xmlenc#sha512",
    }
)


def tag(namespace: str, name: str) -> str:
    """A qualified name as ElementTree writes it."""
    return f"{{{namespace}}}{name}"
