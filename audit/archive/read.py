"""Reading the archive: the event of a leaf, the events of a page of leaves, all events that meet filters."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

import orjson
from django.db.models import QuerySet

from audit.archive.event import event_of, meets
from audit.archive.parts import read_part
from audit.models import AuditArchivePart, AuditEvent, AuditLeaf
from audit.proofs.damage import Damage, Finding
from audit.proofs.rows import Row, columns_of
from audit.selectors import EventFilter, EventPosition
from vaultsite.kernel.errors import BlobMissing, IntegrityFailure, KeyDestroyed

#: Parts kept open at once; leaves are asked for in order, months overlap at their borders.
_OPEN: Final = 2


class Archive:
    """What lies in the archive of one organization, inside its open scope. Not to be kept beyond it."""

    def __init__(self, tenant_id: UUID) -> None:
        self._tenant_id = tenant_id
        self._parts: dict[date, list[AuditArchivePart]] = {}
        self._open: dict[UUID, dict[int, bytes] | Finding] = {}

    def fill(self, rows: Iterable[Row]) -> list[Row]:
        """Leaves with their events, those of the database and those of the archive alike.

        The columns of an event from the archive are what its bytes say. Raises KeyUnavailable, StorageUnavailable.
        """
        return [self._filled(row) if row[2] is None else row for row in rows]

    def body_at(self, seq: int, time: datetime) -> bytes | None:
        """The bytes of the event of a leaf; None when no part has it that can be read."""
        part = self._part_at(seq, time)
        content = self._content(part) if part is not None else None
        return content.get(seq) if isinstance(content, dict) else None

    def fault_at(self, seq: int, time: datetime) -> Finding | None:
        """Why the part that a leaf's event lies in cannot be read; None when there is none, or it can be."""
        part = self._part_at(seq, time)
        content = self._content(part) if part is not None else None
        return content if isinstance(content, Finding) else None

    def event_of_leaf(self, leaf: AuditLeaf) -> AuditEvent | None:
        """The event of a leaf, if the archive has it as it was sealed for this organization."""
        body = self.body_at(leaf.seq, leaf.event_time)
        return _event(body) if body is not None else None

    def _filled(self, row: Row) -> Row:
        seq, leaf, _, _, time, event_id = row
        body = self.body_at(seq, time)
        return (seq, leaf, body, _columns(body), time, event_id) if body is not None else row

    def _part_at(self, seq: int, time: datetime) -> AuditArchivePart | None:
        month = time.astimezone(UTC).date().replace(day=1)
        if month not in self._parts:
            self._parts[month] = list(_standing(self._tenant_id).filter(month=month).order_by("number"))
        return next((part for part in self._parts[month] if part.first_seq <= seq <= part.last_seq), None)

    def _content(self, part: AuditArchivePart) -> dict[int, bytes] | Finding:
        if part.pk not in self._open:
            while len(self._open) >= _OPEN:
                del self._open[next(iter(self._open))]
            self._open[part.pk] = _read(part)
        return self._open[part.pk]


def archived_parts(tenant_id: UUID, criteria: EventFilter, *, after: UUID | None = None) -> list[AuditArchivePart]:
    """The parts that may hold events of the period of ``criteria``, in order, behind that of the id ``after``."""
    parts = _standing(tenant_id).order_by("month", "number")
    if criteria.since is not None:
        parts = parts.filter(month__gte=criteria.since.astimezone(UTC).date().replace(day=1))
    if criteria.until is not None:
        parts = parts.filter(month__lte=criteria.until.astimezone(UTC).date())
    found = list(parts)
    ids = [part.pk for part in found]
    return found[ids.index(after) + 1 :] if after in ids else found


def events_of_part(part: AuditArchivePart, criteria: EventFilter) -> list[AuditEvent]:
    """The events of a part that meet the filters, in order of their time, inside the open scope.

    Raises BlobMissing, IntegrityFailure, KeyDestroyed, KeyUnavailable, StorageUnavailable.
    """
    events = (event_of(body) for _, body in read_part(part))
    return sorted((event for event in events if meets(event, criteria)), key=lambda event: (event.time, event.pk))


def events_or_none(part: AuditArchivePart, criteria: EventFilter) -> list[AuditEvent] | None:
    """As ``events_of_part``; None for a part that is gone or does not open: who reads on says that it is missing.

    Raises KeyUnavailable, StorageUnavailable.
    """
    try:
        return events_of_part(part, criteria)
    except (BlobMissing, IntegrityFailure, KeyDestroyed):
        return None


def page_of_archive(
    tenant_id: UUID, criteria: EventFilter, *, after: EventPosition | None, limit: int
) -> list[AuditEvent]:
    """The first ``limit`` events of the archive that meet the filters, in order of time and id, behind ``after``.

    Reads the parts that may hold them; raises as ``events_of_part``.
    """
    found: list[AuditEvent] = []
    parts = [part for part in archived_parts(tenant_id, criteria) if after is None or part.last_time >= after.time]
    for part in sorted(parts, key=lambda part: part.first_time):
        if len(found) == limit and found[-1].time < part.first_time:
            break
        events = events_of_part(part, criteria)
        found += [one for one in events if after is None or (one.time, one.pk) > (after.time, after.id)]
        found = sorted(found, key=lambda one: (one.time, one.pk))[:limit]
    return found


def archived_before(tenant_id: UUID) -> date | None:
    """The first day behind the newest month in the archive: searches find nothing before it. None: there is none."""
    newest = _standing(tenant_id).order_by("-month").values_list("month", flat=True).first()
    return date(newest.year + newest.month // 12, newest.month % 12 + 1, 1) if newest else None


def _standing(tenant_id: UUID) -> QuerySet[AuditArchivePart]:
    return AuditArchivePart.objects.filter(tenant_id=tenant_id, moved_at__isnull=False, removed_at=None)


def _read(part: AuditArchivePart) -> dict[int, bytes] | Finding:
    try:
        return dict(read_part(part))
    except BlobMissing:
        return Finding(part.first_seq, Damage.ARCHIVE_LOST, part.last_seq, str(part))
    except (IntegrityFailure, KeyDestroyed):
        return Finding(part.first_seq, Damage.ARCHIVE_UNREADABLE, part.last_seq, str(part))


def _event(body: bytes) -> AuditEvent | None:
    try:
        return event_of(body)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _columns(body: bytes) -> str:
    """What the database's columns would say; empty for what is no event, which no event's columns are."""
    try:
        return columns_of(orjson.loads(body))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
