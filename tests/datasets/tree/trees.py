"""Records and small trees for the tests of the record tree."""

import hashlib

from datasets.tree.boundary import Shape
from datasets.tree.builder import Upsert, build
from datasets.tree.record import TreeRecord, canonical_record
from datasets.tree.store import MemoryTreeStore
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


def hexed(record):
    """A record as the vectors spell it."""
    return {
        "id": record.id,
        "nonce": record.nonce.hex(),
        "content_key": record.content_key.hex(),
        "canonical": record.canonical.decode(),
    }
