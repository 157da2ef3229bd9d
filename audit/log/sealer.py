"""The sealer: gives every event its place in its tenant's log.

Writers only insert events. Order of ids or times is not order of commits, so the sealer looks for events without a
leaf rather than for those behind the last one.
"""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connections, transaction

from audit.log.stored import StoredTree, tiles_after
from audit.models import AuditTile
from audit.rollups.fold import fold_sealed

#: Events sealed in one transaction.
BATCH: Final = 5_000
#: How far behind the newest sealed event the frequent search looks for events that were committed late.
GRACE: Final = timedelta(seconds=60)
#: The same for the search of every few minutes. What is older still by its own clock is named by the outbox, and found
#: by the daily search in any case, which has no bound.
LONG_GRACE: Final = timedelta(hours=1)

# The newest of the last leaves rather than the last leaf: a straggler is sealed last and is old. An event whose clock
# was ahead must not move the search past what is written now. No leaf, or no window: since ever.
_SINCE: Final = """
    SELECT least(max(recent.event_time), statement_timestamp()) - %(window)s::interval
      FROM (SELECT event_time FROM audit_leaf
             WHERE tenant_id = {tenant} ORDER BY seq DESC LIMIT 64) AS recent
"""
# A scalar sub-select is one probe of an index for each event; NOT EXISTS would be planned as a join that reads
# every leaf of the tenant, because the planner cannot know how few events the window leaves.
_UNSEALED: Final = """
    e.tenant_id = {tenant} AND e.time >= coalesce(({since}), '-infinity')
    AND (SELECT l.seq FROM audit_leaf l WHERE l.tenant_id = e.tenant_id AND l.event_id = e.id) IS NULL
"""
_ONE: Final = _UNSEALED.format(tenant="%(tenant)s", since=_SINCE.format(tenant="%(tenant)s"))
_ANY: Final = _UNSEALED.format(tenant="t.id", since=_SINCE.format(tenant="t.id"))

# The condition `e.time <= now() - age` is for those who ask what has waited long.
_WAITING: Final = f"""
    SELECT t.id FROM access_tenant t CROSS JOIN LATERAL (
        SELECT 1 FROM audit_event e WHERE {_ANY} AND e.time <= statement_timestamp() - %(age)s::interval LIMIT 1
    ) AS waiting WHERE %(among)s::uuid[] IS NULL OR t.id = ANY(%(among)s::uuid[])
"""  # noqa: S608 - made of constants
# The outbox has a row of every event of the last day, whatever the event's own clock says. The relay's clock tells
# since when it is there; while the relay stands still, the event's is all there is. A row that names no event (its
# month was dropped) names nothing that could be sealed.
_NAMED: Final = """
    (SELECT l.seq FROM audit_leaf l WHERE l.tenant_id = o.tenant_id AND l.event_id = o.event_id) IS NULL
    AND (SELECT e.id FROM audit_event e
          WHERE e.tenant_id = o.tenant_id AND e.id = o.event_id AND e.time = o.event_time) IS NOT NULL
"""
_STRAGGLING: Final = f"""
    SELECT DISTINCT o.tenant_id FROM audit_outbox o
     WHERE coalesce(o.delivered_at, o.event_time) <= statement_timestamp() - %(age)s::interval AND {_NAMED}
"""  # noqa: S608
_LOCK: Final = "SELECT pg_try_advisory_xact_lock(hashtextextended('audit.seal:' || %(tenant)s::text, 0))"
_FOUND: Final = f"""
    SELECT e.tenant_id, e.id, e.time, e.body FROM audit_event e WHERE {_ONE} ORDER BY e.time, e.id LIMIT %(limit)s
"""  # noqa: S608
# Once an event, though its entry may be there twice.
_NAMED_OF_ONE: Final = f"""
    SELECT e.tenant_id, e.id, e.time, e.body
      FROM (SELECT o.event_id, min(o.event_time) AS event_time FROM audit_outbox o
             WHERE o.tenant_id = %(tenant)s AND {_NAMED} GROUP BY o.event_id LIMIT %(limit)s) AS named
      JOIN audit_event e ON e.tenant_id = %(tenant)s AND e.id = named.event_id AND e.time = named.event_time
"""  # noqa: S608
# One place an id, though the same id stands at two times: the second would fail for ever, and hold up all that follow.
_INSERT: Final = """
    INSERT INTO audit_leaf (tenant_id, seq, event_id, event_time, leaf)
    SELECT e.tenant_id, %(size)s - 1 + row_number() OVER (ORDER BY e.time, e.id), e.id, e.time,
           sha256('\\x00'::bytea || e.body)
      FROM (SELECT DISTINCT ON (e.id) e.* FROM ({events}) AS e ORDER BY e.id, e.time) AS e
    RETURNING seq, leaf
"""
_SEAL: Final = _INSERT.format(events=_FOUND)
_SEAL_NAMED: Final = _INSERT.format(events=_NAMED_OF_ONE)


