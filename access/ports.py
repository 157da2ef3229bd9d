"""What decisions need from apps above: filled at start-up by the apps that know."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

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


@dataclass(frozen=True)
class KnownDataset:
    """What a screen says of a dataset; ``resource`` is how decisions name it."""

    name: str
    resource: ResourceRef


@dataclass(frozen=True)
class StandingPermission:
    """A permission on one dataset that a person or group was given; ``what`` says it in words."""

    id: UUID
    holder: UUID
    holder_kind: Literal["user", "group"]
    dataset_id: UUID
    what: str
    expires_at: datetime | None


class DatasetDirectory(ABC):
    """Knows the datasets of the scope's tenant, for who asks for access to one, and the permissions that stand there."""

    @abstractmethod
    def find(self, principal: Principal, dataset_id: UUID, *, action: str) -> ResourceRef:
        """The dataset, if ``principal`` may know of it. Raises its not-found error, recorded as denied ``action``."""

    @abstractmethod
    def describe(self, dataset_ids: Collection[UUID]) -> Mapping[UUID, KnownDataset]:
        """Those of the ids that are datasets, whoever asks: for people decided on already."""

    @abstractmethod
    def refuse_personal_data(self, **texts: str) -> None:
        """Raises the error of texts that hold personal data, naming the member and never the value."""

    @abstractmethod
    def permissions(self, dataset_ids: Collection[UUID] | None) -> Sequence[StandingPermission]:
        """The permissions that live now on these datasets (None: on all)."""

    @abstractmethod
    def end_permission(self, permission_id: UUID, *, at: datetime | None, only_from: datetime | None = None) -> bool:
        """Give a permission another end (None: none); with ``only_from`` only if it ends then. False: there is none."""

    @abstractmethod
    def remove_permission(self, permission_id: UUID) -> bool:
        """Take a permission away and say so; False when there is no such permission any more."""


_directory: DatasetDirectory | None = None


def register_dataset_directory(directory: DatasetDirectory) -> None:
    """Called once at start-up."""
    global _directory  # noqa: PLW0603 - one port, filled once
    _directory = directory


def dataset_directory() -> DatasetDirectory:
    """The directory that was registered: without one nobody can be given anything."""
    if _directory is None:
        msg = "no DatasetDirectory is registered"
        raise RuntimeError(msg)
    return _directory
