"""Which versions held an erased record, and the check that none of them shows it any more."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

from datasets.errors import CorruptTree, TreeObjectMissing
from datasets.errors.upkeep import DataCorruption
from datasets.services.erasure.spare import is_erased
from datasets.services.erasure.sweep import Sweep
from datasets.tree.chunk import Chunk, ChunkCodec
from datasets.tree.digests import EMPTY_ROOT
from datasets.tree.node import Node, decode_node
from datasets.tree.store import StoredObject

_UNREADABLE: Final = (DataCorruption, TreeObjectMissing, CorruptTree)

T = TypeVar("T")


@dataclass
class Affected:
    """Walks distinct roots into the ranges that contain an id; subtrees that roots share are looked at once.

    A level of all trees is read together, the nodes before the chunks.
    """

    sweep: Sweep
    #: Whether a record with one of the ids can still be read.
    is_readable: bool = False
    #: Of each node what may hold one of the ids, of each chunk whether it does.
    _below: dict[bytes, list[bytes]] = field(default_factory=dict)
    _holds: dict[bytes, bool] = field(default_factory=dict)
    _codec: ChunkCodec = field(default_factory=ChunkCodec)

    def count(self, roots: Iterable[bytes]) -> int:
        """How many of the trees hold what is left of one of the records; what is damaged counts as not."""
        wanted = [root for root in roots if root != EMPTY_ROOT]
        level, chunks = dict.fromkeys(wanted), dict[bytes, None]()
        while level:
            below = dict[bytes, None]()
            for digest, node in self._read(list(level), _node):
                found = [child.digest for child in node.children if self.sweep.may_hold(child)]
                self._below[digest] = found
                (chunks if node.level == 1 else below).update(dict.fromkeys(found))
            level = {digest: None for digest in below if digest not in self._below}
        for digest, chunk in self._read(list(chunks), self._chunk):
            self._holds[digest] = self._look_into(chunk)
        return sum(map(self._has_erased, wanted))

    def _has_erased(self, digest: bytes) -> bool:
        if digest not in self._holds:
            self._holds[digest] = any(map(self._has_erased, self._below.get(digest, ())))
        return self._holds[digest]

    def _read(self, digests: list[bytes], decode: Callable[[bytes, StoredObject], T]) -> Iterator[tuple[bytes, T]]:
        """Those that can be read; the others are told to the sweep."""
        stored = self.sweep.reader.load_many(digests)
        for number, digest in enumerate(digests):
            self.sweep.beat()
            try:
                read = decode(digest, next(stored))
            except _UNREADABLE:
                self.sweep.unreadable.add(digest)
                stored = self.sweep.reader.load_many(digests[number + 1 :])
            else:
                yield digest, read

    def _chunk(self, _: bytes, stored: StoredObject) -> Chunk:
        return self._codec.decode(stored.body)

    def _look_into(self, chunk: Chunk) -> bool:
        spared = self.sweep.spared
        self.is_readable = self.is_readable or any(
            is_erased(chunk[index], spared) for index, name in enumerate(chunk.ids) if name in spared
        )
        return any(tombstone.id in spared for tombstone in chunk.erased)


def _node(digest: bytes, stored: StoredObject) -> Node:
    return decode_node(stored.body, stored.sidecar, digest)
