"""Redact: nothing is left but the fact that something was there."""

from typing import Final

from anonymization.operators.base import Operator
from vaultsite.kernel.crypto.keys import SecretKey

REDACTED: Final = "[REDACTED]"


class Redact(Operator):
    """``jane@example.com`` becomes ``[REDACTED]``: neither type nor length remains."""

    def apply(self, text: str, entity_type: str, key: SecretKey | None) -> str:
        del text, entity_type, key
        return REDACTED
