"""Signing passports with Ed25519 (RFC 8032) under a key of the tenant."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from datasets.passport.canonical import canonical
from vaultsite.kernel.crypto.keys import SecretKey

ALGORITHM: Final = "Ed25519"
_LABEL: Final = b"llm-data-vault/passport/v1"


@dataclass(frozen=True)
class Signer:
    """A key of the tenant that signs: ``key_id`` finds it again, the private part never leaves."""

    key_id: UUID
    _key: Ed25519PrivateKey

    @classmethod
    def of(cls, key_id: UUID, secret: SecretKey) -> "Signer":
        return cls(key_id, Ed25519PrivateKey.from_private_bytes(secret.derive(_LABEL).reveal()))

    @property
    def public_key(self) -> str:
        """32 bytes in hex."""
        return self._key.public_key().public_bytes_raw().hex()

    def sign(self, passport: dict[str, Any]) -> bytes:
        """The bytes of the passport file: who signed goes in before the signature, which covers all but itself."""
        who = {"algorithm": ALGORITHM, "key_id": str(self.key_id), "public_key": self.public_key}
        named = passport | {"signer": who}
        signature = self._key.sign(canonical(named)).hex()
        return canonical(named | {"signature": signature})
