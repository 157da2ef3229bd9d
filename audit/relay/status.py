"""How the delivery of a tenant's events goes: what waits where, since when, and what was refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from django.db.models import Min, QuerySet

from audit.models import BrokerDelivery, DeadLetter, OutboxEntry
from audit.relay.pulse import read_pulse

#: Rows are counted up to here.
MOST: Final = 10_000


@dataclass(frozen=True)
class Backlog:
    """What of the tenant waits for one destination: how many events (up to MOST), the oldest in seconds or None."""

    waiting: int
    oldest_seconds: int | None


@dataclass(frozen=True)
class DeliveryState:
    """``broker`` is the provider's name, empty when none is configured, None when no relay has been heard of late.

    ``since`` is when the broker was reached or lost; None without a broker. ``dead`` counts up to MOST.
    """

    outbox: Backlog
    queue: Backlog
    dead: int
    broker: str | None
    is_connected: bool
    since: datetime | None


def delivery_state() -> DeliveryState:
    """As the open tenant scope sees it."""
    pulse = read_pulse()
    return DeliveryState(
        outbox=_backlog(OutboxEntry.objects.filter(delivered_at__isnull=True)),
        queue=_backlog(BrokerDelivery.objects.all()),
        dead=DeadLetter.objects.filter(replayed_at__isnull=True)[:MOST].count(),
        broker=pulse.broker if pulse else None,
        is_connected=bool(pulse and pulse.is_connected),
        since=datetime.fromtimestamp(pulse.since, UTC) if pulse and pulse.since else None,
    )


def _backlog(waiting: QuerySet[OutboxEntry] | QuerySet[BrokerDelivery]) -> Backlog:
    oldest = waiting.aggregate(oldest=Min("event_time"))["oldest"]
    seconds = max(int((datetime.now(UTC) - oldest).total_seconds()), 0) if oldest else None
    return Backlog(waiting[:MOST].count() if oldest else 0, seconds)


def list_dead_letters(*, replayed: bool, limit: int, after: UUID | None = None) -> Sequence[DeadLetter]:
    """At most ``limit``, those that died last first, following the one of id ``after``."""
    rows = DeadLetter.objects.filter(replayed_at__isnull=not replayed).defer("body")
    if after is not None:
        rows = rows.filter(pk__lt=after)
    return list(rows.order_by("-id")[:limit])
