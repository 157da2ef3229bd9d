"""What waits for the message broker: a row for each event, and one for each subscription that routes it there."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID, uuid5

import orjson
from django.conf import settings
from django.db import connections

from audit.catalog.topics import topics_of
from audit.models import AuditEvent
from audit.subscriptions.match import Match

#: What the topics of a tenant's own routes begin with; its id and the route follow.
TENANT_TOPICS: Final = "vault.tenants"
STRUCTURED: Final = "application/cloudevents+json"
_TOPIC_PREFIX: Final = "vault.events."

# Arrays rather than VALUES of each row: one short statement, prepared once, whatever the number of rows.
_INSERT: Final = """
    INSERT INTO audit_brokerdelivery (
        tenant_id, event_id, event_time, event_type, dataset_id, lane, topics, content_type, body, reason, tries
    )
    SELECT r.tenant_id, r.event_id, r.event_time, r.event_type, r.dataset_id, r.lane, r.topics, r.content_type, r.body,
           '', 0
      FROM unnest(
        %s::uuid[], %s::uuid[], %s::timestamptz[], %s::text[], %s::uuid[], %s::uuid[], %s::jsonb[], %s::text[],
        %s::bytea[]
      ) WITH ORDINALITY AS r (
        tenant_id, event_id, event_time, event_type, dataset_id, lane, topics, content_type, body, place
      )
     ORDER BY r.place
"""
#: What is known of a message: its columns in the order of the statement.
_Row = tuple[UUID, UUID, datetime, str, UUID | None, UUID, str, str, bytes]


def is_broker_configured() -> bool:
    return bool(settings.VAULT.get("BROKER"))


def enqueue_for_broker(
    events: Sequence[AuditEvent], bodies: Sequence[Mapping[str, Any]], matches: Iterable[Match]
) -> None:
    """Queue ``events``, in their order and with their envelopes (one each), in the open transaction of vault_system.

    Nothing is queued where no broker is configured: what nobody asks for does not pile up.
    """
    if not is_broker_configured():
        return
    # An id alone names no event: two tenants may have the same one.
    routed: dict[tuple[UUID, UUID], list[Match]] = {}
    for match in matches:
        if match.route:
            routed.setdefault((match.tenant_id, match.event_id), []).append(match)
    rows = [
        row
        for event, body in zip(events, bodies, strict=True)
        for row in _rows(event, body, routed.get((cast("UUID", event.tenant_id), event.pk), ()))
    ]
    if rows:
        with connections["system"].cursor() as cursor:
            cursor.execute(_INSERT, [list(column) for column in zip(*rows, strict=True)])


def _rows(event: AuditEvent, body: Mapping[str, Any], matches: Iterable[Match]) -> Iterator[_Row]:
    lane = event.dataset_id or cast("UUID", event.tenant_id)
    yield _row(event, body, kind=event.type, lane=lane, topics=topics_of(event.type, event.severity))
    for match in matches:
        # A route that leads nowhere must not hold up what everybody is told of the dataset.
        own = uuid5(match.subscription_id, str(lane))
        yield _row(event, match.body, kind=match.event_type, lane=own, topics=(route_topic(match),))


def route_topic(match: Match) -> str:
    """The routing key or stream of a subscription's route: below its tenant's own prefix, whatever the route says."""
    return f"{TENANT_TOPICS}.{match.tenant_id}.{match.route}.{match.topic.removeprefix(_TOPIC_PREFIX)}"


def _row(event: AuditEvent, body: Mapping[str, Any], *, kind: str, lane: UUID, topics: Sequence[str]) -> _Row:
    return (
        cast("UUID", event.tenant_id),
        event.pk,
        event.time,
        kind[:100],
        event.dataset_id,
        lane,
        orjson.dumps(topics).decode(),
        STRUCTURED if "specversion" in body else "application/json",
        orjson.dumps(body),
    )
