"""Erase records from a stored chunk: their bytes go, a tombstone keeps the digest."""

from collections.abc import Collection

from datasets.errors import CorruptTree
from datasets.tree.chunk import ChunkCodec, ChunkSidecar, Tombstone
from datasets.tree.store import ObjectKind, StoredObject


def erase_records(stored: StoredObject, ids: Collection[str]) -> StoredObject:
    """The chunk with the records of these ids replaced by tombstones, to be kept under the same digest.

    Nothing of an erased record stays but its id, leaf digest and size. The sidecar's statistics, which may show its
    values, are dropped. Ids the chunk does not have, or has erased before, change nothing; where that is all of them
    the answer is ``stored`` itself. Raises CorruptTree, ValueError for a node.
    """
    if stored.kind is not ObjectKind.CHUNK:
        raise ValueError("only chunks hold records")
    codec = ChunkCodec()
    chunk = codec.decode(stored.body)
    gone = {record.id: record for record in chunk if record.id in ids}
    if not gone:
        return stored
    before = ChunkSidecar.decode(stored.sidecar)
    if len(before.sizes) != chunk.leaf_count:
        raise CorruptTree("A chunk's sidecar is that of another chunk")
    kept = [record for record in chunk if record.id not in gone]
    new = [Tombstone(record.id, record.leaf, len(record.canonical)) for record in gone.values()]
    sidecar = ChunkSidecar(before.first_id, before.last_id, before.canonical_size, before.sizes, has_erased=True)
    return StoredObject(stored.kind, codec.encode(kept, sorted([*chunk.erased, *new])), sidecar.encode())
