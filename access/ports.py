"""What decisions need from apps above: filled at start-up by the apps that know."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal


@dataclass(frozen=True)
class BoundPolicy:
    """An anonymization policy that binds a reading.

    ``reference`` names one version of it, ``digest`` is its SHA-256 in hex. ``fields`` are the places the policy names
    (none: it is bound to no place). ``binds_raw_readers``: also those whose role would show them records raw.
    ``is_active`` is False where the policy has no version that may be used: then nothing may be read under it.
    """

    reference: str
    digest: str
    fields: tuple[str, ...] = ()
    binds_raw_readers: bool = False
    is_active: bool = True


class ObligationSource(ABC):
    """Knows which anonymization policies bind a reading of records."""

    @abstractmethod
    def policies_for(self, principal: Principal, resource: ResourceRef, purpose: str) -> tuple[BoundPolicy, ...]:
        """Every policy attached to the dataset, to one of the principal's roles or to the purpose, in the open scope.

        A resource without a dataset may be of any, and an empty purpose may be any: those of all are among them.
        Sorted by reference, each once. Inactive ones are among them, said to be so.
        """


_source: ObligationSource | None = None


def register_obligation_source(source: ObligationSource) -> None:
    """Called once at start-up."""
    global _source  # noqa: PLW0603 - one port, filled once
    _source = source


def obligation_source() -> ObligationSource:
    """The source that was registered. Nothing is decided without it: no policy known is not the same as none."""
    if _source is None:
        msg = "no ObligationSource is registered"
        raise RuntimeError(msg)
    return _source
