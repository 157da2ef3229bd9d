"""Merge two trees that grew from a common one, at a cost proportional to what changed on both sides.

Chunks that only one side changed are taken over undecoded, nodes that neither or only ours changed unread.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Self, TypeAlias

from datasets.tree.align import Group, walk
from datasets.tree.assembly import TreeAssembly
from datasets.tree.boundary import STANDARD, Shape
from datasets.tree.builder import Delete, TreeResult, Upsert
from datasets.tree.chunk import Chunk, ChunkCodec, ChunkSidecar
from datasets.tree.node import Child
from datasets.tree.reader import decoded_chunk, load_node
from datasets.tree.record import TreeRecord
from datasets.tree.store import TreeStore
from datasets.tree.writer import ChunkBuilt, Entry
from vaultsite.kernel.crypto.keys import SecretKey

#: Groups decided on together, and after how many chunks to be loaded they are no more.
_BATCH: Final = 4096
_LOADED: Final = 96


class Collision(NamedTuple):
    """A record that ours and theirs changed differently; None: that tree does not have it."""

    id: str
    base: TreeRecord | None
    ours: TreeRecord | None
    theirs: TreeRecord | None


#: What stands in the merged tree instead: a record (as an Upsert when something is to be passed to ``on_chunk`` with
#: it), or nothing.
Resolution: TypeAlias = TreeRecord | Upsert | Delete | None


@dataclass(frozen=True, slots=True)
class MergeResult:
    """The merged tree, and how it came to be.

    ``tree`` is relative to ours; its ``added``, ``replaced`` and ``removed`` count, as do ``taken``, only records that
    were looked at one by one: chunks that theirs alone changed are taken over unread, and named in ``taken_chunks``
    (those ours does not have; ``on_chunk`` is not told of them). ``taken`` counts changes of theirs, ``collisions`` the
    calls of ``resolve``, ``merged`` those answered with a record that is neither ours nor theirs, ``erased`` records
    left out because one of the trees has erased them.
    """

    tree: TreeResult
    taken: int
    merged: int
    collisions: int
    erased: int
    taken_chunks: frozenset[bytes]


def merge(
    store: TreeStore,
    base_root: bytes,
    ours_root: bytes,
    theirs_root: bytes,
    boundary_key: SecretKey,
    *,
    resolve: Callable[[Collision], Resolution],
    on_chunk: Callable[[ChunkBuilt], None] | None = None,
    was_erased: bool = True,
    shape: Shape = STANDARD,
) -> MergeResult:
    """The tree of ours with theirs' changes since base, saved to ``store``: the one tree that its records have.

    ``resolve`` is called, in order of id, for each record that both changed to different canonical bytes (or one
    changed and the other removed), and may raise. Where both made the same change, ours stays, with its nonce. A record
    erased in any of the trees is left out, unless ours and theirs have the very same one. EMPTY_ROOT may stand
    anywhere. Without ``was_erased`` the caller knows that no record was ever erased from the dataset, and the sidecars
    of chunks that are passed over are not looked into. Raises what the store raises, and CorruptTree.
    """
    with _Run(store, boundary_key, resolve, on_chunk, shape, was_erased=was_erased) as run:
        for batch in _batches(walk(store, (base_root, ours_root, theirs_root), _is_settled)):
            for decided, side in zip(batch, run.plan(batch), strict=True):
                run.put(decided.group, side)
        return run.finish()


def _is_settled(digests: Sequence[bytes | None]) -> bool:
    """Ours stays where theirs has the same, or where there is nothing else: no need to look into it."""
    base, ours, theirs = digests
    return ours == theirs or (base is None and theirs is None)


class _Decided(NamedTuple):
    """A group, the side it is taken from unread (None: its records must be compared), and the chunks that give way."""

    group: Group
    side: int | None
    passed_over: Sequence[Child]

    @property
    def loads(self) -> int:
        """How many chunks it takes to go on."""
        return sum(map(len, self.group.sides)) if self.side is None else len(self.passed_over)


def _batches(groups: Iterator[Group]) -> Iterator[list[_Decided]]:
    batch: list[_Decided] = []
    loads = 0
    for group in groups:
        decided = _decide(group)
        batch.append(decided)
        loads += decided.loads
        if loads >= _LOADED or len(batch) == _BATCH:
            yield batch
            batch, loads = [], 0
    yield batch


#: A record of one of the trees and the chunk it is from.
_Held: TypeAlias = tuple[TreeRecord | None, bytes | None]
_NOTHING: Final[_Held] = (None, None)

_BASE, _OURS, _THEIRS = range(3)


class _Run:
    """One merge; groups are loaded in batches and put in order of id."""

    def __init__(
        self,
        store: TreeStore,
        boundary_key: SecretKey,
        resolve: Callable[[Collision], Resolution],
        on_chunk: Callable[[ChunkBuilt], None] | None,
        shape: Shape,
        *,
        was_erased: bool,
    ) -> None:
        self._store = store
        self._was_erased = was_erased
        self._on_chunk = on_chunk
        self._assembly = TreeAssembly(store, boundary_key, self._tell if on_chunk else None, shape)
        self._choice = _Choice(resolve)
        self._codec = ChunkCodec()
        self._chunks: dict[bytes, Chunk] = {}
        #: Chunks of ours that were opened or displaced, of theirs where ours has others, and those taken over of them.
        self._ours: set[bytes] = set()
        self._theirs: set[bytes] = set()
        self._taken: set[bytes] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._assembly.close()

    def plan(self, batch: Sequence[_Decided]) -> list[int | None]:
        """The side that stays as it is in each group; None where records must be compared, whose chunks are loaded."""
        erased = self._with_erased({child.digest for decided in batch for child in decided.passed_over})
        plan = [
            None if any(child.digest in erased for child in decided.passed_over) else decided.side for decided in batch
        ]
        opened = [decided.group for decided, side in zip(batch, plan, strict=True) if side is None]
        wanted = {child.digest: child for group in opened for side in group.sides for child in side}
        bodies = zip(wanted.values(), self._store.load_bodies(list(wanted)), strict=True)
        self._chunks = {child.digest: decoded_chunk(self._codec, body, child) for child, body in bodies}
        return plan

    def put(self, group: Group, side: int | None) -> None:
        """Append what the group becomes."""
        if group.level == 0:
            self._theirs.update(child.digest for child in group.sides[_THEIRS])
        if side is None:
            self._merge_records(group)
            return
        ends_open = group.is_last[side] and not all(group.is_last)
        for number, child in enumerate(group.sides[side], start=1):
            self._append(child, group.level, side, ends_open=ends_open and number == len(group.sides[side]))
        if side == _THEIRS:
            self._ours.update(child.digest for child in group.sides[_OURS])

    def finish(self) -> MergeResult:
        root = self._assembly.finish()
        choice, put = self._choice, self._assembly.built | self._taken
        new = frozenset(put - self._ours)
        tree = TreeResult(
            root=root.digest,
            count=root.record_count,
            canonical_bytes=root.canonical_size,
            chunks=root.chunk_count,
            new_chunks=new,
            dropped_chunks=frozenset(self._ours - put),
            added=choice.added,
            replaced=choice.replaced,
            removed=choice.removed,
        )
        return MergeResult(tree, choice.taken, choice.merged, choice.collisions, choice.erased, new & self._theirs)

    def _tell(self, chunk: ChunkBuilt) -> None:
        """Chunks that came out as one of the trees has them have their findings already."""
        if self._on_chunk is not None and chunk.digest not in self._theirs and chunk.digest not in self._ours:
            self._on_chunk(chunk)

    def _with_erased(self, digests: set[bytes]) -> set[bytes]:
        """Those of these chunks that have tombstones."""
        wanted = sorted(digests) if self._was_erased else []
        sidecars = map(ChunkSidecar.decode, self._store.load_sidecars(wanted))
        return {digest for digest, sidecar in zip(wanted, sidecars, strict=True) if sidecar.has_erased}

    def _append(self, child: Child, level: int, side: int, *, ends_open: bool) -> None:
        """Append a chunk or node as it stands, whole if possible.

        One that ends only because its tree does, while the merged tree goes on (``ends_open``), has no end there.
        """
        if not ends_open and self._assembly.is_in_sync(level):
            self._assembly.take_over(child, level)
            if side == _THEIRS:
                self._taken.add(child.digest)
        elif level == 0:
            self._assembly.parents.add(child.digest)
            if side == _OURS:
                self._ours.add(child.digest)
            for record in decoded_chunk(self._codec, self._store.load(child.digest).body, child):
                self._assembly.add(record, child.digest)
        else:
            children = load_node(self._store, child.digest).children
            for number, below in enumerate(children, start=1):
                self._append(below, level - 1, side, ends_open=ends_open and number == len(children))

    def _merge_records(self, group: Group) -> None:
        sides: list[dict[str, _Held]] = []
        erased: set[str] = set()
        for children in group.sides:
            self._assembly.parents.update(child.digest for child in children)
            sides.append(
                {record.id: (record, child.digest) for child in children for record in self._chunks[child.digest]}
            )
            erased.update(gone.id for child in children for gone in self._chunks[child.digest].erased)
        self._ours.update(child.digest for child in group.sides[_OURS])
        add, (of_base, of_ours, of_theirs) = self._assembly.add, (side.get for side in sides)
        for record_id in sorted(sides[_BASE].keys() | sides[_OURS].keys() | sides[_THEIRS].keys()):
            if group.covers(record_id):
                ours, theirs = of_ours(record_id, _NOTHING), of_theirs(record_id, _NOTHING)
                if ours[0] == theirs[0]:  # nearly all of them: nothing to choose, nothing to count
                    if ours[0] is not None:
                        add(ours[0], ours[1])
                    continue
                base = of_base(record_id, _NOTHING)
                entry = self._choice.of(record_id, base, ours, theirs, is_erased=record_id in erased)
                if entry is not None:
                    add(*entry)


def _decide(group: Group) -> _Decided:
    """A group is taken unread from the side that alone changed it, or from ours when theirs is the same.

    What the chunks that give way have erased must not come back.
    """
    base, ours, theirs = ([child.digest for child in side] for side in group.sides)
    if not group.is_whole:
        return _Decided(group, None, ())
    if ours == theirs:
        return _Decided(group, _OURS, ())
    if ours == base:
        return _Decided(group, _THEIRS, group.sides[_OURS] if theirs else ())
    if theirs == base:
        return _Decided(group, _OURS, group.sides[_THEIRS] if ours else ())
    return _Decided(group, None, ())


class _Choice:
    """Which record stands in the merged tree, and how often what was decided."""

    def __init__(self, resolve: Callable[[Collision], Resolution]) -> None:
        self._resolve = resolve
        self.taken = self.merged = self.collisions = self.erased = 0
        self.added = self.replaced = self.removed = 0

    def of(self, record_id: str, base: _Held, ours: _Held, theirs: _Held, *, is_erased: bool) -> Entry | None:
        """The record to be added, with where it is from and its findings; None for none."""
        chosen: Entry | None
        if is_erased and ours[0] != theirs[0]:
            self.erased += 1
            chosen = None
        elif (side := _winner(base[0], ours[0], theirs[0])) is not None:
            self.taken += side == _THEIRS
            record, origin = theirs if side == _THEIRS else ours
            chosen = None if record is None else (record, origin, None)
        else:
            self.collisions += 1
            answer = self._resolve(Collision(record_id, base[0], ours[0], theirs[0]))
            chosen = self._resolved(record_id, answer, ours, theirs)
        self._count(None if chosen is None else chosen[0], ours[0])
        return chosen

    def _resolved(self, record_id: str, answer: Resolution, ours: _Held, theirs: _Held) -> Entry | None:
        if answer is None or isinstance(answer, Delete):
            return None
        record, findings = (answer.record, answer.findings) if isinstance(answer, Upsert) else (answer, None)
        if record.id != record_id:
            raise ValueError("a collision is resolved with a record of its id")
        for known, origin in (ours, theirs):
            if known is not None and known.canonical == record.canonical:
                return known, origin, findings
        self.merged += 1
        return record, None, findings

    def _count(self, chosen: TreeRecord | None, ours: TreeRecord | None) -> None:
        self.added += ours is None and chosen is not None
        self.removed += ours is not None and chosen is None
        self.replaced += ours is not None and chosen is not None and ours.canonical != chosen.canonical


def _winner(base: TreeRecord | None, ours: TreeRecord | None, theirs: TreeRecord | None) -> int | None:
    """The side whose record stays, None when each changed it in its own way.

    Whole records are compared first, so that records of chunks taken over unread and those compared here agree.
    """
    if theirs in (ours, base):
        return _OURS
    if ours == base:
        return _THEIRS
    canonical = [None if record is None else record.canonical for record in (base, ours, theirs)]
    if canonical[_THEIRS] in (canonical[_OURS], canonical[_BASE]):
        return _OURS
    return _THEIRS if canonical[_OURS] == canonical[_BASE] else None
