"""A month of events for the benchmarks: 200 actors on 300 datasets in the rhythm of weeks and days, sealed and counted.

Loaded by SQL as the owner, with the columns, indexes, leaves and counts that recording and sealing would have written;
only the tiles of the tree and the checkpoints are left out.
"""

import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connections, transaction

from access.services.tenants import create_tenant
from audit.rollups.fold import fold_sealed
from audit.services.partitions import create_partition, months_from

DAYS: Final = 30
ACTORS, DATASETS = 200, 300
#: Events written, sealed and counted by one statement.
CHUNK: Final = 100_000

#: What happens: how often in a thousand, type, operation, outcome, severity.
_KINDS: Final = (
    (620, "data.access.read", "read", "success", "info"),
    (120, "data.access.completed", "read", "success", "info"),
    (60, "data.access.write", "write", "success", "info"),
    (40, "data.created", "write", "success", "info"),
    (15, "data.exported", "export", "success", "info"),
    (12, "data.token.revealed", "read", "success", "info"),
    (10, "data.access.read", "read", "failure", "warning"),
    (26, "data.access.denied", "read", "denied", "warning"),
    (2, "data.policy.violation", "read", "denied", "critical"),
    (3, "data.access.delete", "delete", "success", "info"),
    (52, "admin.access.read", "read", "success", "info"),
    (4, "audit.access.read", "read", "success", "info"),
    (30, "auth.login.succeeded", "write", "success", "info"),
    (6, "auth.login.failed", "write", "failure", "warning"),
)
#: How many of a hundred events of a day are in each hour.
_HOURS: Final = (1, 1, 1, 1, 1, 1, 2, 4, 8, 10, 10, 9, 6, 8, 9, 8, 7, 5, 3, 2, 1, 1, 1, 0)
#: Of the events of a weekend, this share happens.
_WEEKEND: Final = 0.3

_EVENTS: Final = """
    INSERT INTO audit_event (
        tenant_id, id, time, type, status, severity, operation, actor_id, actor_kind, resource_type, resource_id,
        dataset_id, classification, version, purpose, policy, request_id, failure_reason, records, bytes, duration_ms,
        body
    )
    SELECT %(tenant)s::uuid, e.id, e.time, e.type, e.status, e.severity, e.operation, e.actor, e.kind,
           CASE WHEN e.dataset IS NULL THEN 'user' ELSE 'dataset' END, coalesce(e.dataset, e.actor)::text, e.dataset,
           e.classification, '', e.purpose, e.policy, e.request, '', e.records, e.records * 700, e.duration,
           convert_to(format(
               '{"action":{"operation":"%%s","status":"%%s"},"actor":{"id":"%%s","type":"%%s"},"context":{"purpose":"%%s",'
               '"request_id":"%%s"},"event_id":"%%s","event_type":"%%s","metadata":{"records":%%s},"resource":'
               '{"classification":"%%s","type":"dataset"},"severity":"%%s","timestamp":"%%s"}',
               e.operation, e.status, e.actor, e.kind, e.purpose, e.request, e.id, e.type, e.records, e.classification,
               e.severity, to_char(e.time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')), 'UTF8')
      FROM (
        SELECT (lpad(to_hex((extract(epoch FROM w.time) * 1000)::bigint), 12, '0') || '7' ||
                substr(w.digest, 1, 3) || 'a' || substr(w.digest, 4, 15))::uuid AS id,
               w.time, k.type, k.status, k.severity, k.operation, (%(actors)s::uuid[])[w.actor + 1] AS actor,
               CASE WHEN w.actor %% 8 = 3 THEN 'service' ELSE 'user' END AS kind, d.id AS dataset,
               CASE WHEN d.id IS NULL THEN ''
                    ELSE (ARRAY['public', 'internal', 'confidential', 'pii'])[d.place %% 4 + 1] END AS classification,
               CASE WHEN d.id IS NULL THEN ''
                    ELSE (ARRAY['analytics', 'model-training', 'evaluation', 'debugging', 'support'])[w.actor %% 5 + 1]
                    END AS purpose,
               CASE k.type WHEN 'data.policy.violation' THEN (%(policies)s::text[])[d.place %% 8 + 1]
                           WHEN 'data.access.read' THEN 'builtin:record.read'
                           WHEN 'data.access.denied' THEN 'builtin:record.read' ELSE '' END AS policy,
               md5('r' || w.number) AS request,
               CASE WHEN d.id IS NOT NULL AND k.status = 'success' THEN floor(pow(w.size, 8) * 20000)::bigint
                    ELSE 0 END AS records,
               floor(pow(w.size, 4) * 900)::bigint AS duration
          FROM (
            SELECT number, md5(number || %(tenant)s::uuid::text) AS digest,
                   random() AS size, floor(200 * pow(random(), 2.2))::int AS actor, random() AS kind,
                   random() AS near, random() AS far, random() AS weekend,
                   %(start)s::timestamptz + floor(30.0 * number / %(total)s::float8) * interval '1 day'
                       + (%(hours)s::int[])[1 + floor(random() * %(hour_count)s::float8)::int] * interval '1 hour'
                       + random() * interval '1 hour' AS time
              FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS number
          ) AS w
          JOIN LATERAL (
            SELECT k.type, k.operation, k.status, k.severity FROM unnest(
                %(bounds)s::float8[], %(types)s::text[], %(operations)s::text[], %(statuses)s::text[],
                %(severities)s::text[]
            ) AS k (bound, type, operation, status, severity) WHERE w.kind < k.bound ORDER BY k.bound LIMIT 1
         ) AS k ON true
          JOIN LATERAL (
            SELECT p.place, CASE WHEN k.type LIKE 'data.%%' THEN (%(datasets)s::uuid[])[p.place + 1] END AS id
              FROM (SELECT CASE WHEN w.far < 0.05 THEN floor(w.near * 300)::int
                                ELSE (w.actor * 7 + floor(20 * pow(w.near, 2))::int) %% 300 END AS place) AS p
         ) AS d ON true
         WHERE extract(isodow FROM w.time AT TIME ZONE 'UTC') < 6 OR w.weekend < %(weekend_share)s::float8
      ) AS e
"""
_LEAVES: Final = """
    INSERT INTO audit_leaf (tenant_id, seq, event_id, event_time, leaf)
    SELECT %(tenant)s, row_number() OVER (ORDER BY time, id) - 1, id, time, sha256('\\x00'::bytea || body)
      FROM audit_event WHERE tenant_id = %(tenant)s
"""
_COUNT: Final = "SELECT count(*) FROM audit_leaf WHERE tenant_id = %s"
_TIDY: Final = (
    "VACUUM ANALYZE audit_event",
    "VACUUM ANALYZE audit_leaf",
    "VACUUM ANALYZE audit_rollup_access_hour",
    "VACUUM ANALYZE audit_rollup_actor_day",
    "VACUUM ANALYZE audit_rollup_dataset_day",
    "VACUUM ANALYZE audit_rollup_hour",
    "VACUUM ANALYZE audit_rollup_policy_hour",
    "VACUUM ANALYZE audit_rollup_facet",
)
_SEED: Final = "SELECT setseed(%s)"


