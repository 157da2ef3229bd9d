"""Drops by retention, as the log itself tells of them: what only a row says excuses nothing."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

import orjson
from django.conf import settings
from django.utils import timezone

from audit.archive.read import Archive
from audit.log.tree import leaf_hash
from audit.models import AuditEvent, AuditLeaf, AuditMonthDrop
from audit.proofs.rows import count_month
from audit.proofs.walk import Dropped
from vaultsite.kernel.events.event import EventType

#: What the event of a drop says and its row repeats, beside the month.
_FACTS: Final = ("events", "first_seq", "last_seq")


def oldest_kept(today: date, keep: int) -> date:
    """The first day of the oldest month that a retention of ``keep`` whole months before this one keeps."""
    place = today.year * 12 + today.month - 1 - keep
    return date(place // 12, place % 12 + 1, 1)


def recorded_drops(tenant_id: UUID) -> list[Dropped]:
    """The drops that excuse a leaf without an event, inside the open scope.

    Each is of a month past the configured retention (0 keeps everything: nothing is excused), and told by an event of
    its own that says the same and has the leaf of its bytes. That event is excused only by another drop of this list.
    """
    keep = settings.VAULT["AUDIT_RETENTION_MONTHS"]
    if keep <= 0:
        return []
    oldest = oldest_kept(timezone.now().astimezone(UTC).date(), keep)
    rows = list(AuditMonthDrop.objects.filter(tenant_id=tenant_id, month__lt=oldest))
    ids = [row.event_id for row in rows]
    leaves = {leaf.event_id: leaf for leaf in AuditLeaf.objects.filter(tenant_id=tenant_id, event_id__in=ids)}
    bodies = _bodies(tenant_id, ids, leaves)
    told = [_dropped(row) for row in rows if _is_told(row, leaves.get(row.event_id), bodies.get(row.event_id))]
    silent = [row for row in rows if row.event_id in leaves and row.event_id not in bodies]
    while found := [row for row in silent if _is_excused(row, leaves[row.event_id], told)]:
        told += [_dropped(row) for row in found]
        silent = [row for row in silent if row not in found]
    return told


def disproved_drops(tenant_id: UUID, drops: Iterable[Dropped]) -> list[Dropped]:
    """Those that took more or less than they told: whole months go, so each leaf of one has lost its event."""
    return [
        drop
        for drop in drops
        if count_month(tenant_id, (drop.first, drop.last), _bounds(drop.month)) != (drop.events, 0)
    ]


def _bodies(tenant_id: UUID, ids: list[UUID], leaves: dict[UUID, AuditLeaf]) -> dict[UUID, bytes]:
    """The bytes of the events that stand at their leaf's time; before its seal an event has no leaf yet."""
    events = AuditEvent.objects.filter(tenant_id=tenant_id, pk__in=ids)
    online = {
        event.pk: bytes(event.body)
        for event in events
        if event.pk not in leaves or leaves[event.pk].event_time == event.time
    }
    archive = Archive(tenant_id)
    gone = [leaf for event_id, leaf in leaves.items() if event_id not in online]
    read = {leaf.event_id: archive.body_at(leaf.seq, leaf.event_time) for leaf in gone}
    return online | {event_id: body for event_id, body in read.items() if body is not None}


def _is_told(row: AuditMonthDrop, leaf: AuditLeaf | None, body: bytes | None) -> bool:
    if body is None or (leaf is not None and leaf_hash(body) != bytes(leaf.leaf)):
        return False
    try:
        return _said(orjson.loads(body)) == {
            "event_type": EventType.AUDIT_MONTH_DROPPED.value,
            "event_id": str(row.event_id),
            "tenant_id": str(row.tenant_id),
            "month": f"{row.month:%Y-%m}",
            **{name: getattr(row, name) for name in _FACTS},
        }
    except (ValueError, KeyError, TypeError):
        return False


def _said(body: dict[str, Any]) -> dict[str, Any]:
    members = {name: body[name] for name in ("event_type", "event_id", "tenant_id")}
    return members | {name: body["metadata"][name] for name in ("month", *_FACTS)}


def _is_excused(row: AuditMonthDrop, leaf: AuditLeaf, told: Iterable[Dropped]) -> bool:
    """Whether the event of the row was dropped itself; it stood behind what it told of."""
    return leaf.seq > row.last_seq and any(drop.covers(leaf.seq, leaf.event_time) for drop in told)


def _dropped(row: AuditMonthDrop) -> Dropped:
    return Dropped((row.month.year, row.month.month), row.first_seq, row.last_seq, row.events)


def _bounds(month: tuple[int, int]) -> tuple[datetime, datetime]:
    """The first moment of a month and that of the next, UTC."""
    year, number = month
    return datetime(year, number, 1, tzinfo=UTC), datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
