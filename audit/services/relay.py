"""The first step out: events leave the outbox in order, at least once, for the live feed and the queues behind it."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast
from uuid import UUID

from django.db import connections, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from audit.catalog.envelope import envelope
from audit.models import AuditEvent, OutboxEntry
from audit.notifications.pending import note_events
from audit.relay.queue import enqueue_for_broker
from audit.subscriptions.match import Match, matching
from audit.webhooks.queue import enqueue_deliveries

#: Entries taken in one transaction.
BATCH: Final = 500
#: How long a delivered entry is kept, for the operator who asks what went out.
KEPT_AFTER_DELIVERY: Final = timedelta(days=1)

# One relay at a time, however many there are. Skipping locked rows instead would let a later event of a dataset
# overtake the earlier one that somebody else still holds.
_TAKE_TURN: Final = "SELECT pg_try_advisory_xact_lock(hashtext(%s))"
_TURN: Final = "audit.relay_outbox"


@dataclass(frozen=True)
class Delivery:
    """One event on its way out, for the subscribers of one tenant."""

    tenant_id: UUID
    envelope: dict[str, Any]


#: Hands deliveries over, in their order.
Publisher = Callable[[Sequence[Delivery]], None]


def relay_batch(publish: Publisher, *, limit: int = BATCH) -> int:
    """Hand on the oldest events of the outbox, as vault_system; returns how many left it.

    Each goes to its tenant's webhooks and to the queue of the message broker, both rows of this transaction, and to
    ``publish``. 0 when there are none, or while another relay works. When ``publish`` raises, or the process dies
    before the commit, all of them stay and are handed on again: receivers tell repetitions by the event's id. An event
    is handed on after every earlier one of its dataset.
    """
    with transaction.atomic(using="system"):
        if not take_turn(_TURN):
            return 0
        waiting = OutboxEntry.objects.using("system").filter(delivered_at__isnull=True).order_by("id")
        entries = list(waiting[:limit])
        if not entries:
            return 0
        events = _events_of(entries)
        bodies = [envelope(event) for event in events]
        _enqueue(events, bodies)
        OutboxEntry.objects.using("system").filter(pk__in=[entry.pk for entry in entries]).update(delivered_at=Now())
        publish([Delivery(cast("UUID", one.tenant_id), body) for one, body in zip(events, bodies, strict=True)])
    return len(entries)


def forget_delivered() -> int:
    """Delete entries that were delivered more than KEPT_AFTER_DELIVERY ago; returns how many."""
    old = OutboxEntry.objects.using("system").filter(delivered_at__lt=Now() - KEPT_AFTER_DELIVERY)
    deleted, _ = old.delete()
    return deleted


def take_turn(name: str) -> bool:
    """Whether this transaction of vault_system may do what only one does at a time; it may until it ends."""
    with connections["system"].cursor() as cursor:
        cursor.execute(_TAKE_TURN, [name])
        row = cursor.fetchone()
    return bool(row and row[0])


def _events_of(entries: Sequence[OutboxEntry]) -> list[AuditEvent]:
    """The entries' events, in order. One whose partition was dropped meanwhile has nothing left to tell.

    By their whole key: another tenant, and another time, may have the same id.
    """
    times = [entry.event_time for entry in entries]
    rows: QuerySet[AuditEvent] = AuditEvent.objects.using("system").filter(
        tenant_id__in={entry.tenant_id for entry in entries},
        id__in=[entry.event_id for entry in entries],
        time__range=(min(times), max(times)),
    )
    found = {(row.tenant_id, row.pk, row.time): row for row in rows}
    keys = [(entry.tenant_id, entry.event_id, entry.event_time) for entry in entries]
    return [found[key] for key in keys if key in found]


def _enqueue(events: Sequence[AuditEvent], bodies: Sequence[Mapping[str, Any]]) -> None:
    """Put events into the queues of their tenants, a tenant at a time: the order is that within a dataset."""
    by_tenant: defaultdict[UUID, list[AuditEvent]] = defaultdict(list)
    for event in events:
        by_tenant[cast("UUID", event.tenant_id)].append(event)
    matches: list[Match] = []
    for tenant_id, theirs in by_tenant.items():
        matched = matching(tenant_id, theirs)
        enqueue_deliveries(tenant_id, theirs, matched)
        note_events(tenant_id, theirs)
        matches += matched
    enqueue_for_broker(events, bodies, matches)
