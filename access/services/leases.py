"""Leases: spent while they are read under, extended, suspended, resumed, revoked."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Greatest, Now

from access.lease_selectors import find_lease
from access.leases.errors import LeaseEnded, LeaseOver, QuotaExhausted
from access.leases.terms import Terms, dataset_of, refuse_problems, text_problem
from access.models import HolderKind, Lease, LeaseKind
from access.ports import KnownDataset, dataset_directory
from access.services.authorize import authorize
from vaultsite.kernel.events.buffer import EventBuffer
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, Recorded, ResourceRef, Severity
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_scope, durable_effect


def make_lease(
    resource: ResourceRef,
    terms: Terms,
    *,
    holder: UUID,
    holder_kind: str,
    granted_by: Sequence[UUID],
    kind: LeaseKind = LeaseKind.LEASE,
) -> Lease:
    """The lease that approvers have agreed on, in the open scope; it counts from now by the database's clock."""
    lease = Lease.objects.create(
        kind=kind,
        holder=holder,
        holder_kind=HolderKind(holder_kind),
        dataset_id=dataset_of(resource),
        actions=sorted(terms.actions),
        shown=terms.shown,
        purpose=terms.purpose,
        row_quota=terms.row_quota,
        epsilon=terms.epsilon,
        granted_by=[str(one) for one in granted_by],
        expires_at=Now() + timedelta(seconds=terms.seconds),
    )
    lease.refresh_from_db()
    emit(lease_event(EventType.ACCESS_GRANTED, lease, resource, {**terms.facts(), "granted_by": lease.granted_by}))
    return lease


def prolong(lease: Lease, resource: ResourceRef, *, seconds: int, rows: int | None, granted_by: Sequence[UUID]) -> None:
    """Move the end of a lease to ``seconds`` from now, and give it ``rows`` more; never to an earlier end.

    Raises LeaseOver when it has ended or was revoked meanwhile.
    """
    later = Greatest(F("expires_at"), Now() + timedelta(seconds=seconds))
    rows_more = {"row_quota": F("row_quota") + rows} if rows and lease.row_quota is not None else {}
    going_on = Lease.objects.filter(pk=lease.pk, revoked_at=None, expires_at__gt=Now())
    if not going_on.update(expires_at=later, **rows_more):
        raise LeaseOver
    lease.refresh_from_db()
    facts = {
        "expires_at": lease.expires_at.isoformat(),
        "rows_more": rows,
        "granted_by": [str(one) for one in granted_by],
    }
    emit(lease_event(EventType.ACCESS_EXTENDED, lease, resource, facts))


def revoke_lease(principal: Principal, *, lease_id: UUID, reason: str) -> Lease:
    """End a lease now: one's own, or as an approver anybody's. Streams under it stop within a page.

    Raises LeaseNotFound, AccessDenied, LeaseOver, InvalidInput, and what the directory raises for personal data.
    """
    lease = find_lease(principal, lease_id)
    action = "access.request" if lease.holder == principal.id else "access.approve"
    resource = resource_of_lease(lease)
    authorize(principal, action, resource, facts={"lease": str(lease.pk), "change": "revoke"})
    refuse_problems({"reason": text_problem(reason)})
    dataset_directory().refuse_personal_data(reason=reason)
    end_lease(lease, resource, by=principal.id, reason=reason)
    lease.refresh_from_db()
    return lease


def end_lease(lease: Lease, resource: ResourceRef, *, by: UUID, reason: str) -> None:
    """Revoke without a decision of its own, in the open scope. Raises LeaseOver."""
    going_on = Lease.objects.filter(pk=lease.pk, revoked_at=None, expires_at__gt=Now())
    if not going_on.update(revoked_at=Now(), revoked_by=by, revoke_reason=reason):
        raise LeaseOver
    emit(lease_event(EventType.ACCESS_REVOKED, lease, resource, {"revoked_by": str(by)}, severity="warning"))


def suspend_leases(resource: ResourceRef, *, cause: str) -> int:
    """For the apps above: the leases of a dataset open nothing until ``resume_leases`` with the same cause.

    In the open scope, committed with it. Emergencies are suspended as well. Returns how many there were.
    """
    going_on = Lease.objects.filter(
        dataset_id=dataset_of(resource), revoked_at=None, suspended_at=None, expires_at__gt=Now()
    )
    count = going_on.update(suspended_at=Now(), suspended_for=cause)
    if count:
        emit(_of_dataset(EventType.ACCESS_SUSPENDED, resource, {"leases": count, "cause": cause}, severity="warning"))
    return count


