"""Results are signed with the key of the audit's checkpoints, which is in no database."""

import base64
from dataclasses import dataclass
from typing import Any, Final

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.log.keys import KeyRing, load_keys

#: Put before what is signed: a signature of a result is never one of anything else.
DOMAIN: Final = b"llm-data-vault/probe-result/v1\0"


@dataclass(frozen=True)
class Signed:
    """The exact bytes of a statement, the signature over DOMAIN and them, and the public key it holds under."""

    statement: bytes
    signature: bytes
    signed_by: bytes


def sign_statement(members: dict[str, Any]) -> Signed:
    """RFC 8785 JSON of ``members``, signed. Raises SigningKeyUnavailable."""
    key = load_keys().signing[-1]
    statement = rfc8785.dumps(members)
    return Signed(statement, key.sign(DOMAIN + statement), key.public_key().public_bytes_raw())


def trusted_keys() -> list[bytes]:
    """The public keys, 32 bytes each, that sign or signed, the newest first. Raises SigningKeyUnavailable."""
    return _public(load_keys())


def _public(ring: KeyRing) -> list[bytes]:
    return [*(key.public_key().public_bytes_raw() for key in reversed(ring.signing)), *ring.retired]


def holds(signed: Signed, trusted: list[bytes]) -> bool:
    """Whether the signature is one of a trusted key over exactly this statement."""
    if signed.signed_by not in trusted:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(signed.signed_by).verify(signed.signature, DOMAIN + signed.statement)
    except InvalidSignature:
        return False
    return True


def as_text(raw: bytes) -> str:
    """Base64, as the API writes keys, statements and signatures."""
    return base64.b64encode(raw).decode()