@dataclass(frozen=True)
class Loaded:
    """A tenant with ``events`` events of the DAYS days that end with ``until`` (the midnight after today, UTC).

    ``seconds`` is how long writing, sealing and counting took.
    """

    tenant_id: UUID
    events: int
    since: datetime
    until: datetime
    actors: tuple[UUID, ...]
    datasets: tuple[UUID, ...]
    seconds: float


def load_month(slug: str, events: int, *, seed: int = 1) -> Loaded:
    """Make a tenant with about ``events`` events, sealed and counted. Needs no open scope."""
    started = time.perf_counter()
    tenant_id = create_tenant(slug=slug, name=slug, mfa_roles=()).pk
    until = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    since = until - timedelta(days=DAYS)
    for month in months_from(since.date(), ahead=1):
        create_partition(month)
    _write_events(tenant_id, since, int(events / (1 - 2 / 7 * (1 - _WEEKEND))), seed)
    count = _seal(tenant_id)
    _tidy()  # a planner that knows nothing of a million new rows joins them one by one
    for first in range(0, count, CHUNK):
        with transaction.atomic(using="system"):
            fold_sealed(tenant_id, first, min(first + CHUNK, count) - 1)
    _tidy()
    return Loaded(
        tenant_id, count, since, until, _named("actor", ACTORS), _named("dataset", DATASETS),
        time.perf_counter() - started,
    )  # fmt: skip


def _tidy() -> None:
    with connections["owner"].cursor() as cursor:
        for statement in _TIDY:
            cursor.execute(statement)


def _named(kind: str, count: int) -> tuple[UUID, ...]:
    """Ids that are the same in every run."""
    digests = (hashlib.sha256(f"{kind}/{number}".encode()).digest() for number in range(count))
    return tuple(UUID(bytes=digest[:16], version=4) for digest in digests)


def _seal(tenant_id: UUID) -> int:
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        # The tenant's making was sealed by nobody here; a sealer of the same database may have been quicker.
        cursor.execute(_LEAVES, {"tenant": tenant_id})
        cursor.execute(_COUNT, [tenant_id])
        ((count,),) = cursor.fetchall()
    return int(count)


def _write_events(tenant_id: UUID, since: datetime, total: int, seed: int) -> None:
    values = _values(tenant_id, since, total)
    for first in range(0, total, CHUNK):
        with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
            cursor.execute(_SEED, [(seed * 7919 + first // CHUNK) % 1000 / 1000])
            cursor.execute(_EVENTS, values | {"first": first, "last": min(first + CHUNK, total) - 1})


def _values(tenant_id: UUID, since: datetime, total: int) -> dict[str, Any]:
    whole, bounds, seen = sum(kind[0] for kind in _KINDS), [], 0
    for kind in _KINDS:
        seen += kind[0]
        bounds.append(seen / whole)
    hours = [hour for hour, share in enumerate(_HOURS) for _ in range(share)]
    names = ("types", "operations", "statuses", "severities")
    return {
        "tenant": tenant_id,
        "actors": list(_named("actor", ACTORS)),
        "datasets": list(_named("dataset", DATASETS)),
        "policies": [f"policy:{policy}@1" for policy in _named("policy", 8)],
        "start": since,
        "total": total,
        "hours": hours,
        "hour_count": len(hours),
        "bounds": bounds,
        "weekend_share": _WEEKEND,
        **{name: [kind[place] for kind in _KINDS] for place, name in enumerate(names, 1)},
    }
