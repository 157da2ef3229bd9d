"""What is computed from the leaves and stored beside them: tiles that proofs are made of, and the counts of events."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.db import connection

from audit.log.errors import MissingHashes
from audit.log.stored import TILE_WIDTH, StoredTree
from audit.log.tree import HASH_BYTES, Frontier, perfect_root
from audit.models import AuditTile
from audit.models.rollup import EVERYBODY
from audit.proofs.damage import Damage, Finding

_TILE_BYTES: Final = TILE_WIDTH * HASH_BYTES

_LEAF_TILES: Final = """
    SELECT index, hashes FROM audit_tile WHERE tenant_id = %s AND level = 0 AND index >= %s AND index < %s
"""
_UPPER_TILES: Final = """
    SELECT t.level, t.index, t.hashes, t.root, b.below
      FROM audit_tile t LEFT JOIN LATERAL (
        SELECT string_agg(b.root, ''::bytea ORDER BY b.index) AS below FROM audit_tile b
         WHERE b.tenant_id = t.tenant_id AND b.level = t.level - 1
           AND b.index >= t.index * 256 AND b.index < (t.index + 1) * 256
      ) AS b ON true
     WHERE t.tenant_id = %s AND t.level > 0 ORDER BY t.level, t.index
"""
# The counts are written in the transaction of their leaves, so one statement sees both as they belong together. Of each
# table the sums of an hour or a day; the facets of 0 and below are the sums over the others.
_COUNTS: Final = """
    WITH leaves AS (
        SELECT date_trunc('hour', event_time, 'UTC') AS hour, count(*) AS events, min(seq) AS seq
          FROM audit_leaf WHERE tenant_id = %(tenant)s GROUP BY 1
    ), hours AS (
        SELECT hour, sum(events) FILTER (WHERE facet <= 0) AS overall, sum(events) FILTER (WHERE facet > 0) AS facets
          FROM audit_rollup_hour WHERE tenant_id = %(tenant)s GROUP BY 1
    ), access AS (
        SELECT hour, sum(events) AS events FROM audit_rollup_access_hour WHERE tenant_id = %(tenant)s GROUP BY 1
    ), days AS (
        SELECT (hour AT TIME ZONE 'UTC')::date AS day, sum(events) AS events, min(seq) AS seq FROM leaves GROUP BY 1
    ), actors AS (
        SELECT day, sum(events) FILTER (WHERE facet <= 0 AND actor_id = %(everybody)s) AS everybody,
               sum(events) FILTER (WHERE facet > 0 AND actor_id <> %(everybody)s) AS facets
          FROM audit_rollup_actor_day WHERE tenant_id = %(tenant)s GROUP BY 1
    )
    SELECT coalesce(l.seq, 0), 'hour ' || to_char(hour AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24')
      FROM leaves l FULL JOIN hours h USING (hour) FULL JOIN access a USING (hour)
     WHERE (l.events, l.events, l.events) IS DISTINCT FROM (h.overall, h.facets, a.events)
    UNION ALL
    SELECT coalesce(d.seq, 0), 'day ' || day
      FROM days d FULL JOIN actors a USING (day)
     WHERE (d.events, d.events) IS DISTINCT FROM (a.everybody, a.facets)
     ORDER BY 1, 2 LIMIT %(limit)s
"""


def changed_tiles(tenant_id: UUID, start: int, leaves: Sequence[bytes]) -> list[Finding]:
    """The full tiles of level 0 over these leaves, which follow each other from ``start``, that hold something else.

    A tile that begins before ``start`` or ends behind the leaves is not looked at. Inside the open scope.
    """
    skipped = -start % TILE_WIDTH
    first, count = (start + skipped) // TILE_WIDTH, max(len(leaves) - skipped, 0) // TILE_WIDTH
    with connection.cursor() as cursor:
        cursor.execute(_LEAF_TILES, [tenant_id, first, first + count])
        stored = {index: bytes(hashes) for index, hashes in cursor.fetchall()}
    found = []
    for index in range(first, first + count):
        place = index * TILE_WIDTH
        said = b"".join(leaves[place - start : place - start + TILE_WIDTH])
        if (held := stored.get(index, b"")) != said:
            found.append(_changed(place + _parting(said, held), place + TILE_WIDTH, f"tile 0/{index}"))
    return found


def changed_upper_tiles(tenant_id: UUID, frontier: Frontier) -> list[Finding]:
    """Tiles above level 0 that are not made of those below, and roots of tiles that do not lead to the frontier's.

    With level 0 compared with the leaves, nothing of any tile is left unseen. Inside the open scope.
    """
    with connection.cursor() as cursor:
        cursor.execute(_UPPER_TILES, [tenant_id])
        upper = cursor.fetchall()
    found = []
    for level, index, hashes, root, below in upper:
        if bytes(hashes) != bytes(below or b"") or _root_of(bytes(hashes)) != bytes(root):
            width = TILE_WIDTH ** (level + 1)
            found.append(_changed(index * width, (index + 1) * width, f"tile {level}/{index}"))
    return found or ([] if _leads_to(tenant_id, frontier) else [_changed_root(tenant_id, frontier.size)])


def changed_counts(tenant_id: UUID, *, limit: int) -> list[Finding]:
    """Hours and days whose stored counts are not those of the leaves, by their first leaf. Inside the open scope."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, {"tenant": tenant_id, "everybody": EVERYBODY, "limit": limit})
        return [Finding(seq, Damage.COUNTS_CHANGED, source=source) for seq, source in cursor.fetchall()]


def _changed(seq: int, end: int, source: str) -> Finding:
    return Finding(seq, Damage.TILE_CHANGED, end - 1, source)


def _parting(one: bytes, other: bytes) -> int:
    """The number of the first hash in which two tiles differ."""
    hashes = range(0, _TILE_BYTES, HASH_BYTES)
    return next((at // HASH_BYTES for at in hashes if one[at : at + HASH_BYTES] != other[at : at + HASH_BYTES]), 0)


def _root_of(hashes: bytes) -> bytes:
    """Empty for what is no tile."""
    if len(hashes) != _TILE_BYTES:
        return b""
    return perfect_root([hashes[at : at + HASH_BYTES] for at in range(0, _TILE_BYTES, HASH_BYTES)])


def _leads_to(tenant_id: UUID, frontier: Frontier) -> bool:
    try:
        return StoredTree(tenant_id).root(frontier.size) == frontier.root()
    except MissingHashes:
        return False


def _changed_root(tenant_id: UUID, size: int) -> Finding:
    """The first tile of level 0 whose root is not that of its hashes; the whole log when it is none of them."""
    tiles = AuditTile.objects.filter(tenant_id=tenant_id, level=0).order_by("index")
    for index, hashes, root in tiles.values_list("index", "hashes", "root").iterator():
        if _root_of(bytes(hashes)) != bytes(root):
            return _changed(index * TILE_WIDTH, (index + 1) * TILE_WIDTH, f"tile 0/{index}")
    return _changed(0, size, "tiles")