def seal_tenant(tenant_id: UUID, *, window: timedelta | None = GRACE) -> int:
    """Seal the events of a tenant that have no leaf; returns how many. One transaction a batch.

    Works as vault_system on the alias "system", without a scope; returns at once while another sealer works for this
    tenant. ``window`` bounds the search to what is not older than that before the newest sealed event; None looks
    through everything. Inside each transaction, once its leaves and tiles are written and before it commits,
    ``audit.rollups.fold.fold_sealed(tenant_id, first_seq, last_seq)`` is called (both inclusive, same alias "system").
    An error of it undoes the batch. Raises MissingHashes when hashes before the batch are gone.
    """
    return _seal_batches(tenant_id, _SEAL, window)


def seal_stragglers(tenant_id: UUID) -> int:
    """Seal what the outbox names and has no leaf, however old it is by its own clock; the rest as seal_tenant."""
    return _seal_batches(tenant_id, _SEAL_NAMED, None)


def waiting_tenants(
    *, window: timedelta | None = GRACE, age: timedelta = timedelta(), among: list[UUID] | None = None
) -> list[UUID]:
    """Tenants (``among`` these) with events without a leaf that are ``age`` old; ``window`` as in seal_tenant."""
    return _tenants(_WAITING, {"window": window, "age": age, "among": among})


def straggling_tenants(*, age: timedelta = timedelta()) -> list[UUID]:
    """Tenants with events that the outbox names for at least ``age`` and that have no leaf."""
    return _tenants(_STRAGGLING, {"age": age})


def _tenants(statement: str, bounds: dict[str, Any]) -> list[UUID]:
    with connections["system"].cursor() as cursor:
        cursor.execute(statement, bounds)
        return [tenant_id for (tenant_id,) in cursor.fetchall()]


def _seal_batches(tenant_id: UUID, statement: str, window: timedelta | None) -> int:
    total = 0
    while (sealed := _seal_batch(tenant_id, statement, window)) > 0:
        total += sealed
        if sealed < BATCH:
            break
    return total


def _seal_batch(tenant_id: UUID, statement: str, window: timedelta | None) -> int:
    with transaction.atomic(using="system"), connections["system"].cursor() as cursor:
        cursor.execute(_LOCK, {"tenant": str(tenant_id)})
        if cursor.fetchone() != (True,):
            return 0
        stored = StoredTree(tenant_id, using="system")
        size = stored.size()
        batch: dict[str, Any] = {"tenant": tenant_id, "size": size, "window": window, "limit": BATCH}
        cursor.execute(statement, batch)
        leaves = [bytes(leaf) for _, leaf in sorted(cursor.fetchall())]
        if not leaves:
            return 0
        AuditTile.objects.using("system").bulk_create(tiles_after(stored, size, leaves))
        fold_sealed(tenant_id, size, size + len(leaves) - 1)
        return len(leaves)
