"""What the verification reads: leaves with the events they stand for, in bulk and without the ORM."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, connections
from psycopg import capabilities

from audit.services.record import BYTES, DURATION, RECORDS, amount_of, clean_text

#: (sequence number, leaf, bytes of the event or None, its columns as text, its time, its id)
Row = tuple[int, bytes, bytes | None, str, datetime, str]

SEPARATOR: Final = "\x1f"
#: Rows taken from a stream at once, as many as a socket holds; a libpq before 17 gives them one by one.
_STREAMED: Final = 200 if capabilities.has_stream_chunked() else 1

# A probe for each leaf. Without OFFSET 0 the planner makes a join of it, and of a tenant that its statistics do not
# know it goes through all events for each leaf.
_EVENT: Final = """LATERAL (
        SELECT * FROM audit_event WHERE tenant_id = l.tenant_id AND id = l.event_id AND time = l.event_time OFFSET 0
      ) e ON true"""
# The columns are joined by the database: one text is fetched several times as fast as eighteen values.
_PAGE: Final = f"""
    SELECT l.seq, l.leaf, e.body,
           concat_ws(E'\\x1f', e.type, e.status, e.severity, e.operation, e.actor_id, e.actor_kind, e.resource_type,
                     e.resource_id, coalesce(e.dataset_id::text, ''), e.classification, e.version, e.purpose, e.policy,
                     e.request_id, e.failure_reason, e.records, e.bytes, e.duration_ms),
           l.event_time, l.event_id::text
      FROM audit_leaf l
      LEFT JOIN {_EVENT}
     WHERE l.tenant_id = %s AND l.seq >= %s AND l.seq < %s ORDER BY l.seq
"""  # noqa: S608 - made of constants
_OF_MONTH: Final = _PAGE.replace(
    "l.seq >= %s AND l.seq < %s ORDER BY l.seq",
    "l.event_time >= %s AND l.event_time < %s AND l.seq > %s ORDER BY l.seq LIMIT %s",
)
_COUNT: Final = "SELECT coalesce(max(seq) + 1, 0) FROM audit_leaf WHERE tenant_id = %s"
_UNSEALED: Final = """
    SELECT count(*) FROM audit_event e
     WHERE e.tenant_id = %s AND e.time < statement_timestamp() - make_interval(secs => %s)
       AND NOT EXISTS (SELECT 1 FROM audit_leaf l WHERE l.tenant_id = e.tenant_id AND l.event_id = e.id)
"""
# The key of an event is (tenant, id, time): the same id may stand at another time, and never gets a leaf there.
_COPIES: Final = """
    SELECT DISTINCT l.seq FROM audit_event e JOIN audit_leaf l ON l.tenant_id = e.tenant_id AND l.event_id = e.id
     WHERE e.tenant_id = %(tenant)s AND l.event_time <> e.time
       AND NOT EXISTS (SELECT 1 FROM audit_leaf own
                        WHERE own.tenant_id = e.tenant_id AND own.event_id = e.id AND own.event_time = e.time)
     ORDER BY 1 LIMIT %(limit)s
"""
_MONTH: Final = f"""
    SELECT count(*), count(e.id)
      FROM audit_leaf l
      LEFT JOIN {_EVENT}
     WHERE l.tenant_id = %s AND l.seq BETWEEN %s AND %s AND l.event_time >= %s AND l.event_time < %s
"""  # noqa: S608
_TWICE: Final = """
    SELECT max(seq) FROM audit_leaf WHERE tenant_id = %s GROUP BY event_id HAVING count(*) > 1 ORDER BY 1 LIMIT %s
"""


def read_page(tenant_id: UUID, start: int, end: int) -> list[Row]:
    """The leaves ``start`` to ``end - 1`` that are there, in order, inside the open scope."""
    connection.ensure_connection()
    # The driver's own cursor: in binary, bytes arrive as bytes and times as numbers, in half the time.
    with connection.connection.cursor(binary=True) as cursor:
        rows: list[Row] = cursor.execute(_PAGE, [tenant_id, start, end]).fetchall()
    return rows


def stream_page(tenant_id: UUID, start: int, end: int) -> Iterator[Row]:
    """As ``read_page``, while the database still reads: until the last row the connection can be asked nothing else."""
    connection.ensure_connection()
    with connection.connection.cursor(binary=True) as cursor:
        yield from cursor.stream(_PAGE, [tenant_id, start, end], size=_STREAMED)


def read_month(tenant_id: UUID, times: tuple[datetime, datetime], *, after: int, limit: int) -> list[Row]:
    """At most ``limit`` leaves behind ``after`` with times in [first, last) of ``times``, inside the open scope."""
    connection.ensure_connection()
    with connection.connection.cursor(binary=True) as cursor:
        rows: list[Row] = cursor.execute(_OF_MONTH, [tenant_id, *times, after, limit]).fetchall()
    return rows


def count_leaves(tenant_id: UUID) -> int:
    """One more than the highest sequence number."""
    return _number(_COUNT, [tenant_id])


def count_unsealed(tenant_id: UUID, *, grace_seconds: float) -> int:
    """Events whose id has no leaf and that are older than the grace period, by the database's clock."""
    return _number(_UNSEALED, [tenant_id, grace_seconds])


def places_taken_twice(tenant_id: UUID, *, limit: int) -> list[int]:
    """The second places of events that have two, the first of them first."""
    with connections["default"].cursor() as cursor:
        cursor.execute(_TWICE, [tenant_id, limit])
        return [int(seq) for (seq,) in cursor.fetchall()]


def places_of_copies(tenant_id: UUID, *, limit: int) -> list[int]:
    """The places of events whose id stands at another time too, in a row that has no place: what may be a forgery."""
    with connections["default"].cursor() as cursor:
        cursor.execute(_COPIES, {"tenant": tenant_id, "limit": limit})
        return [int(seq) for (seq,) in cursor.fetchall()]


def count_month(tenant_id: UUID, seqs: tuple[int, int], times: tuple[datetime, datetime]) -> tuple[int, int]:
    """Leaves with numbers from the first to the last of ``seqs`` and times in [first, last) of ``times``.

    Returns how many there are, and how many of them still have their event.
    """
    with connections["default"].cursor() as cursor:
        cursor.execute(_MONTH, [tenant_id, *seqs, *times])
        leaves, events = cursor.fetchone() or (0, 0)
    return int(leaves), int(events)


def _number(statement: str, values: list[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def columns_of(body: dict[str, Any]) -> str:
    """What the columns of an event with this body must say, joined as the database joins them."""
    actor, resource, action = body["actor"], body["resource"], body["action"]
    context, metadata = body["context"], body["metadata"]
    return SEPARATOR.join(
        (
            body["event_type"],
            action["status"],
            body["severity"],
            action["operation"],
            actor["id"],
            actor["type"],
            resource.get("type", ""),
            resource.get("id", ""),
            resource.get("dataset_id", ""),
            resource.get("classification", ""),
            resource.get("version", ""),
            context.get("purpose", ""),
            clean_text(" ".join(context.get("policy_evaluated", ()))),
            context.get("request_id", ""),
            action.get("failure_reason", ""),
            str(amount_of(metadata, *RECORDS)),
            str(amount_of(metadata, *BYTES)),
            str(amount_of(metadata, *DURATION)),
        )
    )
