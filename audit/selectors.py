"""Reading the audit: row-level security shows a tenant its own events, and nothing of anybody else's."""

import base64
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from django.db import connections
from django.db.models import Q, QuerySet

from access.services.keyring import open_column
from audit.models import AuditEvent
from vaultsite.kernel.errors import KeyDestroyed

#: The object kind under which an actor's personal facts are sealed; the object id is the event's.
ACTOR_KIND: Final = "audit-actor"


@dataclass(frozen=True)
class EventFilter:
    """What to look for; None does not restrict. ``since`` is inclusive, ``until`` exclusive.

    Several ``types`` are alternatives. ``policy`` is the id of one that decided, as events name it
    (``policy:<id>@<number>``), or the bare id, which means every version of it.
    """

    actor_id: UUID | None = None
    dataset_id: UUID | None = None
    types: tuple[str, ...] | None = None
    status: str | None = None
    severity: str | None = None
    classification: str | None = None
    operation: str | None = None
    purpose: str | None = None
    policy: str | None = None
    request_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class EventPosition:
    """A place in the listing: that of one event."""

    time: datetime
    id: UUID


@dataclass(frozen=True)
class Actor:
    """Who caused an event, for display. The last three are empty when there were none, or their key was destroyed."""

    kind: str
    id: str
    name: str = ""
    ip_address: str = ""
    user_agent: str = ""


def list_events(
    *, tenant_id: UUID, criteria: EventFilter, limit: int, after: EventPosition | None = None
) -> list[AuditEvent]:
    """At most ``limit`` events, newest first, following ``after``. Never counts: the table only grows."""
    events = matching(tenant_id, criteria)
    if after is not None:
        # The plain bound on time is what the index understands; the rest settles events of the same moment.
        events = events.filter(time__lte=after.time).exclude(time=after.time, id__gte=after.id)
    if criteria.types is None or len(criteria.types) == 1 or _is_narrow(criteria):
        return list(events.order_by("-time", "-id")[:limit])
    # An index has the events of one type in order, not those of several: the newest of each, then the newest of those.
    each = [events.filter(type=kind).order_by("-time", "-id")[:limit] for kind in criteria.types]
    found = each[0].union(*each[1:], all=True) if each else events.none()
    return list(found.order_by("-time", "-id")[:limit])


def _is_narrow(criteria: EventFilter) -> bool:
    return any((criteria.actor_id, criteria.dataset_id, criteria.request_id))


def matching(tenant_id: UUID, criteria: EventFilter) -> QuerySet[AuditEvent]:
    """The events that meet the filters, in no order."""
    wanted = {
        "actor_id": criteria.actor_id,
        "dataset_id": criteria.dataset_id,
        "type__in": criteria.types,
        "status": criteria.status,
        "severity": criteria.severity,
        "classification": criteria.classification,
        "operation": criteria.operation,
        "purpose": criteria.purpose,
        "request_id": criteria.request_id,
        "time__gte": criteria.since,
        "time__lt": criteria.until,
    }
    given = {name: value for name, value in wanted.items() if value is not None}
    events = AuditEvent.objects.filter(tenant_id=tenant_id, **given)
    return events if criteria.policy is None else events.filter(_names_policy(criteria.policy))


def _names_policy(policy: str) -> Q:
    """Whether the policies of an event, ids with blanks between, have this one."""
    if ":" not in policy:
        return Q(policy__contains=f"policy:{policy}@")
    return (
        Q(policy=policy)
        | Q(policy__startswith=f"{policy} ")
        | Q(policy__endswith=f" {policy}")
        | Q(policy__contains=f" {policy} ")
    )


def read_body(event: AuditEvent) -> dict[str, Any]:
    """The stored event as JSON."""
    body: dict[str, Any] = orjson.loads(bytes(event.body))
    return body


def open_actor(event: AuditEvent) -> Actor:
    """The actor with the sealed facts opened. Raises IntegrityFailure when they were changed, or KeyUnavailable."""
    actor = read_body(event)["actor"]
    facts: dict[str, str] = {}
    if sealed := actor.get("sealed"):
        with suppress(KeyDestroyed):
            opened = open_column(kind=ACTOR_KIND, object_id=event.id.bytes, sealed=base64.b64decode(sealed))
            facts = orjson.loads(opened)
    return Actor(kind=actor["type"], id=actor["id"], **facts)


@dataclass(frozen=True)
class Partition:
    """One partition of the audit; ``bytes`` with its indexes."""

    name: str
    bounds: str
    bytes: int


# The catalog has no model.
_PARTITIONS: Final = """
    SELECT child.relname, pg_get_expr(child.relpartbound, child.oid), pg_total_relation_size(child.oid)
      FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
     WHERE inhparent = 'audit_event'::regclass ORDER BY child.relname
"""
_STRAYS: Final = "SELECT count(*) FROM audit_event_default"


def list_partitions() -> Iterator[Partition]:
    """Every partition, as the owner sees it."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(_PARTITIONS)
        yield from (Partition(*row) for row in cursor.fetchall())


def count_stray_events() -> int:
    """Events in the DEFAULT partition, where none belongs: their month had no partition when they came."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(_STRAYS)
        row = cursor.fetchone()
    return int(row[0]) if row else 0
