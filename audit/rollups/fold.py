"""Fold sealed events into the counts, inside the transaction that seals them: each event counts exactly once."""

from typing import Final
from uuid import UUID

from django.db import connections

# The sealer calls this once for each range of leaves, in the transaction that writes them and under its lock of the
# tenant, so facets can be numbered without a sequence. One pass over the events: what is aggregated next is small.
# OFFSET 0 keeps the planner from making a join of the probes: of a tenant that its statistics do not know it would go
# through all events for each leaf.
_FOLD: Final = """
    WITH sealed AS MATERIALIZED (
        SELECT e.type, e.operation, e.status, e.severity, e.classification, e.purpose, e.actor_kind, e.actor_id,
               coalesce(e.dataset_id, '00000000-0000-0000-0000-000000000000') AS dataset_id, e.policy,
               date_trunc('hour', e.time, 'UTC') AS hour, e.records, e.bytes, e.duration_ms
          FROM audit_leaf l CROSS JOIN LATERAL (
              SELECT * FROM audit_event WHERE tenant_id = l.tenant_id AND id = l.event_id AND time = l.event_time
              OFFSET 0
          ) e
         WHERE l.tenant_id = %(tenant)s AND l.seq BETWEEN %(first)s AND %(last)s
    ), kinds AS (
        SELECT DISTINCT type, operation, status, severity, classification, purpose, actor_kind FROM sealed
    ), added AS (
        INSERT INTO audit_rollup_facet AS f (
            tenant_id, number, type, operation, status, severity, classification, purpose, actor_kind
        )
        SELECT %(tenant)s, row_number() OVER () + (
                   SELECT coalesce(max(number), 0) FROM audit_rollup_facet WHERE tenant_id = %(tenant)s
               ), k.*
          FROM kinds k
         WHERE NOT EXISTS (
             SELECT 1 FROM audit_rollup_facet f WHERE f.tenant_id = %(tenant)s AND
                 (f.type, f.operation, f.status, f.severity, f.classification, f.purpose, f.actor_kind) =
                 (k.type, k.operation, k.status, k.severity, k.classification, k.purpose, k.actor_kind)
         )
        RETURNING f.*
    ), facet AS (
        SELECT * FROM audit_rollup_facet WHERE tenant_id = %(tenant)s UNION ALL SELECT * FROM added
    ), fine AS MATERIALIZED (
        SELECT s.hour, s.actor_id, s.dataset_id, f.number AS facet,
               CASE min(f.actor_kind) WHEN 'system' THEN -1 ELSE 0 END AS overall, count(*) AS events,
               sum(s.records) AS records, sum(s.bytes) AS bytes, sum(s.duration_ms) AS duration_ms
          FROM sealed s JOIN facet f USING (type, operation, status, severity, classification, purpose, actor_kind)
         GROUP BY 1, 2, 3, 4
    ), coarse AS MATERIALIZED (
        SELECT hour, (hour AT TIME ZONE 'UTC')::date AS day, actor_id, dataset_id, number AS facet,
               events, records, bytes, duration_ms
          FROM fine CROSS JOIN LATERAL (VALUES (facet), (overall)) AS both_kinds (number)
    ), hours AS (
        INSERT INTO audit_rollup_hour AS r (tenant_id, hour, facet, events, records, bytes, duration_ms)
        SELECT %(tenant)s, hour, facet, sum(events), sum(records), sum(bytes), sum(duration_ms)
          FROM coarse GROUP BY hour, facet ORDER BY hour, facet
        ON CONFLICT (tenant_id, hour, facet) DO UPDATE SET
            events = r.events + excluded.events, records = r.records + excluded.records,
            bytes = r.bytes + excluded.bytes, duration_ms = r.duration_ms + excluded.duration_ms
    ), actor_days AS (
        INSERT INTO audit_rollup_actor_day AS r (tenant_id, day, actor_id, facet, events, records, bytes, duration_ms)
        SELECT %(tenant)s, day, coalesce(actor_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'), facet,
               sum(events), sum(records), sum(bytes), sum(duration_ms)
          FROM coarse GROUP BY GROUPING SETS ((day, actor_id, facet), (day, facet)) ORDER BY 2, 3, 4
        ON CONFLICT (tenant_id, day, actor_id, facet) DO UPDATE SET
            events = r.events + excluded.events, records = r.records + excluded.records,
            bytes = r.bytes + excluded.bytes, duration_ms = r.duration_ms + excluded.duration_ms
    ), dataset_days AS (
        INSERT INTO audit_rollup_dataset_day AS r (
            tenant_id, day, dataset_id, facet, events, records, bytes, duration_ms
        )
        SELECT %(tenant)s, day, dataset_id, facet, sum(events), sum(records), sum(bytes), sum(duration_ms)
          FROM coarse WHERE dataset_id <> '00000000-0000-0000-0000-000000000000' GROUP BY 2, 3, 4 ORDER BY 2, 3, 4
        ON CONFLICT (tenant_id, day, dataset_id, facet) DO UPDATE SET
            events = r.events + excluded.events, records = r.records + excluded.records,
            bytes = r.bytes + excluded.bytes, duration_ms = r.duration_ms + excluded.duration_ms
    ), policies AS (
        INSERT INTO audit_rollup_policy_hour AS r (tenant_id, policy, hour, facet, actor_id, dataset_id, events)
        SELECT %(tenant)s, p.policy, s.hour, f.number,
               CASE WHEN s.type = 'data.policy.violation' THEN s.actor_id
                    ELSE '00000000-0000-0000-0000-000000000000' END,
               CASE WHEN s.type = 'data.policy.violation' THEN s.dataset_id
                    ELSE '00000000-0000-0000-0000-000000000000' END,
               count(*)
          FROM sealed s JOIN facet f USING (type, operation, status, severity, classification, purpose, actor_kind)
         CROSS JOIN LATERAL (SELECT DISTINCT unnest(string_to_array(s.policy, ' '))) AS p (policy)
         GROUP BY 2, 3, 4, 5, 6 ORDER BY 2, 3, 4, 5, 6
        ON CONFLICT (tenant_id, policy, hour, facet, actor_id, dataset_id) DO UPDATE SET
            events = r.events + excluded.events
    )
    INSERT INTO audit_rollup_access_hour AS r (
        tenant_id, actor_id, hour, dataset_id, facet, events, records, bytes, duration_ms
    )
    SELECT %(tenant)s, actor_id, hour, dataset_id, facet, events, records, bytes, duration_ms
      FROM fine ORDER BY actor_id, hour, dataset_id, facet
    ON CONFLICT (tenant_id, actor_id, hour, dataset_id, facet) DO UPDATE SET
        events = r.events + excluded.events, records = r.records + excluded.records,
        bytes = r.bytes + excluded.bytes, duration_ms = r.duration_ms + excluded.duration_ms
"""


def fold_sealed(tenant_id: UUID, first_seq: int, last_seq: int) -> None:
    """Count the events of the leaves ``first_seq`` to ``last_seq`` (both included), as vault_system.

    Called once for each range, in the transaction that sealed it. Raises DatabaseError.
    """
    with connections["system"].cursor() as cursor:
        cursor.execute(_FOLD, {"tenant": tenant_id, "first": first_seq, "last": last_seq})
