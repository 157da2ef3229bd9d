"""Months of events on their way out of the database: written, read back, compared with their leaves, and then moved."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from django.db.models import QuerySet

from audit.archive.parts import KIND, read_part, seal_part
from audit.log.tree import leaf_hash
from audit.models import AuditArchivePart, AuditLeaf
from audit.proofs.drops import oldest_kept
from audit.proofs.months import (
    Cover,
    MonthOfTenant,
    bounds_of,
    content_of,
    cover_of,
    drop_partition,
    lack_of,
    month_locked,
    months_online,
    working_alone,
)
from audit.proofs.rows import Row, read_month
from audit.proofs.walk import damage_of
from vaultsite.kernel.blobs import BlobStore, new_blob_name
from vaultsite.kernel.errors import BlobMissing, IntegrityFailure, KeyDestroyed, VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: Events of one part: what a writer and a reader hold in memory.
PART_EVENTS: Final = 4096
NOT_ALONE: Final = "another run of maintenance is at work"


@dataclass(frozen=True)
class Archived:
    """What became of a month: moved into the archive with so many events and objects, or kept online, and why."""

    month: date
    events: int = 0
    parts: int = 0
    bytes: int = 0
    kept_because: str = ""


class NotArchived(Exception):
    """A month that stays in the database for now; says why."""


def archive_months(*, online: int, today: date) -> list[Archived]:
    """Move the months of events that ended more than ``online`` whole months before this one, as the owner.

    Each only when retention could drop it but for its age (``drop_old_months``), and when its parts were read back from
    the store and are, event by event, what its leaves are made of. What was written before is taken up again.
    A month that fails is kept and says why; the others go on. ``online`` of 0 moves nothing. No scope may be open.
    """
    if online <= 0:
        return []
    with working_alone() as is_alone:
        months = months_online(before=oldest_kept(today, online))
        return [_tried(month) if is_alone else Archived(month, kept_because=NOT_ALONE) for month in months]


def _tried(month: date) -> Archived:
    """What is wrong with one month, or with the keys of an organization that has events in it, stops no other."""
    try:
        return _archive(month)
    except (NotArchived, VaultError) as lack:
        return Archived(month, kept_because=str(lack))


def _archive(month: date) -> Archived:
    """Raises NotArchived, and what keys, store and audit raise."""
    content, covers = content_of(month), {}
    for part in content:
        covers[part.tenant_id] = require_proven(part)
        _write(month, part)
        require_readable(month, part)
    with month_locked(month):
        if content_of(month) != content:
            return Archived(month, kept_because="it changed while it was looked at")
        for part in content:
            _tell(month, part, covers[part.tenant_id])
        drop_partition(month)
        written = AuditArchivePart.objects.using("owner").filter(month=month, moved_at=None)
        sizes = list(written.values_list("size", flat=True))
        written.update(moved_at=datetime.now(UTC))
    return Archived(month, sum(part.events for part in content), len(sizes), sum(sizes))


def require_proven(part: MonthOfTenant) -> Cover:
    """Who outside holds a checkpoint over an organization's month, whose events are all there as they were sealed.

    Raises NotArchived.
    """
    if lack := lack_of(part):
        raise NotArchived(lack)
    cover = cover_of(part)
    if cover is None:
        raise NotArchived("no witness holds a checkpoint over all of its events")
    return cover


def require_readable(month: date, part: MonthOfTenant) -> None:
    """Read every part of an organization's month back and compare it with the leaves. Raises NotArchived.

    Parts of a month that is still in the database and that do not agree are taken away: the next run writes them again.
    """
    rows = list(_parts(month, part.tenant_id))
    for row in rows:
        if problem := _problem(row, part.tenant_id):
            _discard(rows)
            raise NotArchived(f"{row} {problem}")
    if sum(row.events for row in rows) != part.events:
        _discard(rows)
        raise NotArchived("its archive has other events than the database")


def _problem(row: AuditArchivePart, tenant_id: UUID) -> str:
    """What is wrong with a part as the store gives it back; empty when every event of it is that of its leaf."""
    first, following = bounds_of(row.month)
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        try:
            stored = read_part(row)
        except BlobMissing:
            return "is not in the store"
        except (IntegrityFailure, KeyDestroyed):
            return "cannot be opened"
        leaves = AuditLeaf.objects.filter(
            tenant_id=tenant_id,
            seq__range=(row.first_seq, row.last_seq),
            event_time__gte=first,
            event_time__lt=following,
        )
        sealed = [(seq, bytes(leaf)) for seq, leaf in leaves.order_by("seq").values_list("seq", "leaf")]
    if [(seq, leaf_hash(body)) for seq, body in stored] != sealed or len(stored) != row.events:
        return "does not hold what its leaves are made of"
    return ""


def _write(month: date, part: MonthOfTenant) -> None:
    """Write what is not yet written of an organization's month, a part at a time. Raises NotArchived."""
    _discard(_parts(month, part.tenant_id).filter(size=0))
    done = list(_parts(month, part.tenant_id))
    number, after = len(done), done[-1].last_seq if done else -1
    while leaves := _next_leaves(month, part.tenant_id, after):
        _write_part(month, part.tenant_id, number, leaves)
        number, after = number + 1, leaves[-1][0]


def _next_leaves(month: date, tenant_id: UUID, after: int) -> list[Row]:
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        rows = read_month(tenant_id, bounds_of(month), after=after, limit=PART_EVENTS)
    for row in rows:
        if row[2] is None or damage_of(row, str(tenant_id)) is not None:
            raise NotArchived(f"the event of leaf {row[0]} is not as it was sealed")
    return rows


def _write_part(month: date, tenant_id: UUID, number: int, leaves: list[Row]) -> None:
    """Name the object first, then store it: what a run that was killed wrote is found by its row."""
    events = [(leaf[0], leaf[2]) for leaf in leaves if leaf[2] is not None]
    times = [leaf[4] for leaf in leaves]
    row = AuditArchivePart.objects.using("owner").create(
        tenant_id=tenant_id,
        month=month,
        number=number,
        first_seq=events[0][0],
        last_seq=events[-1][0],
        first_time=min(times),
        last_time=max(times),
        events=len(events),
        name=new_blob_name(KIND),
    )
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        sealed = seal_part(month, number, events)
    BlobStore.default().put(row.name, sealed)
    row.size, row.sha256 = len(sealed), hashlib.sha256(sealed).hexdigest()
    row.save(using="owner", update_fields=["size", "sha256"])


def _discard(rows: Iterable[AuditArchivePart]) -> None:
    """Take away parts whose events are still in the database, object and row."""
    for row in rows:
        if row.moved_at is None:
            BlobStore.default().delete(row.name)
            row.delete(using="owner")


def _parts(month: date, tenant_id: UUID) -> QuerySet[AuditArchivePart]:
    rows = AuditArchivePart.objects.using("owner").filter(month=month, tenant_id=tenant_id, removed_at=None)
    return rows.order_by("number")


def _tell(month: date, part: MonthOfTenant, cover: Cover) -> None:
    facts = {
        "month": f"{month:%Y-%m}",
        "events": part.events,
        "first_seq": part.first_seq,
        "last_seq": part.last_seq,
        "checkpoint_size": cover.size,
        "witness": cover.witness,
    }
    event = Event(EventType.AUDIT_MONTH_ARCHIVED, operation="update", resource=ResourceRef("audit_log"), metadata=facts)
    with tenant_scope(part.tenant_id, Principal.system(part.tenant_id)):
        emit(event)
