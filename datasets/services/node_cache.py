"""Opened nodes of record trees, kept in memory: every point read passes the same few near the root."""

from collections import OrderedDict
from threading import Lock
from typing import Final
from uuid import UUID

from datasets.tree.store import ObjectKind, StoredObject

#: About 20 kB each; at most 300 kB.
_KEPT: Final = 128


class NodeCache:
    """The nodes last used, by dataset and digest.

    Nodes hold ids, sizes and digests, no data, and never change: not by erasure, re-sealing or compaction. Chunks are
    not kept. Who reads needs the dataset's keys still, for the chunk below.
    """

    def __init__(self, size: int = _KEPT) -> None:
        self._size = size
        self._nodes: OrderedDict[tuple[UUID, bytes], StoredObject] = OrderedDict()
        self._lock = Lock()

    def get(self, dataset_id: UUID, digest: bytes) -> StoredObject | None:
        with self._lock:
            found = self._nodes.get((dataset_id, digest))
            if found is not None:
                self._nodes.move_to_end((dataset_id, digest))
            return found

    def keep(self, dataset_id: UUID, digest: bytes, stored: StoredObject) -> None:
        if stored.kind is not ObjectKind.NODE:
            return
        with self._lock:
            self._nodes[(dataset_id, digest)] = stored
            while len(self._nodes) > self._size:
                self._nodes.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._nodes.clear()


#: Those of this process.
NODES: Final = NodeCache()
