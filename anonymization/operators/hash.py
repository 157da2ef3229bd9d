"""Hash: equal values stay recognizable as equal, to those who share a key, and to nobody else."""

from typing import Final

from anonymization.errors import HashKeyMissing
from anonymization.operators.base import Operator
from vaultsite.kernel.crypto.keys import SecretKey

#: Hexadecimal digits shown: 64 bits, so that among a million values two meet by chance once in 37 million vaults.
SHOWN: Final = 16

_LABEL: Final = b"llm-data-vault/operators/hash/v1\0"


class Hash(Operator):
    """``jane@example.com`` becomes ``<EMAIL_ADDRESS:9f86d081884c7d65>``, HMAC-SHA-256 over type and value.

    The result is a pseudonym, hence still personal data: whoever holds the key can test guesses.
    """

    needs_key = True

    def apply(self, text: str, entity_type: str, key: SecretKey | None) -> str:
        if key is None:
            raise HashKeyMissing
        message = _LABEL + entity_type.encode() + b"\0" + text.encode("utf-8", "surrogatepass")
        return f"<{entity_type}:{key.mac(message).hex()[:SHOWN]}>"
