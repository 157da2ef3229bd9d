"""Months of events that retention drops: only what is proven elsewhere goes, and the log tells of it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from audit.models import AuditMonthDrop
from audit.ports import why_audit_kept
from audit.proofs.drops import oldest_kept
from audit.proofs.months import (
    Cover,
    MonthOfTenant,
    content_of,
    cover_of,
    drop_partition,
    lack_of,
    month_locked,
    months_online,
)
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope


@dataclass(frozen=True)
class Dropped:
    """What became of a month: dropped with so many events, or kept, and why."""

    month: date
    events: int = 0
    kept_because: str = ""


def drop_old_months(*, keep: int, today: date) -> list[Dropped]:
    """Drop the months of events that ended more than ``keep`` whole months before this one, as the owner.

    Each only when it has the events of all its leaves and no other, sealed as they are stored, under a checkpoint that
    a witness gives back, and no legal hold or minimum keeps any of them; otherwise the month is kept, and said why.
    ``keep`` of 0 drops nothing. No scope may be open.
    """
    return [_tried(month) for month in months_online(before=oldest_kept(today, keep))] if keep > 0 else []


def _tried(month: date) -> Dropped:
    """What is wrong with one month, or with the keys of an organization that has events in it, stops no other."""
    try:
        return _drop(month)
    except VaultError as error:
        return Dropped(month, kept_because=str(error))


def _drop(month: date) -> Dropped:
    content = content_of(month)
    covers: dict[UUID, Cover] = {}
    for part in content:
        if lack := lack_of(part):
            return Dropped(month, kept_because=lack)
        cover = cover_of(part)
        if cover is None:
            return Dropped(month, kept_because="no witness holds a checkpoint over all of its events")
        covers[part.tenant_id] = cover
    with month_locked(month):
        # From here on nobody writes into the month: what was looked at is what goes.
        if content_of(month) != content:
            return Dropped(month, kept_because="it changed while it was looked at")
        for part in content:
            if reason := why_audit_kept(part.tenant_id, month):
                return Dropped(month, kept_because=reason)
        rows = [tell_drop(month, part, covers[part.tenant_id]) for part in content]
        drop_partition(month)
        AuditMonthDrop.objects.using("owner").bulk_create(rows)
    return Dropped(month, sum(part.events for part in content))


def tell_drop(month: date, part: MonthOfTenant, cover: Cover) -> AuditMonthDrop:
    """Tell the audit first: a drop of which the log knows nothing would be damage. Returns the row, not yet stored."""
    facts = {
        "month": f"{month:%Y-%m}",
        "events": part.events,
        "first_seq": part.first_seq,
        "last_seq": part.last_seq,
        "checkpoint_size": cover.size,
        "witness": cover.witness,
    }
    event = Event(
        EventType.AUDIT_MONTH_DROPPED,
        operation="delete",
        resource=ResourceRef("audit_log"),
        severity="warning",
        metadata=facts,
    )
    with tenant_scope(part.tenant_id, Principal.system(part.tenant_id)):
        emit(event)
    stored = {name: value for name, value in facts.items() if name != "month"}
    return AuditMonthDrop(
        tenant_id=part.tenant_id, month=month, event_id=event.id, dropped_at=datetime.now(UTC), **stored
    )
