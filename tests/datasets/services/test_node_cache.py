"""Opened nodes in memory."""

from uuid import uuid4

from datasets.services.node_cache import NodeCache
from datasets.tree.store import ObjectKind, StoredObject


def node(text=b"n"):
    return StoredObject(ObjectKind.NODE, text, b"")


def test_nodes_are_kept_by_dataset_the_last_used_longest():
    cache, one, other = NodeCache(size=2), uuid4(), uuid4()
    cache.keep(one, b"a", node(b"a"))
    cache.keep(one, b"b", node(b"b"))
    assert cache.get(one, b"a") == node(b"a")
    assert cache.get(other, b"a") is None
    cache.keep(one, b"c", node(b"c"))
    assert cache.get(one, b"b") is None
    assert (cache.get(one, b"a"), cache.get(one, b"c")) == (node(b"a"), node(b"c"))
    cache.clear()
    assert cache.get(one, b"a") is None


def test_chunks_are_not_kept():
    cache, dataset = NodeCache(), uuid4()
    cache.keep(dataset, b"a", StoredObject(ObjectKind.CHUNK, b"records", b""))
    assert cache.get(dataset, b"a") is None
