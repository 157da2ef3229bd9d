"""The way out: events leave the outbox in order, at least once, to whoever publishes them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast
from uuid import UUID

from django.db import connections, transaction
from django.db.models import F
from django.db.models.functions import Now

from audit.errors import BrokerUnavailable
from audit.models import AuditEvent, OutboxEntry
from audit.selectors import read_body

#: Entries taken in one transaction.
BATCH: Final = 500
#: How long a delivered entry is kept, for the operator who asks what went out.
KEPT_AFTER_DELIVERY: Final = timedelta(days=1)

# One relay at a time, however many workers there are. Skipping locked rows instead would let a later event of a dataset
# overtake the earlier one that somebody else still holds.
_TAKE_TURN: Final = "SELECT pg_try_advisory_xact_lock(hashtext('audit.relay_outbox'))"


@dataclass(frozen=True)
class Delivery:
    """One event on its way out, for the subscribers of one tenant."""

    tenant_id: UUID
    envelope: dict[str, Any]


#: Hands deliveries over, in their order; raises BrokerUnavailable when it may not have handed over all of them.
Publisher = Callable[[Sequence[Delivery]], None]


def relay_batch(publish: Publisher, *, limit: int = BATCH) -> int:
    """Publish the oldest undelivered events, as vault_system; returns how many left the outbox.

    0 when there are none, or while another relay works. When ``publish`` raises, or the process dies before the commit,
    all of them stay and will be published again: consumers tell repetitions by the event's id. An entry is published
    after every earlier entry of its dataset.
    """
    try:
        with transaction.atomic(using="system"):
            if not _is_our_turn():
                return 0
            waiting = OutboxEntry.objects.using("system").filter(delivered_at__isnull=True).order_by("id")
            entries = list(waiting[:limit])
            publish(_deliveries(entries))
            _mine(entries).update(delivered_at=Now())
    except BrokerUnavailable:
        _mine(entries).update(attempts=F("attempts") + 1)
        raise
    return len(entries)


def forget_delivered() -> int:
    """Delete entries that were delivered more than KEPT_AFTER_DELIVERY ago; returns how many."""
    old = OutboxEntry.objects.using("system").filter(delivered_at__lt=Now() - KEPT_AFTER_DELIVERY)
    deleted, _ = old.delete()
    return deleted


def _is_our_turn() -> bool:
    with connections["system"].cursor() as cursor:
        cursor.execute(_TAKE_TURN)
        row = cursor.fetchone()
    return bool(row and row[0])


def _mine(entries: Sequence[OutboxEntry]) -> Any:
    return OutboxEntry.objects.using("system").filter(pk__in=[entry.pk for entry in entries])


def _deliveries(entries: Sequence[OutboxEntry]) -> list[Delivery]:
    """The entries' envelopes, in order. An event whose partition was dropped meanwhile has nothing left to tell."""
    if not entries:
        return []
    times = [entry.event_time for entry in entries]
    events = AuditEvent.objects.using("system").filter(
        tenant_id__in={entry.tenant_id for entry in entries},
        id__in=[entry.event_id for entry in entries],
        time__range=(min(times), max(times)),
    )
    found = {event.id: Delivery(cast("UUID", event.tenant_id), envelope(event)) for event in events}
    return [found[entry.event_id] for entry in entries if entry.event_id in found]


def envelope(event: AuditEvent) -> dict[str, Any]:
    """The event as CloudEvents 1.0 in JSON, without its sealed members: those never leave the vault."""
    body = read_body(event)
    actor = {name: body["actor"][name] for name in ("type", "id")}
    members = {name: body[name] for name in ("severity", "resource", "action", "context", "metadata")}
    wrapped = {
        "specversion": "1.0",
        "id": body["event_id"],
        "source": f"urn:llm-data-vault:tenant:{event.tenant_id}",
        "type": body["event_type"],
        "time": body["timestamp"],
        "subject": "/".join(filter(None, (event.resource_type, event.resource_id))),
        "datacontenttype": "application/json",
        "data": {"actor": actor, **members},
    }
    # The CloudEvents "partitioning" extension: what shares a key arrives in order.
    return wrapped | ({"partitionkey": str(event.dataset_id)} if event.dataset_id else {})
