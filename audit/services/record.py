"""The sink of the kernel's events: each becomes one row of exact bytes and one entry of the outbox."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final
from uuid import UUID

import rfc8785
from django.db import connection

from access.services.keyring import KeyHandle, column_key, seal_column
from access.services.policies_in_force import policies_in_force
from audit.catalog.labels import compliance_tags
from audit.errors import UnrecordableEvent
from audit.selectors import ACTOR_KIND
from vaultsite.kernel.canonical_json import SAFE_INTEGER, canonical_json
from vaultsite.kernel.events.event import Recorded

#: Longest text member kept, in characters: some of them quote the client.
TEXT_LIMIT: Final = 1024

#: The members of an event's metadata that say how much and how long, in the order of preference.
RECORDS: Final = ("records_accessed", "records")
BYTES: Final = ("bytes_transferred", "bytes")
DURATION: Final = ("duration_ms",)

#: What is recorded in place of a purpose that the tenant's registry does not have.
UNKNOWN_PURPOSE: Final = "unknown"

#: Events written by one statement; PostgreSQL takes at most 65,535 parameters.
BATCH: Final = 500

# One statement for both tables: one round trip, and neither row without the other. VALUES rather than unnest() of
# arrays, because nearly every request writes exactly one event, and for one row it takes half the time.
_INSERT: Final = """
    WITH stored AS (
        INSERT INTO audit_event (
            tenant_id, id, time, type, status, severity, operation, actor_id, actor_kind, resource_type, resource_id,
            dataset_id, classification, version, purpose, policy, request_id, failure_reason, records, bytes,
            duration_ms, body
        ) VALUES {events}
    )
    INSERT INTO audit_outbox (tenant_id, event_id, event_time, dataset_id) VALUES {entries}
"""
_EVENT: Final = "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
_ENTRY: Final = "(%s, %s, %s, %s)"


def record_events(events: Sequence[Recorded]) -> None:
    """Write ``events`` into the audit and the outbox, in their order, inside the open scope's transaction.

    Raises UnrecordableEvent, an error of the keyring, or DatabaseError; the kernel undoes the operation for each.
    """
    events = [_timed(recorded) for recorded in _without_invented_purposes(events)]
    # Asked for once: it is a query, and a request that writes several events writes them together.
    key = column_key() if any(recorded.principal.kind != "system" for recorded in events) else None
    with connection.cursor() as cursor:
        for start in range(0, len(events), BATCH):
            batch = events[start : start + BATCH]
            statement = _INSERT.format(
                events=", ".join([_EVENT] * len(batch)), entries=", ".join([_ENTRY] * len(batch))
            )
            cursor.execute(
                statement, [*chain(*(event_values(one, key) for one in batch)), *chain(*map(_entry_values, batch))]
            )


def _timed(recorded: Recorded) -> Recorded:
    """The event with how long its request or job had taken by then, in milliseconds, unless it says so itself."""
    started_at, event = recorded.request.started_at, recorded.event
    if started_at is None or "duration_ms" in event.metadata:
        return recorded
    milliseconds = max(0, int((event.time - started_at).total_seconds() * 1000))
    return replace(recorded, event=replace(event, metadata={**event.metadata, "duration_ms": milliseconds}))


def _without_invented_purposes(events: Sequence[Recorded]) -> Sequence[Recorded]:
    """A purpose is a word of the tenant's registry; what else a client states is free text, and not kept."""
    if not any(recorded.event.purpose for recorded in events):
        return events
    known = policies_in_force().purposes | {""}
    return [
        recorded
        if recorded.event.purpose in known
        else replace(recorded, event=replace(recorded.event, purpose=UNKNOWN_PURPOSE))
        for recorded in events
    ]


def event_values(recorded: Recorded, key: KeyHandle | None = None) -> tuple[Any, ...]:
    """The values of an event's row, in the order of the INSERT: text is cleaned, the last one is the canonical body.

    ``key`` seals what tells of a person; None: the one that seals columns now.
    """
    event, resource, principal = recorded.event, recorded.event.resource, recorded.principal
    return (
        recorded.tenant_id,
        event.id,
        event.time,
        event.type.value,
        event.status,
        event.severity,
        clean_text(event.operation),
        principal.id,
        principal.kind,
        clean_text(resource.type),
        clean_text(resource.id),
        resource.dataset_id,
        clean_text(resource.classification),
        clean_text(resource.version),
        clean_text(event.purpose),
        clean_text(" ".join(event.policies)),
        clean_text(recorded.request.request_id),
        clean_text(event.failure_reason),
        amount_of(event.metadata, *RECORDS),
        amount_of(event.metadata, *BYTES),
        amount_of(event.metadata, *DURATION),
        compose_body(recorded, key),
    )


