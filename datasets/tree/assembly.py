"""Put a tree together from its records in order of id: chunks, then nodes upwards, saved as they are completed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from datasets.tree.boundary import (
    BYTE_THRESHOLD,
    CHILD_THRESHOLD,
    MAX_CHILDREN,
    MAX_CHUNK_BYTES,
    MIN_CHILDREN,
    MIN_CHUNK_BYTES,
    boundary_hash,
)
from datasets.tree.chunk import ChunkCodec, ChunkSidecar
from datasets.tree.digests import EMPTY_ROOT, chunk_digest, leaf_digests
from datasets.tree.node import Child, Node
from datasets.tree.record import TreeRecord
from datasets.tree.store import NewObject, ObjectKind, TreeStore
from vaultsite.kernel.crypto.keys import SecretKey

#: Canonical bytes that wait to be written together: the bound on memory, and about a pack.
FLUSH_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ChunkBuilt:
    """A chunk of the new tree that was put together from records, in columns of one item a record.

    ``origins`` has the digest of the parent's chunk a record was taken from, None for one from a change; ``findings``
    what came with the change, None otherwise. ``is_stored`` tells that the store had the chunk before, perhaps from an
    interrupted run of the same job.
    """

    digest: bytes
    records: list[TreeRecord]
    leaves: list[bytes]
    origins: list[bytes | None]
    findings: list[bytes | None]
    is_stored: bool


class TreeAssembly:
    """The right edge of a growing tree: one open chunk, and one open node on each level.

    Where a chunk or node ends depends on nothing before its first record, so the same records give the same tree in
    whatever way they arrive, and whole subtrees can be taken over where both trees begin one.
    """

    def __init__(
        self, store: TreeStore, boundary_key: SecretKey, on_chunk: Callable[[ChunkBuilt], None] | None
    ) -> None:
        self._hash = boundary_hash(boundary_key)
        self._writer = _Writer(store, on_chunk)
        self._levels: list[_Level] = []
        self._start_chunk()
        #: Digests of the chunks put together from records.
        self.built: set[bytes] = set()

    def _start_chunk(self) -> None:
        self._size = 0
        self._records: list[TreeRecord] = []
        self._origins: list[bytes | None] = []
        self._findings: list[bytes | None] = []

    def add(self, record: TreeRecord, origin: bytes | None = None, findings: bytes | None = None) -> None:
        """Append a record, whose id is greater than any before."""
        self._records.append(record)
        self._origins.append(origin)
        self._findings.append(findings)
        size = len(record.canonical)
        self._size += size
        if self._size >= MIN_CHUNK_BYTES and (
            self._size >= MAX_CHUNK_BYTES or self._hash(b"\x00" + record.id.encode()) < size * BYTE_THRESHOLD
        ):
            self._cut_chunk()

    def take_over(self, child: Child, level: int) -> None:
        """Append a whole subtree: a chunk (level 0), or a node of this level. Only when in sync on that level."""
        self._add_child(level + 1, child)

    def is_in_sync(self, level: int) -> bool:
        """Whether a chunk, and a node on every level up to this one, has just ended."""
        return not self._records and not any(node.children for node in self._levels[:level])

    def finish(self) -> Child:
        """End what is open, save the rest, and say what the root is.

        From below upwards the open node of every level ends, until a level has been given one child alone: the root.
        """
        if self._records:
            self._cut_chunk()
        root = self._close_levels()
        self._writer.flush()
        return root

    def _close_levels(self) -> Child:
        if not self._levels:
            return Child(EMPTY_ROOT, 0, 0, 0, "", "")
        level = 1
        while True:
            node = self._level(level)
            if level > 1 and node.received == 1 and level == len(self._levels):
                return node.children[0]
            if node.children:
                self._cut_node(level)
            level += 1

    def _cut_chunk(self) -> None:
        records = self._records
        leaves = leaf_digests(records)
        digest = chunk_digest(leaves)
        self._writer.add(_Pending(digest, self._size, records, leaves, self._origins, self._findings))
        self.built.add(digest)
        self._add_child(1, Child(digest, len(records), self._size, 1, records[0].id, records[-1].id))
        self._start_chunk()

    def _level(self, level: int) -> "_Level":
        while len(self._levels) < level:
            self._levels.append(_Level())
        return self._levels[level - 1]

    def _add_child(self, level: int, child: Child) -> None:
        node = self._level(level)
        node.children.append(child)
        node.received += 1
        width = len(node.children)
        if width >= MIN_CHILDREN and (
            width >= MAX_CHILDREN or self._hash(bytes([level]) + child.last_id.encode()) < CHILD_THRESHOLD
        ):
            self._cut_node(level)

    def _cut_node(self, level: int) -> None:
        node = Node(level, self._level(level).children)
        self._level(level).children = []
        summary = node.summary()
        self._writer.add(
            NewObject(
                summary.digest,
                ObjectKind.NODE,
                summary.record_count,
                summary.canonical_size,
                node.body(),
                node.sidecar(),
            )
        )
        self._add_child(level + 1, summary)


class _Level:
    """The open node of one level, and how many children the level was given in all."""

    __slots__ = ("children", "received")

    def __init__(self) -> None:
        self.children: list[Child] = []
        self.received = 0


class _Pending(NamedTuple):
    """A chunk cut but not yet compressed: if the store has it, it never will be."""

    digest: bytes
    size: int
    records: list[TreeRecord]
    leaves: list[bytes]
    origins: list[bytes | None]
    findings: list[bytes | None]


class _Writer:
    """Collects chunks and nodes, children before parents, and saves those that the store does not have."""

    def __init__(self, store: TreeStore, on_chunk: Callable[[ChunkBuilt], None] | None) -> None:
        self._store = store
        self._on_chunk = on_chunk
        self._codec = ChunkCodec()
        self._pending: list[_Pending | NewObject] = []
        self._bytes = 0

    def add(self, item: _Pending | NewObject) -> None:
        self._pending.append(item)
        self._bytes += item.size if isinstance(item, _Pending) else len(item.body) + len(item.sidecar)
        if self._bytes >= FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        pending, self._pending, self._bytes = self._pending, [], 0
        if not pending:
            return
        known = self._store.known([item.digest for item in pending])
        self._store.save([self._encoded(item) for item in pending if item.digest not in known])
        if self._on_chunk is None:
            return
        for item in pending:
            if isinstance(item, _Pending):
                is_stored = item.digest in known
                self._on_chunk(
                    ChunkBuilt(item.digest, item.records, item.leaves, item.origins, item.findings, is_stored)
                )

    def _encoded(self, item: _Pending | NewObject) -> NewObject:
        if isinstance(item, NewObject):
            return item
        records = item.records
        sizes = tuple([len(record.canonical) for record in records])
        sidecar = ChunkSidecar(records[0].id, records[-1].id, item.size, sizes).encode()
        body = self._codec.encode(records)
        return NewObject(item.digest, ObjectKind.CHUNK, len(records), item.size, body, sidecar)
