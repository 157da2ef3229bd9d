"""Build a tree from a parent tree and sorted changes, touching only what the changes touch.

The result is the one tree that these records have: a rebuild from nothing gives the same root. As soon as the new tree
ends a chunk where the parent ended one, the parent's following chunks and nodes are taken over unread until the next
change.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from datasets.tree.assembly import TreeAssembly
from datasets.tree.boundary import STANDARD, Shape
from datasets.tree.chunk import ChunkCodec
from datasets.tree.digests import EMPTY_ROOT
from datasets.tree.node import Child, Node, decode_node
from datasets.tree.record import TreeRecord
from datasets.tree.statistics import describe_records
from datasets.tree.store import TreeStore
from datasets.tree.writer import ChunkBuilt
from vaultsite.kernel.crypto.keys import SecretKey

__all__ = ["Change", "ChunkBuilt", "Delete", "TreeResult", "Upsert", "build"]


class Upsert(NamedTuple):
    """Put this record in place of the one with its id, or beside the others. ``findings`` is passed to ``on_chunk``.

    When the parent's record has the same canonical bytes, that one stays, with its nonce, unless this one ``renews``
    it: then nobody can tell by the root whether the two were the same.
    """

    record: TreeRecord
    findings: bytes | None = None
    renews: bool = False


class Delete(NamedTuple):
    """Leave out the record with this id; nothing happens when there is none."""

    id: str


Change: TypeAlias = Upsert | Delete

_DISORDER: Final = "changes must ascend by id, each id once"


@dataclass(frozen=True, slots=True)
class TreeResult:
    """The new tree, and how it differs from its parent.

    ``count`` and ``canonical_bytes`` are those of all records; ``chunks`` counts all chunks, ``reused_chunks`` those
    that are the parent's. ``added``, ``replaced`` and ``removed`` count records.
    """

    root: bytes
    count: int
    canonical_bytes: int
    chunks: int
    new_chunks: frozenset[bytes]
    dropped_chunks: frozenset[bytes]
    added: int
    replaced: int
    removed: int

    @property
    def reused_chunks(self) -> int:
        return self.chunks - len(self.new_chunks)


def build(
    store: TreeStore,
    parent_root: bytes | None,
    changes: Iterable[Change],
    boundary_key: SecretKey,
    *,
    on_chunk: Callable[[ChunkBuilt], None] | None = None,
    replace: bool = False,
    shape: Shape = STANDARD,
    describe: Callable[[Sequence[TreeRecord]], bytes] | None = describe_records,
) -> TreeResult:
    """The tree of the parent's records (None or EMPTY_ROOT: none) with ``changes`` applied, saved to ``store``.

    ``changes`` strictly ascend by the UTF-8 bytes of id; ValueError otherwise. With ``replace`` a record of the parent
    that no change names is removed. ``on_chunk`` is called for every chunk built, after it is saved, in order of id.
    ``describe`` gives the statistics of a chunk's records for its sidecar (None: none are kept, which is about a
    fifth faster, and readers who look for values must open every chunk). Erased records of the parent are not there:
    chunks that are built have no tombstones, those taken over keep theirs, and the counts of the tree include them.
    Time and loads are proportional to the changes, memory to two batches plus the digests of touched chunks.
    Raises what the store raises, and CorruptTree.
    """
    with closing(TreeAssembly(store, boundary_key, on_chunk, shape, describe)) as assembly:
        run = _Merge(store, assembly, _Changes(changes), replace)
        if parent_root is not None and parent_root != EMPTY_ROOT:
            run.merge_root(parent_root)
        run.append_rest()
        return run.finish()


class _Changes:
    """The changes not yet applied; ``id`` is that of ``current``, both None at the end."""

    __slots__ = ("_source", "current", "id")

    def __init__(self, changes: Iterable[Change]) -> None:
        self._source = iter(changes)
        self.id: str | None = None
        self.current: Change | None = None
        self.advance()

    def advance(self) -> None:
        before = self.id
        self.current = change = next(self._source, None)
        if change is None:
            self.id = None
            return
        self.id = record_id = change[0].id if isinstance(change, Upsert) else change.id
        if before is not None and before >= record_id:
            raise ValueError(_DISORDER)

    def take_below(self, bound: str) -> Iterator[Change]:
        """Consume the changes with an id lower than ``bound``."""
        while self.current is not None and self.id is not None and self.id < bound:
            yield self.current
            self.advance()

    def take_rest(self) -> Iterator[Change]:
        """Consume all that are left, as ``advance`` would but several times faster: the whole of a first version."""
        if self.current is None or self.id is None:
            return
        yield self.current
        before = self.id
        for change in self._source:
            record_id = change[0].id if isinstance(change, Upsert) else change.id
            if before >= record_id:
                raise ValueError(_DISORDER)
            before = record_id
            yield change
        self.current = self.id = None


class _Merge:
    """One pass over the parent tree and the changes, side by side."""

    def __init__(self, store: TreeStore, assembly: TreeAssembly, changes: _Changes, replace: bool) -> None:
        self._store = store
        self._assembly = assembly
        self._changes = changes
        self._replace = replace
        self._codec = ChunkCodec()
        self._added = self._replaced = self._removed = 0

    def merge_root(self, root: bytes) -> None:
        node = self._load_node(root)
        self._merge(node.summary(), node.level, is_last=True)

    def append_rest(self) -> None:
        add = self._assembly.add
        for change in self._changes.take_rest():
            if isinstance(change, Upsert):
                self._added += 1
                add(change[0], None, change[1])

    def finish(self) -> TreeResult:
        root = self._assembly.finish()
        built, parents = self._assembly.built, self._assembly.parents
        return TreeResult(
            root=root.digest,
            count=root.record_count,
            canonical_bytes=root.canonical_size,
            chunks=root.chunk_count,
            new_chunks=frozenset(built - parents),
            dropped_chunks=frozenset(parents - built),
            added=self._added,
            replaced=self._replaced,
            removed=self._removed,
        )

    def _merge(self, child: Child, level: int, *, is_last: bool) -> None:
        """Take over the parent's node (level 0: chunk), whole if no change falls into it.

        The last node of a level ended only because the records did: it stays whole only if nothing follows.
        """
        upcoming = self._changes.id
        is_unchanged = upcoming is None or (not is_last and upcoming > child.last_id)
        if is_unchanged and not self._replace and self._assembly.is_in_sync(level):
            self._assembly.take_over(child, level)
        elif level == 0:
            self._merge_chunk(child.digest)
        else:
            children = self._load_node(child.digest).children
            for index, below in enumerate(children, start=1):
                self._merge(below, level - 1, is_last=is_last and index == len(children))

    def _load_node(self, digest: bytes) -> Node:
        stored = self._store.load(digest)
        return decode_node(stored.body, stored.sidecar, digest)

    def _merge_chunk(self, digest: bytes) -> None:
        self._assembly.parents.add(digest)
        changes = self._changes
        for record in self._codec.decode(self._store.load(digest).body):
            if changes.id is not None and changes.id < record.id:
                for change in changes.take_below(record.id):
                    self._insert(change)
            if changes.id == record.id:
                self._apply(changes.current, record, digest)
                changes.advance()
            elif self._replace:
                self._removed += 1
            else:
                self._assembly.add(record, digest)

    def _apply(self, change: Change | None, record: TreeRecord, origin: bytes) -> None:
        """A change to a record of the parent."""
        if not isinstance(change, Upsert):
            self._removed += 1
        elif change.record.canonical == record.canonical and not change.renews:
            self._assembly.add(record, origin, change.findings)
        else:
            self._replaced += 1
            self._assembly.add(change.record, None, change.findings)

    def _insert(self, change: Change) -> None:
        """A change where the parent has no record."""
        if isinstance(change, Upsert):
            self._added += 1
            self._assembly.add(change.record, None, change.findings)
