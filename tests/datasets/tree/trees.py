"""Records and small trees for the tests of the record tree."""

import hashlib
from dataclasses import replace

from datasets.tree.boundary import Shape
from datasets.tree.builder import Upsert, build
from datasets.tree.erase import erase_records
from datasets.tree.reader import chunk_digests
from datasets.tree.record import TreeRecord, canonical_record
from datasets.tree.store import MemoryTreeStore, StoredObject
from vaultsite.kernel.crypto.keys import SecretKey

KEY = SecretKey(b"boundary key of a test dataset..")
#: Small enough that a few hundred short records make trees of several levels.
SMALL = Shape(chunk_target=600, chunk_min=200, chunk_max=1500, node_target=6, node_min=2, node_max=12)


def record(number, revision=0, *, size=60):
    """A record whose every byte follows from its number and revision."""
    record_id = f"r{number:06d}"
    seed = hashlib.sha256(f"{number}/{revision}".encode()).digest()
    data = {"n": number, "revision": revision, "text": "x" * (seed[0] * size // 128)}
    canonical = canonical_record(record_id, data, {})
    return TreeRecord(record_id, seed[:16], hashlib.sha256(canonical).digest()[:16], canonical)


def built(records, *, store=None, parent=None, shape=SMALL, **options):
    """The tree of these records (any order) over nothing or a parent, and its store."""
    store = MemoryTreeStore() if store is None else store
    changes = [Upsert(each) for each in sorted(records)]
    return store, build(store, parent, changes, KEY, shape=shape, **options)


def edited(random_, model, revision):
    """Another state of the records: some changed, removed and added, in one stretch or all over."""
    where = random_.choice([range(310), range(40), range(250, 310)])
    result = dict(model)
    for number in random_.choices(where, k=random_.choice([0, 1, 2, 15, 150])):
        made = record(number, revision)
        if random_.random() < 0.3:
            result.pop(made.id, None)
        else:
            result[made.id] = made
    return result


def erased_from(store, root, ids):
    """Erase records from every chunk of a tree, as an erasure does: in place, under the same digests."""
    for digest in list(chunk_digests(store, root)):
        item = store.objects[digest]
        after = erase_records(StoredObject(item.kind, item.body, item.sidecar), ids)
        store.objects[digest] = replace(item, body=after.body, sidecar=after.sidecar)


def hexed(record):
    """A record as the vectors spell it."""
    return {
        "id": record.id,
        "nonce": record.nonce.hex(),
        "content_key": record.content_key.hex(),
        "canonical": record.canonical.decode(),
    }
