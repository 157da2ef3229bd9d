"""Redact: nothing is left but the fact that something was there."""

from typing import Final

from anonymization.operators.base import Keys, Operator, Parameters, Show

REDACTED: Final = "[REDACTED]"


class Redact(Operator):
    """``jane@example.com`` becomes ``[REDACTED]``: neither type nor length remains."""

    name = "redact"
    title = "Redact"
    description = "Nothing is left but the fact that something was there."
    rank = 900

    def bind(self, parameters: Parameters, keys: Keys) -> Show:
        del parameters, keys
        return lambda _piece: REDACTED
