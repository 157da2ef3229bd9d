"""Where the months of an organization's events are: in the database, in the archive, or gone."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Count, Max, Min, Sum

from audit.archive.read import archived_before
from audit.models import AuditArchivePart, AuditEvent, AuditMonthDrop


@dataclass(frozen=True)
class ArchivedMonth:
    """A month in the archive: how many events, with which numbers, in how many objects of how many bytes."""

    month: date
    events: int
    first_seq: int
    last_seq: int
    parts: int
    bytes: int


@dataclass(frozen=True)
class MonthsOverview:
    """``online_from`` is the month of the oldest event in the database, None when there is none.

    Events up to the number ``removed_to`` may be gone under retention (None: none is); ``drops`` say of which months.
    ``archived_before`` is the first day behind the newest month in the archive.
    """

    online_from: date | None
    archived: tuple[ArchivedMonth, ...]
    archived_before: date | None
    drops: tuple[AuditMonthDrop, ...]
    removed_to: int | None


def months_overview(tenant_id: UUID) -> MonthsOverview:
    """Inside the open scope, the newest month first."""
    oldest = AuditEvent.objects.filter(tenant_id=tenant_id).order_by("time").values_list("time", flat=True).first()
    drops = tuple(AuditMonthDrop.objects.filter(tenant_id=tenant_id).order_by("-month"))
    return MonthsOverview(
        online_from=oldest.date().replace(day=1) if oldest else None,
        archived=tuple(archived_months(tenant_id)),
        archived_before=archived_before(tenant_id),
        drops=drops,
        removed_to=max((drop.last_seq for drop in drops), default=None),
    )


def archived_months(tenant_id: UUID) -> list[ArchivedMonth]:
    """The months in the archive, the newest first, inside the open scope."""
    held = AuditArchivePart.objects.filter(tenant_id=tenant_id, moved_at__isnull=False, removed_at=None)
    months = (
        held.order_by("-month")
        .values("month")
        .annotate(
            of_events=Sum("events"),
            first=Min("first_seq"),
            last=Max("last_seq"),
            parts=Count("pk"),
            of_bytes=Sum("size"),
        )
    )
    return [
        ArchivedMonth(one["month"], one["of_events"], one["first"], one["last"], one["parts"], one["of_bytes"])
        for one in months
    ]
