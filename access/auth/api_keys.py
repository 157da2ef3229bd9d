"""The shape of an API key: ``ldv_<tenant>_<key>_<secret>_<crc32>``, each part in base 62.

A refresh token has the same and begins with ``ldr_``. Both name their tenant before anything is looked up, secret
scanners find them, and the checksum tells a mistyped one without asking a database.
"""

import hashlib
import hmac
import secrets
import zlib
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from access.auth import base62
from access.errors import InvalidCredential

PREFIX: Final = "ldv"
REFRESH_PREFIX: Final = "ldr"
SECRET_BYTES: Final = 32
_UUID_BYTES: Final = 16
_CHECK_BYTES: Final = 4
#: What secret scanners look for.
PATTERN: Final = r"ld[vr]_[0-9A-Za-z]{22}_[0-9A-Za-z]{22}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}"


@dataclass(frozen=True)
class Token:
    """A credential taken apart; well-formed, not yet verified. ``key_id`` is the row it is about."""

    tenant_id: UUID
    key_id: UUID
    secret: bytes = field(repr=False)
    prefix: str = PREFIX

    @classmethod
    def generate(cls, tenant_id: UUID, key_id: UUID, prefix: str = PREFIX) -> "Token":
        return cls(tenant_id, key_id, secrets.token_bytes(SECRET_BYTES), prefix)

    @classmethod
    def parse(cls, text: str, prefix: str = PREFIX) -> "Token":
        """Raises InvalidCredential unless ``text`` is exactly what :meth:`reveal` makes under ``prefix``."""
        body, _, check = text.rpartition("_")
        try:
            stated, tenant, key, secret = body.split("_")
            if stated != prefix or base62.decode(check, _CHECK_BYTES) != _checksum(body):
                raise InvalidCredential
            return cls(
                UUID(bytes=base62.decode(tenant, _UUID_BYTES)),
                UUID(bytes=base62.decode(key, _UUID_BYTES)),
                base62.decode(secret, SECRET_BYTES),
                prefix,
            )
        except ValueError:
            raise InvalidCredential from None

    def reveal(self) -> str:
        """The credential itself, shown to its holder once."""
        parts = (self.tenant_id.bytes, self.key_id.bytes, self.secret)
        body = "_".join([self.prefix, *map(base62.encode, parts)])
        return f"{body}_{base62.encode(_checksum(body))}"

    def secret_hash(self) -> bytes:
        """What is stored. A plain SHA-256 is enough for 256 random bits (ASVS 5.0, 6.5.2)."""
        return hashlib.sha256(self.secret).digest()

    def matches(self, secret_hash: bytes) -> bool:
        """Compares in constant time."""
        return hmac.compare_digest(self.secret_hash(), secret_hash)


def _checksum(body: str) -> bytes:
    return zlib.crc32(body.encode()).to_bytes(_CHECK_BYTES, "big")
