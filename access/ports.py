"""What decisions need from apps above: filled at start-up by the apps that know."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db.models import Q

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

        A resource without a dataset may be of any, and an empty purpose may be any: those of all are among them.
        Sorted by reference, each once. Inactive ones are among them, said to be so.
        """

    def is_policy(self, reference: str) -> bool:  # noqa: ARG002 - the port's signature
        """Whether ``reference`` ("name@3") names a version of a policy that may be used."""
        return False


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

    def datasets_granted(self, principal: Principal, action: str, purpose: str | None) -> Collection[UUID]:  # noqa: ARG002
        """Ids of the datasets that the principal holds a live grant of ``action`` on.

        For lists: best a queryset of one column, which then becomes part of the list's own query.
        """
        return ()

    def rows_granted(self, principal: Principal, action: str, purpose: str | None) -> Q:
        """The same as a condition on rows of datasets."""
        return Q(pk__in=self.datasets_granted(principal, action, purpose))


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
    """Knows the datasets of the scope's tenant, and the permissions that stand on them."""

    @abstractmethod
    def find(self, principal: Principal, dataset_id: UUID, *, action: str) -> ResourceRef:
        """The dataset, if ``principal`` may know of it. Raises its not-found error, recorded as denied ``action``."""

    @abstractmethod
    def describe(self, dataset_ids: Collection[UUID]) -> Mapping[UUID, KnownDataset]:
        """Those of the ids that are datasets, whoever asks: for people decided on already."""

    @abstractmethod
    def visible(self, principal: Principal, dataset_ids: Collection[UUID]) -> frozenset[UUID]:
        """Those of the ids that are datasets ``principal`` may know of now; records nothing."""

    @abstractmethod
    def listed(self, principal: Principal, *, limit: int) -> Sequence[tuple[UUID, str]]:
        """Ids and names of datasets that ``principal`` may know of, by name."""

    @abstractmethod
    def refuse_personal_data(self, **texts: str) -> None:
        """Raises the error of texts that hold personal data, naming the member and never the value."""

    @abstractmethod
    def permissions(self, dataset_ids: Collection[UUID] | None) -> Sequence[StandingPermission]:
        """The permissions that live now on these datasets (None: on all)."""

    @abstractmethod
    def permissions_of_group(self, group_id: UUID) -> frozenset[str]:
        """What the permissions on datasets that a group holds let its members do, in the words of roles."""

    @abstractmethod
    def count_live(self, permission_ids: Collection[UUID]) -> int:
        """How many of the permissions live now."""

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


class ResourceSource(ABC):
    """Knows of resources what decisions may ask for and who asks for a decision did not state."""

    @abstractmethod
    def described(self, resource: ResourceRef) -> ResourceRef:
        """``resource`` with all that policies may ask of a dataset filled in, as far as it is known now."""

    @abstractmethod
    def find_dataset(self, dataset_id: UUID) -> ResourceRef | None:
        """The dataset of the open scope's tenant, described; None when there is none, or it was deleted."""

    @abstractmethod
    def datasets(self, *, after: UUID | None, limit: int) -> Sequence[ResourceRef]:
        """Datasets of the tenant in order of id, described, after one of them."""

    def classifications(self) -> Collection[str]:
        """The codes a dataset may be classified by; none: not known."""
        return ()

    def row_condition_problem(self, condition: str) -> str:  # noqa: ARG002 - the port's signature
        """Why ``condition`` cannot be asked of records by an obligation to filter them; empty where it can."""
        return "nothing here filters records"

    def quarantine(self, dataset_id: UUID, *, policy: str, by: UUID) -> int:  # noqa: ARG002 - the port's signature
        """Keep every version of a dataset from readers, in the open scope: ``by`` tried what ``policy`` forbids.

        Returns how many were not kept from them before.
        """
        return 0


class _NoResources(ResourceSource):
    """Nothing is known but what was stated."""

    def described(self, resource: ResourceRef) -> ResourceRef:
        return resource

    def find_dataset(self, dataset_id: UUID) -> ResourceRef | None:  # noqa: ARG002 - the port's signature
        return None

    def datasets(self, *, after: UUID | None, limit: int) -> Sequence[ResourceRef]:  # noqa: ARG002
        return ()


_resources: ResourceSource = _NoResources()


def register_resource_source(source: ResourceSource) -> None:
    """Called once at start-up."""
    global _resources  # noqa: PLW0603 - one port, filled once
    _resources = source


def resource_source() -> ResourceSource:
    return _resources


@dataclass(frozen=True)
class RecordedDecision:
    """A decision as the audit keeps it. ``inputs`` are those of Question.as_inputs, empty where none were recorded.

    ``failure`` is the code of the error that ended what was decided on, empty for none.
    """

    event_id: UUID
    time: datetime
    actor_kind: str
    actor_id: UUID
    resource: ResourceRef
    action: str
    purpose: str
    is_allowed: bool
    policies: tuple[str, ...] = ()
    obligations: tuple[str, ...] = ()
    reason: str = ""
    ip_address: str = ""
    failure: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)


class DecisionHistory(ABC):
    """The decisions recorded in the open scope's tenant."""

    @abstractmethod
    def page(
        self, *, since: datetime, until: datetime, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[RecordedDecision]:
        """Decisions of [since, until) in order of time and id, after one of them, oldest first."""

    @abstractmethod
    def latest(
        self, *, limit: int, before: tuple[datetime, UUID] | None = None, denied_only: bool = False
    ) -> Sequence[RecordedDecision]:
        """The newest decisions, newest first, before one of them."""

    @abstractmethod
    def latest_of(self, actor_ids: Collection[UUID], *, limit: int) -> Sequence[RecordedDecision]:
        """The newest decisions on what these principals asked for; one that failed before it was made has no action."""

    @abstractmethod
    def find(self, event_id: UUID) -> RecordedDecision | None:
        """The decision of one event; None when there is no such event or it is no decision."""


_history: DecisionHistory | None = None


def register_decision_history(history: DecisionHistory) -> None:
    """Called once at start-up."""
    global _history  # noqa: PLW0603 - one port, filled once
    _history = history


def decision_history() -> DecisionHistory:
    """The history that was registered."""
    if _history is None:
        msg = "no DecisionHistory is registered"
        raise RuntimeError(msg)
    return _history
