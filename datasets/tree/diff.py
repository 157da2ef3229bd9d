"""What differs between two trees, at a cost proportional to the difference."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from datasets.tree.align import Group, walk
from datasets.tree.chunk import Chunk, ChunkCodec
from datasets.tree.node import Child
from datasets.tree.reader import decoded_chunk
from datasets.tree.record import TreeRecord
from datasets.tree.store import TreeSource

#: Chunks loaded at once.
_LOADED: Final = 32


@dataclass(frozen=True, slots=True)
class Place:
    """A record and where it stands: ``index`` counts the ``chunk_length`` records of the chunk, as its findings do."""

    chunk_digest: bytes
    index: int
    record: TreeRecord
    chunk_length: int


class RecordChange(NamedTuple):
    """One difference. ``kind`` is added, removed, modified or erased; ``before`` and ``after`` are what each tree has.

    ``erased``: one tree has a tombstone where the other has the record, or nothing, or another tombstone; so either
    place may be None, and both are where neither tree has a record.
    """

    kind: str
    id: str
    before: Place | None
    after: Place | None


def diff(
    source: TreeSource, before_root: bytes, after_root: bytes, *, after_id: str | None = None
) -> Iterator[RecordChange]:
    """The differences in order of id, from the first id greater than ``after_id`` on.

    Loads only nodes and chunks that one tree has and the other has not; memory is bounded whatever the trees are like.
    EMPTY_ROOT may stand on either side. Equal canonical bytes are no difference, whatever the nonces.
    Raises TreeObjectMissing, CorruptTree, and what the store raises.
    """
    if before_root == after_root:
        return
    codec = ChunkCodec()
    for batch in _batches(walk(source, (before_root, after_root), _is_same, after_id=after_id, with_common=False)):
        wanted = {child.digest: child for group in batch for side in group.sides for child in side}
        bodies = zip(wanted.values(), source.load_bodies(list(wanted)), strict=True)
        chunks = {child.digest: decoded_chunk(codec, body, child) for child, body in bodies}
        for group in batch:
            yield from _changes(group, chunks)


def _is_same(digests: Sequence[bytes | None]) -> bool:
    before, after = digests
    return before == after


def _batches(groups: Iterator[Group]) -> Iterator[list[Group]]:
    """The groups that differ, without the chunks that are on both sides of one."""
    batch: list[Group] = []
    size = 0
    for group in groups:
        before, after = group.sides
        common = {child.digest for child in before} & {child.digest for child in after}
        sides = tuple(tuple(child for child in side if child.digest not in common) for side in group.sides)
        if not any(sides):
            continue
        batch.append(group._replace(sides=sides))
        size += sum(map(len, sides))
        if size >= _LOADED:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


class _Side:
    """The records and tombstones of one side of a group, by id."""

    __slots__ = ("_chunks", "erased", "lines")

    def __init__(self, chunks: list[tuple[Child, Chunk]]) -> None:
        self._chunks = chunks
        self.lines: dict[str, bytes] = {}
        self.erased: dict[str, bytes] = {}
        for _, chunk in chunks:
            self.lines.update(zip(chunk.ids, chunk.lines, strict=True))
            self.erased.update((tombstone.id, tombstone.leaf) for tombstone in chunk.erased)

    def place(self, record_id: str) -> Place | None:
        if record_id not in self.lines:
            return None
        child, chunk = next(pair for pair in self._chunks if record_id <= pair[0].last_id)
        index = chunk.after(record_id) - 1
        return Place(child.digest, index, chunk[index], len(chunk))


def _changes(group: Group, chunks: dict[bytes, Chunk]) -> Iterator[RecordChange]:
    before, after = (_Side([(child, chunks[child.digest]) for child in side]) for side in group.sides)
    ids = before.lines.keys() ^ after.lines.keys()
    ids |= {each for each in before.lines.keys() & after.lines.keys() if before.lines[each] != after.lines[each]}
    ids |= {each for each, _ in before.erased.items() ^ after.erased.items()}
    for record_id in sorted(ids):
        if group.covers(record_id):
            places = before.place(record_id), after.place(record_id)
            is_erased = record_id in before.erased or record_id in after.erased
            yield RecordChange("erased" if is_erased else _kind(*places), record_id, *places)


def _kind(before: Place | None, after: Place | None) -> str:
    if before is None:
        return "added"
    return "removed" if after is None else "modified"
