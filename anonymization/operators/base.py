"""The port of the operators: what a reader is shown in place of personal data."""

from abc import ABC, abstractmethod

from vaultsite.kernel.crypto.keys import SecretKey


class Operator(ABC):
    """Turns one span of personal data into what may be shown. Pure: equal arguments give equal results."""

    #: Whether the operator cannot work without a key.
    needs_key: bool = False

    @abstractmethod
    def apply(self, text: str, entity_type: str, key: SecretKey | None) -> str:
        """What stands in place of ``text``. Never contains ``text`` itself, nor more of it than the operator states."""
