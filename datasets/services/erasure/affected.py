"""Which versions held an erased record, and the check that none of them shows it any more."""

from dataclasses import dataclass, field

from datasets.errors import CorruptTree, TreeObjectMissing
from datasets.errors.upkeep import DataCorruption
from datasets.services.erasure.spare import is_erased
from datasets.services.erasure.sweep import Sweep
from datasets.tree.chunk import ChunkCodec
from datasets.tree.digests import EMPTY_ROOT
from datasets.tree.node import Child
from datasets.tree.reader import load_node


@dataclass
class Affected:
    """Walks distinct roots into the ranges that contain an id; subtrees that roots share are looked at once."""

    sweep: Sweep
    #: Whether a record with one of the ids can still be read.
    is_readable: bool = False
    _seen: dict[bytes, bool] = field(default_factory=dict)
    _codec: ChunkCodec = field(default_factory=ChunkCodec)

    def has_erased(self, root: bytes) -> bool:
        """Whether the tree holds what is left of one of the records; what is damaged counts as not."""
        return root != EMPTY_ROOT and self._node(root)

    def _node(self, digest: bytes) -> bool:
        if digest in self._seen:
            return self._seen[digest]
        self.sweep.beat()
        try:
            node = load_node(self.sweep.reader, digest)
        except (DataCorruption, TreeObjectMissing, CorruptTree):
            self.sweep.unreadable.add(digest)
            found = False
        else:
            below = [child for child in node.children if self.sweep.may_hold(child)]
            # A sum and not any(), which would leave the rest unchecked.
            found = sum(self._chunk(child) if node.level == 1 else self._node(child.digest) for child in below) > 0
        self._seen[digest] = found
        return found

    def _chunk(self, child: Child) -> bool:
        if child.digest not in self._seen:
            self._seen[child.digest] = self._look_into(child.digest)
        return self._seen[child.digest]

    def _look_into(self, digest: bytes) -> bool:
        try:
            chunk = self._codec.decode(self.sweep.reader.load(digest).body)
        except (DataCorruption, TreeObjectMissing, CorruptTree):
            self.sweep.unreadable.add(digest)
            return False
        spared = self.sweep.spared
        self.is_readable = self.is_readable or any(
            is_erased(chunk[index], spared) for index, name in enumerate(chunk.ids) if name in spared
        )
        return any(tombstone.id in spared for tombstone in chunk.erased)
