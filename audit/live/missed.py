"""What a socket missed while it was away or too slow, read from the audit."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from audit.catalog.envelope import envelope
from audit.live.wish import Wish
from audit.models import AuditEvent
from vaultsite.kernel.tenancy.scope import current_tenant_id

#: Events that are read again for one socket; whoever missed more is told so.
MOST: Final = 1000
#: Events are told in the order they were committed, which may differ from that of their times: so much is repeated.
OVERLAP: Final = timedelta(seconds=5)
#: How far an event's time may lie from the one in its id.
_SKEW: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class Missed:
    """``events`` as envelopes, oldest first. ``is_whole``: nothing beyond them was missed."""

    events: list[dict[str, Any]]
    is_whole: bool


def read_missed(wish: Wish, after: UUID) -> Missed:
    """The events of the scope's tenant that were recorded after ``after``, and some shortly before it once more.

    An event that is unknown here (never was, another tenant's, dropped with its month) leaves everything open.
    """
    rows = AuditEvent.objects.filter(tenant_id=current_tenant_id())
    moment = _moment(after)
    known = rows.filter(pk=after, time__range=(moment - _SKEW, moment + _SKEW)).first() if moment else None
    if known is None:
        return Missed([], is_whole=False)
    rows = rows.filter(time__gte=known.time - OVERLAP).exclude(pk=after)
    if wish.dataset_id:
        rows = rows.filter(dataset_id=wish.dataset_id)
    if wish.types:
        rows = rows.filter(type__in=wish.types)
    found = list(rows.order_by("time", "pk")[: MOST + 1])
    return Missed([envelope(row) for row in found[:MOST]], is_whole=len(found) <= MOST)


def _moment(event_id: UUID) -> datetime | None:
    """When a UUIDv7 was made (RFC 9562 section 5.7); None for a moment no calendar knows."""
    try:
        return datetime.fromtimestamp((event_id.int >> 80) / 1000, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None
