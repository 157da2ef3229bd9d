"""Erase records from a stored chunk: their bytes go, a tombstone keeps the digest."""

from collections.abc import Collection
from dataclasses import replace

from datasets.errors import CorruptTree
from datasets.tree.chunk import ChunkCodec, ChunkSidecar, Tombstone
from datasets.tree.statistics import describe_records
from datasets.tree.store import ObjectKind, StoredObject


def erase_records(stored: StoredObject, ids: Collection[str]) -> StoredObject:
    """The chunk with the records of these ids replaced by tombstones, to be kept under the same digest.

    Nothing of an erased record stays but its id, leaf digest and size; the sidecar's statistics are those of the
    records that stay. Ids the chunk does not have, or has erased before, change nothing; where that is all of them
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
    statistics = describe_records(kept) if before.statistics else b""
    sidecar = replace(before, statistics=statistics, has_erased=True)
    return StoredObject(stored.kind, codec.encode(kept, sorted([*chunk.erased, *new])), sidecar.encode())
