"""The port to a key management system: something that wraps keys under a key it never gives out."""

from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True)
class KMSDescription:
    """Which key wraps now. ``hardware`` says whether it is kept in certified hardware."""

    provider: str
    key_id: str
    key_version: str
    hardware: bool


class KMS(ABC):
    """Wraps and unwraps the keys of tenants: rarely, and never once a record.

    Each method raises KeyUnavailable when the system is down, slow, throttling, or has lost or revoked the key.
    Callers go through ``envelope.wrap_with_kms`` and ``unwrap_with_kms``, which do not believe what a KMS returns.
    """

    @abstractmethod
    def wrap(self, key: bytes, context: bytes) -> bytes:
        """Encrypt a 32-byte ``key`` so that it unwraps with the same ``context`` only (up to 1 KiB, not secret).

        Raises KeyUnavailable for a key of another length.
        """

    @abstractmethod
    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """The 32 bytes given to :meth:`wrap`, whichever version of the KMS key wrapped them.

        Raises IntegrityFailure when ``wrapped`` or ``context`` is not what it was.
        """

    @abstractmethod
    def describe(self) -> KMSDescription:
        """The key that wraps now."""
