"""Records are counted before they leave, and whoever is given them proves again and again that they still may be."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from access.errors import AccessDenied
from access.leases.errors import LeaseEnded
from access.models import Lease
from access.policy.decision import Decision
from access.policy.obligations import AUDIT_LEVEL
from access.policy.question import ask
from access.ports import dataset_directory
from access.selectors import still_holds
from access.services.authorize import decide
from access.services.leases import note_rows, return_rows, spend_rows, take_rows
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts
from vaultsite.kernel.tenancy.scope import Scope, find_scope, tenant_scope

#: How many records are taken from a lease at once, and how many leave under a grant before it is looked at again.
PAGE_ROWS: Final = 200
#: After how many bytes or seconds any reader must prove to be allowed still.
RECHECK_BYTES: Final = 2 * 1024 * 1024
RECHECK_SECONDS: Final = 1.0
#: Kinds whose value changes while a decision is used, or that are done by the decision point.
MOVING: Final = frozenset({"epsilon", AUDIT_LEVEL})
_LEASES: Final = ("lease:", "break_glass:")
GRANTS: Final = (*_LEASES, "permission:")


@dataclass
class Meter:
    """Stands between the records of one decided read and who receives them.

    Needs no open scope: it opens short ones of its own. Closed, it gives back what was taken and never left.
    """

    principal: Principal
    request: RequestFacts
    action: str
    resource: ResourceRef
    decision: Decision
    _leases: list[UUID] = field(init=False)
    _unmetered: list[UUID] = field(init=False)
    _is_granted: bool = field(init=False)
    _reserved: int = 0
    _rows: int = 0
    _bytes: int = 0
    _admitted: int = 0
    _checked_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._leases, self._unmetered = leases_of(self.decision), _unmetered(self.decision)
        self._is_granted = any(one.startswith(GRANTS) for one in self.decision.policy_ids)

    def admit(self, rows: int, size: int) -> None:
        """Called before ``rows`` (0 or 1) of ``size`` bytes leave.

        Raises AccessDenied, LeaseEnded or QuotaExhausted when they may not.
        """
        if self._is_due():
            self._require_still()
        if self._leases and rows:
            if not self._reserved:
                self._take_page()
            self._reserved -= rows
        self._rows += rows
        self._admitted += rows
        self._bytes += size

    def _take_page(self) -> None:
        """A stream has no scope around it, so its own is a transaction of its own, and needs no second connection."""
        take = take_rows if find_scope() is None else spend_rows
        with self._scope():
            self._reserved = _reserve(self._leases, PAGE_ROWS, take)

    def close(self) -> None:
        """Give back what is left of the last page, and note what left under leases that count nothing."""
        if self._reserved or self._unmetered:
            with self._scope():
                for lease in self._leases:
                    return_rows(lease, self._reserved)
                note_rows(self._unmetered, self._admitted)
        self._reserved = self._admitted = 0

    def _is_due(self) -> bool:
        return (
            self._bytes >= RECHECK_BYTES
            or (self._is_granted and self._rows >= PAGE_ROWS)
            or time.monotonic() - self._checked_at >= RECHECK_SECONDS
        )

    def _require_still(self) -> None:
        with self._scope():
            require_still(self.principal, self.action, self.resource, self.decision)
        self._rows, self._bytes, self._checked_at = 0, 0, time.monotonic()

    def _scope(self) -> AbstractContextManager[Scope]:
        return tenant_scope(self.principal.tenant_id, self.principal, self.request)


def charge(decision: Decision, rows: int) -> int:
    """For what leaves in one piece, in the open scope: how many of ``rows`` records may, all of them counted.

    Raises LeaseEnded, QuotaExhausted when none may.
    """
    limit = row_limit_of(decision)
    rows = rows if limit is None else min(rows, limit)
    leases = leases_of(decision)
    note_rows(_unmetered(decision), rows)
    return _reserve(leases, rows, spend_rows) if leases and rows else rows


def require_still(principal: Principal, action: str, resource: ResourceRef, decision: Decision) -> None:
    """A decision is not kept for ever: in the open scope, records nothing.

    Raises LeaseEnded, or AccessDenied once the credential, a permission, a grant or a policy is another, so that less
    would be shown than is.
    """
    if not still_holds(principal):
        raise AccessDenied
    _, now, refusal = decide(principal, ask(principal, action, resource, decision.purpose))
    known = set(map(str, decision.obligations))
    is_weaker = any(str(one) not in known for one in now.obligations if one.type not in MOVING)
    if refusal is not None or is_weaker:
        raise LeaseEnded if any(one.startswith(GRANTS) for one in decision.policy_ids) else AccessDenied


def require_grants(decision: Decision) -> None:
    """Every grant that the decision rests on must live still, in the open scope; asks nothing where there is none.

    For what is done long after its decision. Raises LeaseEnded.
    """
    named = [one.partition(":") for one in decision.policy_ids if one.startswith(GRANTS)]
    leases = {UUID(name) for kind, _, name in named if kind != "permission"}
    permissions = {UUID(name) for kind, _, name in named if kind == "permission"}
    if leases and Lease.objects.live().filter(pk__in=leases).count() < len(leases):
        raise LeaseEnded
    if permissions and dataset_directory().count_live(permissions) < len(permissions):
        raise LeaseEnded


def leases_of(decision: Decision) -> list[UUID]:
    """The leases that count what the decision releases."""
    return [UUID(one.value) for one in decision.asked("quota")]


def _unmetered(decision: Decision) -> list[UUID]:
    """The leases that the decision rests on and that have no quota."""
    named = [one.partition(":")[2] for one in decision.policy_ids if one.startswith(_LEASES)]
    return [lease for lease in map(UUID, named) if lease not in leases_of(decision)]


def row_limit_of(decision: Decision) -> int | None:
    """How many records one read releases at most; None: any number."""
    return min((int(one.value) for one in decision.asked("row_limit")), default=None)


def _reserve(leases: list[UUID], rows: int, take: Callable[[UUID, int], int]) -> int:
    """Up to ``rows``, from each of the leases: decisions rest on one, so nothing is given back where a second lacks."""
    for lease in leases:
        rows = take(lease, rows)
    return rows
