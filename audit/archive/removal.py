"""The end of the archive: months past their retention, an organization at a time."""

from datetime import UTC, date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Min, QuerySet, Sum

from audit.archive.months import NOT_ALONE, NotArchived, require_proven, require_readable
from audit.models import AuditArchivePart, AuditLeaf, AuditMonthDrop
from audit.ports import why_audit_kept
from audit.proofs.drops import oldest_kept
from audit.proofs.months import MonthOfTenant, bounds_of, working_alone
from audit.proofs.retention import Dropped, tell_drop
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.blobs.removal import removing_objects
from vaultsite.kernel.errors import VaultError


def remove_archived_months(*, keep: int, today: date) -> list[Dropped]:
    """Delete archived months that ended more than ``keep`` whole months before this one, as the owner.

    As ``drop_old_months``, but each organization's for itself: nobody's hold or minimum keeps what is another's. A part
    that is lost or does not open keeps its month: retention is no way to get rid of the traces. ``keep`` of 0 deletes
    nothing. No scope may be open.
    """
    if keep <= 0:
        return []
    due = _standing().filter(moved_at__isnull=False, month__lt=oldest_kept(today, keep))
    months = sorted(set(due.order_by().values_list("month", "tenant_id")))
    with working_alone() as is_alone:
        return [
            _tried(month, tenant_id) if is_alone else Dropped(month, kept_because=NOT_ALONE)
            for month, tenant_id in months
        ]


def _tried(month: date, tenant_id: UUID) -> Dropped:
    """What is wrong with the month or the keys of one organization stops no other."""
    try:
        return _remove(month, tenant_id)
    except VaultError as error:
        return Dropped(month, kept_because=str(error))


def _remove(month: date, tenant_id: UUID) -> Dropped:
    part = _content(month, tenant_id)
    # A run that told and wrote of the drop may have ended before the last object went: what keeps a month is asked
    # again, since a hold may be younger than that.
    is_told = AuditMonthDrop.objects.using("owner").filter(tenant_id=tenant_id, month=month).exists()
    if reason := why_audit_kept(tenant_id, month) if is_told else _drop(month, part):
        return Dropped(month, kept_because=reason)
    with removing_objects() as is_free:
        if not is_free:
            return Dropped(month, kept_because="a backup copies objects; the next run deletes it")
        store = BlobStore.default()
        for row in _standing().filter(tenant_id=tenant_id, month=month):
            store.delete(row.name)
            AuditArchivePart.objects.using("owner").filter(pk=row.pk).update(removed_at=datetime.now(UTC))
    return Dropped(month, part.events)


def _drop(month: date, part: MonthOfTenant) -> str:
    """Tell of the drop and write it down; why not, when something keeps the month."""
    try:
        cover = require_proven(part)
        require_readable(month, part)
    except NotArchived as lack:
        return str(lack)
    with transaction.atomic(using="owner"):
        if reason := why_audit_kept(part.tenant_id, month):
            return reason
        tell_drop(month, part, cover).save(using="owner", force_insert=True)
    return ""


def _content(month: date, tenant_id: UUID) -> MonthOfTenant:
    """What the archive has of an organization's month, against how many leaves it has."""
    first, following = bounds_of(month)
    held = _standing().filter(tenant_id=tenant_id, month=month)
    sums = held.aggregate(events=Sum("events"), first=Min("first_seq"), last=Max("last_seq"))
    leaves = AuditLeaf.objects.using("owner").filter(
        tenant_id=tenant_id, event_time__gte=first, event_time__lt=following
    )
    events = sums["events"] or 0
    return MonthOfTenant(tenant_id, events, leaves.count(), events, sums["first"] or 0, sums["last"] or 0)


def _standing() -> QuerySet[AuditArchivePart]:
    return AuditArchivePart.objects.using("owner").filter(removed_at=None)
