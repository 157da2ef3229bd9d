"""Put a tree together from its records in order of id: chunks, then nodes upwards, saved as they are completed."""

from collections.abc import Callable, Sequence

from datasets.tree.boundary import STANDARD, Shape, boundary_hash
from datasets.tree.digests import EMPTY_ROOT, chunk_digest, leaf_digests
from datasets.tree.node import Child, Node
from datasets.tree.record import TreeRecord
from datasets.tree.statistics import describe_records
from datasets.tree.store import TreeStore
from datasets.tree.writer import ChunkBuilt, Entry, TreeWriter
from vaultsite.kernel.crypto.keys import SecretKey


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
        describe: Callable[[Sequence[TreeRecord]], bytes] | None = describe_records,
    ) -> None:
        self._hash = boundary_hash(boundary_key)
        self._chunk_min, self._chunk_max, self._byte_threshold = shape.chunk_min, shape.chunk_max, shape.byte_threshold
        self._node_min, self._node_max, self._child_threshold = shape.node_min, shape.node_max, shape.child_threshold
        self._writer = TreeWriter(store, on_chunk, describe)
        self._levels: list[_Level] = []
        self._size = 0
        self._entries: list[Entry] = []
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
        self._writer.finish()
        return root

    def close(self) -> None:
        """Let go of what assembling needs, whether or not it was finished."""
        self._writer.close()

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
