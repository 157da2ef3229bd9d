"""The stored hashes of a tenant's tree: full tiles, and what stands behind the last of them."""

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from audit.log import tree
from audit.log.errors import MissingHashes
from audit.log.tree import HASH_BYTES, perfect_root
from audit.models import AuditLeaf, AuditTile

#: Hashes of a full tile, and its levels: every eighth level of the tree is stored (C2SP tlog-tiles).
TILE_WIDTH: Final = 256
TILE_LEVELS: Final = 8


class StoredTree:
    """The tree of one tenant as the database has it; reads what is asked for, and each tile once.

    ``using`` is the alias: "default" inside a scope of the tenant, "system" without one. A tree that is read while it
    grows stays true for every size it had. Raises MissingHashes when a leaf or a tile is not there.
    """

    def __init__(self, tenant_id: UUID, *, using: str = "default") -> None:
        self.tenant_id = tenant_id
        self._leaves = AuditLeaf.objects.using(using).filter(tenant_id=tenant_id)
        self._tiles = AuditTile.objects.using(using).filter(tenant_id=tenant_id)
        self._read: dict[tuple[int, int], list[bytes]] = {}

    def size(self) -> int:
        """How many leaves there are now."""
        last = self._leaves.order_by("-seq").values_list("seq", flat=True).first()
        return 0 if last is None else last + 1

    def tile(self, level: int, index: int) -> list[bytes]:
        """The hashes of a tile, in order; fewer than TILE_WIDTH when it is the last one of its level."""
        if (level, index) not in self._read:
            self._read[level, index] = self._full_tile(level, index) or self._partial_tile(level, index)
        return self._read[level, index]

    def subtree(self, level: int, index: int) -> bytes:
        """The root of the perfect subtree (level, index)."""
        tile_level, depth = divmod(level, TILE_LEVELS)
        tile_index, start = divmod(index << depth, TILE_WIDTH)
        hashes = self.tile(tile_level, tile_index)[start : start + (1 << depth)]
        if len(hashes) != 1 << depth:
            raise MissingHashes(level=level, index=index)
        return perfect_root(hashes)

    def root(self, size: int) -> bytes:
        """The root of the first ``size`` leaves."""
        return tree.root(size, self.subtree)

    def inclusion_proof(self, seq: int, size: int) -> list[bytes]:
        """That leaf ``seq`` is in the tree of ``size`` leaves; raises ValueError unless 0 <= seq < size."""
        return tree.inclusion_proof(seq, size, self.subtree)

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        """That the tree of ``new`` leaves extends that of ``old``; raises ValueError unless 1 <= old <= new."""
        return tree.consistency_proof(old, new, self.subtree)

    def _full_tile(self, level: int, index: int) -> list[bytes]:
        stored = self._tiles.filter(level=level, index=index).values_list("hashes", flat=True).first()
        return _split(bytes(stored)) if stored is not None else []

    def _partial_tile(self, level: int, index: int) -> list[bytes]:
        """What a tile will begin with: leaves, or the roots of full tiles below it, without a gap."""
        first = index * TILE_WIDTH
        places: Iterable[tuple[int, bytes | memoryview]]
        if level == 0:
            leaves = self._leaves.filter(seq__gte=first, seq__lt=first + TILE_WIDTH)
            places = leaves.order_by("seq").values_list("seq", "leaf")
        else:
            below = self._tiles.filter(level=level - 1, index__gte=first, index__lt=first + TILE_WIDTH)
            places = below.order_by("index").values_list("index", "root")
        found = list(places)
        if [place for place, _ in found] != list(range(first, first + len(found))):
            raise MissingHashes(level=level * TILE_LEVELS, index=first)
        return [bytes(one) for _, one in found]


def _split(hashes: bytes) -> list[bytes]:
    if len(hashes) != TILE_WIDTH * HASH_BYTES:
        raise MissingHashes("A tile of the audit's log has another length")
    return [hashes[start : start + HASH_BYTES] for start in range(0, len(hashes), HASH_BYTES)]


def tiles_after(tree_before: StoredTree, size: int, leaves: Sequence[bytes]) -> list[AuditTile]:
    """The tiles that become full when ``leaves`` are appended to a tree of ``size``; not yet stored."""
    made: list[AuditTile] = []
    level, start, fresh = 0, size, list(leaves)
    while fresh:
        index, behind = divmod(start, TILE_WIDTH)
        hashes = (tree_before.tile(level, index)[:behind] if behind else []) + fresh
        if len(hashes) != behind + len(fresh):
            raise MissingHashes(level=level * TILE_LEVELS, index=start)
        full = [hashes[at : at + TILE_WIDTH] for at in range(0, len(hashes) - TILE_WIDTH + 1, TILE_WIDTH)]
        tiles = [
            AuditTile(
                tenant_id=tree_before.tenant_id,
                level=level,
                index=index + offset,
                hashes=b"".join(one),
                root=perfect_root(one),
            )
            for offset, one in enumerate(full)
        ]
        made += tiles
        level, start, fresh = level + 1, index, [bytes(tile.root) for tile in tiles]
    return made
