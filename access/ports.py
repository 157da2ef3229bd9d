"""What decisions need from apps above: filled at start-up by the apps that know."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from access.policy.decision import Obligation
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


@dataclass(frozen=True)
class HeldGrant:
    """What somebody was given on one resource beside their roles.

    ``actions`` are names of RULES; of ``record.read`` a grant says how by its obligations: none of them, raw.
    ``purpose`` narrows the grant to one purpose (None: any). ``expires_at`` is None for what stands until it is taken.
    """

    id: str
    actions: frozenset[str]
    obligations: tuple[Obligation, ...] = ()
    purpose: str | None = None
    expires_at: datetime | None = None
    kind: Literal["permission", "lease", "break_glass"] = "permission"


class GrantSource(ABC):
    """Knows what a principal was given on single resources."""

    @abstractmethod
    def grants_for(self, principal: Principal, resource: ResourceRef, purpose: str | None) -> Sequence[HeldGrant]:
        """Every grant that lives now, by the database's clock, in the open scope: for ``purpose``, or for any."""


class _NoGrants(GrantSource):
    """Nobody was given anything: the answer of a vault without the app that gives."""

    def grants_for(
        self,
        principal: Principal,  # noqa: ARG002 - the port's signature
        resource: ResourceRef,  # noqa: ARG002
        purpose: str | None,  # noqa: ARG002
    ) -> Sequence[HeldGrant]:
        return ()


_grants: GrantSource = _NoGrants()


def register_grant_source(source: GrantSource) -> None:
    """Called once at start-up."""
    global _grants  # noqa: PLW0603 - one port, filled once
    _grants = source


def grant_source() -> GrantSource:
    return _grants
