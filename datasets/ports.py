"""What reading records needs from apps above: filled at start-up by the apps that know."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from datetime import datetime
from uuid import UUID


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