def resume_leases(resource: ResourceRef, *, cause: str) -> int:
    """Let the leases open again that were suspended for ``cause``; what ended meanwhile stays ended."""
    waiting = Lease.objects.filter(dataset_id=dataset_of(resource), suspended_for=cause).exclude(suspended_at=None)
    count = waiting.update(suspended_at=None, suspended_for="")
    if count:
        emit(_of_dataset(EventType.ACCESS_RESUMED, resource, {"leases": count, "cause": cause}))
    return count


def spend_rows(lease_id: UUID, count: int) -> int:
    """Take up to ``count`` (at least 1) records from a lease, before they leave; returns how many it gives.

    In the open scope, but written by a transaction of its own: it stays when the scope fails, and no two readers are
    given the same record of a quota. Raises LeaseEnded, QuotaExhausted.
    """
    with durable_effect():
        return take_rows(lease_id, count)


def take_rows(lease_id: UUID, count: int) -> int:
    """What ``spend_rows`` does, in the transaction of the open scope: for a scope that does nothing else."""
    lease = _locked(lease_id)
    given = count if lease.rows_left is None else min(count, lease.rows_left)
    if given <= 0:
        raise QuotaExhausted
    Lease.objects.filter(pk=lease_id).update(rows_used=F("rows_used") + given, last_used_at=Now())
    if given == lease.rows_left:
        _record_exhausted(lease)
    return given


def return_rows(lease_id: UUID, count: int) -> None:
    """Give back records that were taken and never left, whatever became of the lease, in the open scope."""
    if count > 0:
        Lease.objects.filter(pk=lease_id, rows_used__gte=count).update(rows_used=F("rows_used") - count)


def spend_epsilon(lease_id: UUID, amount: Decimal) -> None:
    """Take ``amount`` of privacy budget from a lease, all of it or none; written as ``spend_rows`` is.

    Raises LeaseEnded, QuotaExhausted.
    """
    with durable_effect():
        lease = _locked(lease_id)
        if lease.epsilon is not None and lease.epsilon_used + amount > lease.epsilon:
            raise QuotaExhausted
        Lease.objects.filter(pk=lease_id).update(epsilon_used=F("epsilon_used") + amount, last_used_at=Now())
        if lease.epsilon is not None and lease.epsilon_used + amount == lease.epsilon:
            _record_exhausted(lease)


def note_rows(lease_ids: Collection[UUID], count: int) -> None:
    """Records that have left under leases without a quota: counted for who looks at them, in the open scope."""
    if lease_ids:
        Lease.objects.filter(pk__in=lease_ids).update(rows_used=F("rows_used") + count, last_used_at=Now())


def resource_of_lease(lease: Lease) -> ResourceRef:
    """The leased dataset as decisions name it; without a classification once it is gone."""
    known: KnownDataset | None = dataset_directory().describe([lease.dataset_id]).get(lease.dataset_id)
    return known.resource if known else ResourceRef("dataset", str(lease.dataset_id), dataset_id=lease.dataset_id)


def _locked(lease_id: UUID) -> Lease:
    lease = Lease.objects.live().select_for_update(no_key=True).filter(pk=lease_id).first()
    if lease is None:
        raise LeaseEnded
    return lease


def _record_exhausted(lease: Lease) -> None:
    """Written where it happens: the transaction around it may fail."""
    scope = current_scope()
    resource = ResourceRef("dataset", str(lease.dataset_id), dataset_id=lease.dataset_id)
    event = lease_event(EventType.ACCESS_EXHAUSTED, lease, resource, {"row_quota": lease.row_quota})
    EventBuffer.write([Recorded(event, scope.tenant_id, scope.principal, scope.request)])


def lease_event(
    kind: EventType, lease: Lease, resource: ResourceRef, facts: Mapping[str, object], *, severity: Severity = "info"
) -> Event:
    """An event about a lease: ids, codes, counts and times."""
    told = {"lease": str(lease.pk), "kind": lease.kind, "holder": str(lease.holder), "leased_for": lease.purpose}
    return _of_dataset(kind, resource, {**told, **facts}, severity=severity)


def _of_dataset(
    kind: EventType, resource: ResourceRef, facts: Mapping[str, object], *, severity: Severity = "info"
) -> Event:
    return Event(type=kind, operation="update", severity=severity, resource=resource, metadata=facts)
