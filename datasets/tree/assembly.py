"""Put a tree together from its records in order of id: chunks, then nodes upwards, saved as they are completed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from datasets.tree.boundary import STANDARD, Shape, boundary_hash
from datasets.tree.chunk import ChunkCodec, ChunkSidecar
from datasets.tree.digests import EMPTY_ROOT, chunk_digest, leaf_digests
from datasets.tree.node import Child, Node
from datasets.tree.record import TreeRecord
from datasets.tree.store import NewObject, ObjectKind, TreeStore
from vaultsite.kernel.crypto.keys import SecretKey

#: Canonical bytes that wait to be written together: the bound on memory, and about a pack.
FLUSH_BYTES: Final = 4 * 1024 * 1024

#: A record, the digest of the parent's chunk it comes from, and what came with the change that brought it.
_Entry: TypeAlias = tuple[TreeRecord, bytes | None, bytes | None]


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
        self,
        store: TreeStore,
        boundary_key: SecretKey,
        on_chunk: Callable[[ChunkBuilt], None] | None,
        shape: Shape = STANDARD,
    ) -> None:
        self._hash = boundary_hash(boundary_key)
        self._chunk_min, self._chunk_max, self._byte_threshold = shape.chunk_min, shape.chunk_max, shape.byte_threshold
        self._node_min, self._node_max, self._child_threshold = shape.node_min, shape.node_max, shape.child_threshold
        self._writer = _Writer(store, on_chunk)
        self._levels: list[_Level] = []
        self._size = 0
        self._entries: list[_Entry] = []
        #: Digests of the chunks put together from records.
        self.built: set[bytes] = set()
        #: Digests of the chunks that records come from: the store has them.
        self.parents: set[bytes] = set()

    def add(self, record: TreeRecord, origin: bytes | None = None, findings: bytes | None = None) -> None:
        """Append a record, whose id is greater than any before."""
        self._entries.append((record, origin, findings))
        size = len(record.canonical)
        self._size = total = self._size + size
        if total >= self._chunk_min and (
            total >= self._chunk_max or self._hash(b"\x00" + record.id.encode()) < size * self._byte_threshold
        ):
            self._cut_chunk()

    def take_over(self, child: Child, level: int) -> None:
        """Append a whole subtree: a chunk (level 0), or a node of this level. Only when in sync on that level."""
        self._add_child(level + 1, child)

    def is_in_sync(self, level: int) -> bool:
        """Whether a chunk, and a node on every level up to this one, has just ended."""
        return not self._entries and not any(node.children for node in self._levels[:level])

    def finish(self) -> Child:
        """End what is open, save the rest, and say what the root is.

        From below upwards the open node of every level ends, until a level has been given one child alone: the root.
        """
        if self._entries:
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
        entries, size = self._entries, self._size
        self._entries, self._size = [], 0
        leaves = leaf_digests([entry[0] for entry in entries])
        digest = chunk_digest(leaves)
        self._writer.add_chunk(digest, entries, leaves, size=size, is_kept=digest in self.parents)
        self.built.add(digest)
        self._add_child(1, Child(digest, len(entries), size, 1, entries[0][0].id, entries[-1][0].id))

    def _level(self, level: int) -> "_Level":
        while len(self._levels) < level:
            self._levels.append(_Level())
        return self._levels[level - 1]

    def _add_child(self, level: int, child: Child) -> None:
        node = self._level(level)
        node.children.append(child)
        node.received += 1
        width = len(node.children)
        if width >= self._node_min and (
            width >= self._node_max or self._hash(bytes([level]) + child.last_id.encode()) < self._child_threshold
        ):
            self._cut_node(level)

    def _cut_node(self, level: int) -> None:
        node = Node(level, self._level(level).children)
        self._level(level).children = []
        summary = node.summary()
        self._writer.add_node(node, summary)
        self._add_child(level + 1, summary)


class _Level:
    """The open node of one level, and how many children the level was given in all."""

    __slots__ = ("children", "received")

    def __init__(self) -> None:
        self.children: list[Child] = []
        self.received = 0


class _Writer:
    """Collects chunks and nodes, children before parents, and saves those that the store does not have."""

    def __init__(self, store: TreeStore, on_chunk: Callable[[ChunkBuilt], None] | None) -> None:
        self._store = store
        self._on_chunk = on_chunk
        self._codec = ChunkCodec()
        self._objects: list[NewObject] = []
        self._chunks: list[tuple[bytes, list[_Entry], list[bytes]]] = []
        self._bytes = 0

    def add_chunk(self, digest: bytes, entries: list[_Entry], leaves: list[bytes], *, size: int, is_kept: bool) -> None:
        """Queue a chunk of ``size`` canonical bytes; when the store keeps it surely, only for ``on_chunk``."""
        if not is_kept:
            self._objects.append(self._encoded(digest, entries, size))
        if self._on_chunk is not None:
            self._chunks.append((digest, entries, leaves))
        self._advance(size)

    def add_node(self, node: Node, summary: Child) -> None:
        body, sidecar = node.body(), node.sidecar()
        self._objects.append(
            NewObject(summary.digest, ObjectKind.NODE, summary.record_count, summary.canonical_size, body, sidecar)
        )
        self._advance(len(body) + len(sidecar))

    def _advance(self, size: int) -> None:
        self._bytes += size
        if self._bytes >= FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        objects, self._objects = self._objects, []
        chunks, self._chunks = self._chunks, []
        self._bytes = 0
        known = self._store.known([item.digest for item in objects]) if objects else set()
        fresh = [item for item in objects if item.digest not in known]
        if fresh:
            self._store.save(fresh)
        if self._on_chunk is None:
            return
        saved = {item.digest for item in fresh}
        for digest, entries, leaves in chunks:
            records, origins, findings = map(list, zip(*entries, strict=True))
            self._on_chunk(ChunkBuilt(digest, records, leaves, origins, findings, is_stored=digest not in saved))

    def _encoded(self, digest: bytes, entries: list[_Entry], size: int) -> NewObject:
        records = [entry[0] for entry in entries]
        sizes = tuple([len(record.canonical) for record in records])
        sidecar = ChunkSidecar(records[0].id, records[-1].id, size, sizes).encode()
        return NewObject(digest, ObjectKind.CHUNK, len(records), size, self._codec.encode(records), sidecar)
