"""Replace: the kind of the data instead of the data."""

from anonymization.operators.base import Operator
from vaultsite.kernel.crypto.keys import SecretKey


class Replace(Operator):
    """``jane@example.com`` becomes ``<EMAIL_ADDRESS>``."""

    def apply(self, text: str, entity_type: str, key: SecretKey | None) -> str:
        del text, key
        return f"<{entity_type}>"
