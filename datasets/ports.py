"""What reading records needs from apps above: filled at start-up by the apps that know."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from vaultsite.kernel.events.event import ResourceRef


class ConsentSource(ABC):
    """Knows which people have agreed to a purpose; people are named by keys of the subject index."""

    @abstractmethod
    def consented(self, purpose: str, keys: Collection[bytes]) -> frozenset[bytes]:
        """Those of ``keys`` whose consent to the purpose counts now, by the database's clock, in the open scope."""

    @abstractmethod
    def stamp(self, purpose: str) -> str:
        """Another text whenever somebody's consent to the purpose began or ceased to count, in the open scope."""

    @abstractmethod
    def is_withdrawn_since(self, purpose: str, dataset_id: UUID, moment: datetime) -> bool:
        """Whether somebody whom the dataset may name has withdrawn consent to the purpose, or it has lapsed, since."""


_consents: ConsentSource | None = None


def register_consent_source(source: ConsentSource) -> None:
    """Called once at start-up."""
    global _consents  # noqa: PLW0603 - one port, filled once
    _consents = source


def consent_source() -> ConsentSource:
    """The source that was registered. Without it nothing is released that needs consent: unknown is not given."""
    if _consents is None:
        msg = "no ConsentSource is registered"
        raise RuntimeError(msg)
    return _consents


@dataclass(frozen=True)
class Shipment:
    """Records on their way out of a dataset, which ``resource`` names with its version and its region (residency).

    ``recipient`` is a party of the register.
    """

    resource: ResourceRef
    dataset_id: UUID
    export_id: UUID
    recipient: UUID | None
    purpose: str = ""


@dataclass(frozen=True)
class Recipient:
    """Somebody that records may be sent to, as they are picked."""

    id: UUID
    name: str
    country: str


class TransferRule(ABC):
    """Knows what covers the way of records out of the region of their dataset. Everything in the open scope."""

    @abstractmethod
    def require_cover(self, shipment: Shipment) -> None:
        """Raises a VaultError, once the refusal is written down, unless the records may go where they are to go."""

    @abstractmethod
    def record(self, shipment: Shipment, *, size: int, records: int) -> None:
        """Write down what has gone: ``size`` bytes with ``records`` records."""

    @abstractmethod
    def recipients(self, region: str) -> list[Recipient]:
        """Whom an export out of the region may name; none where nobody has to be named."""

    @abstractmethod
    def name_of(self, recipient: UUID) -> str:
        """What a recipient is called, also one that may receive nothing any more; empty for none of the tenant's."""


_transfers: TransferRule | None = None


def register_transfer_rule(rule: TransferRule) -> None:
    """Called once at start-up."""
    global _transfers  # noqa: PLW0603 - one port, filled once
    _transfers = rule


def transfer_rule() -> TransferRule:
    """The rule that was registered. Without it no file leaves: not knowing is not permitting."""
    if _transfers is None:
        msg = "no TransferRule is registered"
        raise RuntimeError(msg)
    return _transfers
