"""The second step out: what waits for the broker is published in order and removed once it is confirmed."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from audit.brokers.base import Broker, Message, Refusal
from audit.models import BrokerDelivery
from audit.relay.backoff import TRIES, wait_seconds
from audit.relay.dead_letters import lost_topics
from audit.services.relay import take_turn

#: Messages handed over in one transaction.
BATCH: Final = 500
_TURN: Final = "audit.relay_broker"


def publish_batch(broker: Broker, *, limit: int = BATCH) -> int:
    """Publish the oldest messages whose lane does not wait, as vault_system; returns how many were tried.

    0 when there are none, or while another relay publishes. Confirmed ones are removed; a refused one holds its lane
    until its next try. Raises BrokerUnavailable when the broker cannot be reached or does not answer: all of them stay,
    no try is counted, and they are published again, so a broker may get them twice. Within a lane a message never
    leaves before an earlier one has, but for those that were under way together with one that was refused.
    """
    with transaction.atomic(using="system"):
        if not take_turn(_TURN):
            return 0
        rows = _due(limit)
        if not rows:
            return 0
        refused = broker.publish([as_message(row) for row in rows])
        confirmed = [row.pk for place, row in enumerate(rows) if place not in refused]
        BrokerDelivery.objects.using("system").filter(pk__in=confirmed).delete()
        _postpone(rows, refused)
    return len(rows)


def _due(limit: int) -> list[BrokerDelivery]:
    """The oldest messages of lanes that do not wait; of a lane that was refused before, the first alone."""
    waiting = BrokerDelivery.objects.using("system")
    held = waiting.filter(lane=OuterRef("lane"), next_try_at__gt=Now())
    rows = waiting.filter(~Exists(held)).order_by("id")[:limit]
    chosen: list[BrokerDelivery] = []
    tried: set[UUID] = set()
    for row in rows:
        if row.lane not in tried:
            chosen.append(row)
        if row.tries:
            tried.add(row.lane)
    return chosen


def _postpone(rows: Sequence[BrokerDelivery], refused: Mapping[int, Refusal]) -> None:
    """Let the lanes of refused messages wait; what goes where another was just given up gets no further try.

    Otherwise a topic that no queue is bound to would let one event of each dataset through in the time of five tries.
    """
    given_up = lost_topics() if refused else frozenset()
    for place, why in refused.items():
        row = rows[place]
        tries = TRIES if (row.topic, why) in given_up or why is Refusal.TOO_LARGE else row.tries + 1
        wait = timedelta(seconds=wait_seconds(tries))
        BrokerDelivery.objects.using("system").filter(pk=row.pk).update(
            tries=tries, reason=why.value, next_try_at=Now() + wait
        )


def as_message(row: BrokerDelivery) -> Message:
    return Message(
        id=row.event_id,
        type=row.event_type,
        source=f"urn:llm-data-vault:tenant:{row.tenant_id}",
        time=row.event_time,
        partition_key=str(row.dataset_id or row.tenant_id),
        topics=tuple(row.topics),
        content_type=row.content_type,
        body=bytes(row.body),
    )