def amount_of(metadata: Mapping[str, Any], *names: str) -> int:
    """The first of the members that is a whole number a column can hold and not below 0; else 0."""
    for name in names:
        value = metadata.get(name)
        if type(value) is int and 0 <= value <= SAFE_INTEGER:
            return value
    return 0


def _entry_values(recorded: Recorded) -> tuple[Any, ...]:
    return (recorded.tenant_id, recorded.event.id, recorded.event.time, recorded.event.resource.dataset_id)


def compose_body(recorded: Recorded, key: KeyHandle | None = None) -> bytes:
    """The event as RFC 8785 canonical JSON, in the members of the customer's event schema.

    Members without a value are left out. What tells of a person (the actor's name, address and browser) is one sealed
    member, so that destroying its key erases it without changing a byte here.
    """
    event, resource, request = recorded.event, recorded.event.resource, recorded.request
    body = {
        "event_id": str(event.id),
        "event_type": event.type.value,
        "timestamp": format_time(event.time),
        "severity": event.severity,
        "tenant_id": str(recorded.tenant_id),
        "actor": _present(
            type=recorded.principal.kind,
            id=str(recorded.principal.id),
            credential=recorded.principal.credential,
            sealed=_seal_actor(recorded, key),
        ),
        "resource": _present(
            type=resource.type,
            id=resource.id,
            dataset_id=resource.dataset_id,
            dataset_name=resource.name,
            classification=resource.classification,
            version=resource.version,
        ),
        "action": _present(operation=event.operation, status=event.status, failure_reason=event.failure_reason),
        "context": _present(
            purpose=event.purpose,
            policy_evaluated=event.policies,
            obligations=event.obligations,
            request_id=request.request_id,
            compliance_tags=compliance_tags(resource),
        ),
        "metadata": as_json(event.metadata),
    }
    try:
        return canonical_json(body)
    except rfc8785.CanonicalizationError as exc:
        raise UnrecordableEvent(event_type=event.type.value) from exc


def _present(**members: Any) -> dict[str, Any]:
    return {name: as_json(value) for name, value in members.items() if value}


def _seal_actor(recorded: Recorded, key: KeyHandle | None) -> str:
    """Name, address and browser of a person or service, sealed (base64); empty when there is nothing to hide."""
    if recorded.principal.kind == "system":
        return ""
    facts = _present(
        name=recorded.principal.name,
        ip_address=recorded.request.ip_address,
        user_agent=recorded.request.user_agent,
    )
    if not facts:
        return ""
    sealed = seal_column(kind=ACTOR_KIND, object_id=recorded.event.id.bytes, plaintext=canonical_json(facts), key=key)
    return base64.b64encode(sealed).decode()


def clean_text(text: str) -> str:
    """``text`` as PostgreSQL and JSON can hold it: no NUL, no lone surrogate, at most TEXT_LIMIT characters.

    A client must not be able to make its own denial unrecordable by what it sends.
    """
    if text.isascii() and len(text) <= TEXT_LIMIT and "\0" not in text:
        return text
    return text[:TEXT_LIMIT].encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def as_json(value: Any) -> Any:
    """A member of an event as JSON that RFC 8785 can write; raises UnrecordableEvent for what has no such form."""
    match value:
        case None | bool() | float():
            return value
        case int():
            return value if abs(value) <= SAFE_INTEGER else str(value)
        case str() | UUID():
            return clean_text(str(value))
        case Mapping():
            return {clean_text(str(name)): as_json(member) for name, member in value.items()}
        case list() | tuple():
            return [as_json(member) for member in value]
    raise UnrecordableEvent(member_type=type(value).__name__)


def format_time(time: datetime) -> str:
    """RFC 3339 in UTC with microseconds, always of the same length."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
