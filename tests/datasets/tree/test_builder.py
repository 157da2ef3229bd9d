import random
import threading
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.tree.boundary import STANDARD, Shape
from datasets.tree.builder import Delete, Upsert, build
from datasets.tree.chunk import ChunkCodec, ChunkSidecar, verify_chunk
from datasets.tree.digests import EMPTY_ROOT
from datasets.tree.node import decode_node
from datasets.tree.reader import chunk_digests, iterate_chunk_children, iterate_records
from datasets.tree.store import MemoryTreeStore, ObjectKind

from .trees import KEY, SMALL, built, record

shapes = st.sampled_from(
    [
        SMALL,
        Shape(chunk_target=100, chunk_min=1, chunk_max=300, node_target=2, node_min=2, node_max=4),
        Shape(chunk_target=2000, chunk_min=1000, chunk_max=4000, node_target=3, node_min=2, node_max=5),
    ]
)


def applied(records, changes):
    """What the changes make of the records, the simple way."""
    result = dict(records)
    for change in changes:
        if isinstance(change, Delete):
            result.pop(change.id, None)
        else:
            result[change.record.id] = change.record
    return result


def sorted_changes(random_, numbers, revision):
    return [
        Upsert(record(number, revision)) if random_.random() < 0.6 else Delete(f"r{number:06d}")
        for number in sorted(set(numbers))
    ]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), shapes)
def test_an_increment_ends_in_the_root_of_a_rebuild(seed, shape):
    random_ = random.Random(seed)
    records = {each.id: each for each in map(record, random_.sample(range(400), random_.choice([0, 1, 30, 300])))}
    store, result = built(records.values(), shape=shape)
    for revision in range(1, 6):
        where = random_.choice([range(410), range(30), range(380, 410), range(100, 300)])
        changes = sorted_changes(random_, random_.choices(where, k=random_.choice([0, 1, 2, 20, 200])), revision)
        records = applied(records, changes)
        parent, result = result, build(store, result.root, changes, KEY, shape=shape)
        _, rebuilt = built(records.values(), shape=shape)
        assert result.root == rebuilt.root
        assert (result.count, result.canonical_bytes, result.chunks) == (
            len(records), sum(len(each.canonical) for each in records.values()), rebuilt.chunks,
        )  # fmt: skip
        assert list(iterate_records(store, result.root)) == sorted(records.values())
        before, after = set(chunk_digests(store, parent.root)), set(chunk_digests(store, result.root))
        assert (result.new_chunks, result.dropped_chunks) == (after - before, before - after)
        assert result.reused_chunks == len(after & before)


def test_the_order_of_changes_in_time_leaves_no_trace():
    records = [record(number) for number in range(300)]
    _, whole = built(records)
    random.Random(7).shuffle(records)
    store, root = MemoryTreeStore(), None
    for start in range(0, 300, 37):
        _, result = built(records[start : start + 37], store=store, parent=root)
        root = result.root
    assert root == whole.root


def test_the_same_records_give_the_same_objects_byte_for_byte():
    first, _ = built(map(record, range(300)))
    second, _ = built(map(record, range(300)))
    assert first.objects == second.objects


def test_another_boundary_key_cuts_elsewhere():
    from vaultsite.kernel.crypto.keys import SecretKey

    changes = [Upsert(record(number)) for number in range(300)]
    other = build(MemoryTreeStore(), None, changes, SecretKey(bytes(32)), shape=SMALL)
    assert other.root != built(map(record, range(300)))[1].root


def test_the_empty_tree_has_its_root_and_no_objects():
    store, result = built([])
    assert (result.root, result.count, result.chunks, store.objects) == (EMPTY_ROOT, 0, 0, {})
    store, full = built(map(record, range(100)))
    emptied = build(store, full.root, [Delete(record(number).id) for number in range(100)], KEY, shape=SMALL)
    assert (emptied.root, emptied.count, emptied.removed) == (EMPTY_ROOT, 0, 100)
    assert emptied.dropped_chunks == full.new_chunks
    assert build(store, EMPTY_ROOT, [Upsert(record(1))], KEY).root == build(store, None, [Upsert(record(1))], KEY).root


def test_a_single_record_makes_one_chunk_below_one_node():
    store, result = built([record(1)])
    assert (result.count, result.chunks) == (1, 1)
    assert [item.kind for item in store.objects.values()] == [ObjectKind.CHUNK, ObjectKind.NODE]


def test_without_changes_only_the_root_is_read_and_nothing_is_built():
    store, parent = built(map(record, range(300)))
    store.loaded.clear()
    again = build(store, parent.root, [], KEY, shape=SMALL)
    assert again.root == parent.root
    assert (store.loaded, again.new_chunks, again.dropped_chunks) == ([parent.root], frozenset(), frozenset())
    assert again.reused_chunks == parent.chunks == again.chunks


def test_changes_that_change_nothing_keep_record_nonce_and_root():
    store, parent = built(map(record, range(300)))
    renonced = [Upsert(record(number)._replace(nonce=bytes(16))) for number in (5, 250)]
    result = build(store, parent.root, [*renonced, Delete("nowhere")][:2], KEY, shape=SMALL)
    assert (result.root, result.added, result.replaced, result.removed) == (parent.root, 0, 0, 0)
    assert build(store, parent.root, [Delete("r000005x")], KEY, shape=SMALL).root == parent.root


def test_added_replaced_and_removed_records_are_counted():
    store, parent = built(map(record, range(100)))
    changes = [Upsert(record(3, 1)), Upsert(record(4)), Delete("r000005"), Upsert(record(100)), Upsert(record(101))]
    result = build(store, parent.root, changes, KEY, shape=SMALL)
    assert (result.added, result.replaced, result.removed, result.count) == (2, 1, 1, 101)


def test_one_edit_in_many_records_stores_one_or_two_chunks_and_their_path():
    store, parent = built(map(record, range(60_000)), shape=STANDARD)
    assert parent.chunks > 60
    store.loaded.clear()
    result = build(store, parent.root, [Upsert(record(30_000, 1))], KEY)
    assert 1 <= len(result.new_chunks) <= 2
    assert len(store.loaded) <= 6
    appended = build(store, parent.root, [Upsert(record(60_000))], KEY)
    assert len(appended.new_chunks) <= 2


def test_replace_drops_what_the_changes_do_not_name_and_shares_what_they_repeat():
    store, parent = built(map(record, range(300)))
    same = build(store, parent.root, [Upsert(record(number)) for number in range(300)], KEY, shape=SMALL, replace=True)
    assert (same.root, same.new_chunks, same.removed) == (parent.root, frozenset(), 0)
    kept = [record(number) for number in range(0, 300, 3)]
    fewer = build(store, parent.root, [Upsert(each) for each in kept], KEY, shape=SMALL, replace=True)
    assert fewer.root == built(kept)[1].root
    assert fewer.removed == 200
    assert build(store, parent.root, [], KEY, shape=SMALL, replace=True).root == EMPTY_ROOT


@pytest.mark.parametrize(
    "changes",
    [
        [Upsert(record(2)), Upsert(record(1))],
        [Upsert(record(1)), Upsert(record(1))],
        [Upsert(record(1)), Delete("r000001")],
        [Upsert(record(1)), Upsert(record(2)), Delete("r000001")],
    ],
)
@pytest.mark.parametrize("has_parent", [True, False])
def test_changes_out_of_order_are_a_mistake_of_the_caller(changes, has_parent):
    store, parent = built(map(record, range(50)))
    with pytest.raises(ValueError, match="ascend"):
        build(store, parent.root if has_parent else None, changes, KEY, shape=SMALL)


def test_every_chunk_built_is_told_with_the_origin_of_its_records():
    store, parent = built(map(record, range(300)))
    home = {
        each.id: child.digest
        for child in iterate_chunk_children(store, parent.root)
        for each in ChunkCodec().decode(store.objects[child.digest].body)
    }
    told = []
    changes = [Upsert(record(10, 1), b"found"), Delete("r000200"), Upsert(record(290), b"same"), Upsert(record(300))]
    result = build(store, parent.root, changes, KEY, shape=SMALL, on_chunk=told.append)
    assert result.new_chunks <= {chunk.digest for chunk in told}
    for chunk in told:
        assert chunk.digest in store.objects
        assert chunk.is_stored is (chunk.digest not in result.new_chunks)
        assert chunk.leaves == [each.leaf for each in chunk.records]
        for each, origin, findings in zip(chunk.records, chunk.origins, chunk.findings, strict=True):
            is_new = each.id in ("r000010", "r000300")
            assert origin == (None if is_new else home[each.id])
            assert findings == {"r000010": b"found", "r000290": b"same"}.get(each.id)
    told_ids = [each.id for chunk in told for each in chunk.records]
    assert told_ids == sorted(told_ids)
    assert {"r000010", "r000300"} <= set(told_ids)


def test_a_run_that_was_interrupted_stores_only_what_is_missing():
    store, whole = built(map(record, range(300)))
    missing = sorted(whole.new_chunks)[::3]
    for digest in [*missing, whole.root]:
        del store.objects[digest]
    told = []
    _, again = built(map(record, range(300)), store=store, on_chunk=told.append)
    assert again.root == whole.root
    assert {chunk.digest for chunk in told if not chunk.is_stored} == set(missing)
    assert {chunk.digest for chunk in told} == whole.new_chunks


def test_children_are_saved_before_their_parents():
    class Watched(MemoryTreeStore):
        def save(self, objects):
            for item in objects:
                if item.kind is ObjectKind.NODE:
                    node = decode_node(item.body, item.sidecar, item.digest)
                    assert all(child.digest in self.objects for child in node.children)
                super().save([item])

    _, result = built(map(record, range(1000)), store=Watched())
    assert result.chunks > 50


def test_what_is_stored_says_the_truth_about_itself():
    store, result = built(map(record, range(500)))
    for child in iterate_chunk_children(store, result.root):
        item = store.objects[child.digest]
        chunk = ChunkCodec().decode(item.body)
        verify_chunk(chunk, child.digest)
        sidecar = ChunkSidecar.decode(item.sidecar)
        assert (sidecar.first_id, sidecar.last_id) == (child.first_id, child.last_id) == (chunk.ids[0], chunk.ids[-1])
        assert sidecar.sizes == tuple(map(len, chunk.lines))
        assert item.canonical_size == sidecar.canonical_size == child.canonical_size == sum(sidecar.sizes)
        assert item.count == child.record_count == len(chunk)


def test_chunks_and_nodes_keep_to_their_sizes():
    store, result = built((record(number, size=2000) for number in range(20_000)), shape=STANDARD)
    sizes = [child.canonical_size for child in iterate_chunk_children(store, result.root)]
    longest = max(len(record(number, size=2000).canonical) for number in range(20_000))
    assert all(STANDARD.chunk_min <= size < STANDARD.chunk_max + longest for size in sizes[:-1])
    assert 60_000 < sum(sizes) / len(sizes) < 100_000
    widths = [item.body[8:12] for item in store.objects.values() if item.kind is ObjectKind.NODE]
    assert all(int.from_bytes(width, "big") <= STANDARD.node_max for width in widths)


def test_a_record_larger_than_a_chunk_ends_its_chunk():
    big = record(1)._replace(canonical=b'{"data":{"t":"%b"},"id":"r000001","metadata":{}}' % (b"x" * 400_000))
    store, result = built([record(0), big, record(2)], shape=STANDARD)
    assert [child.record_count for child in iterate_chunk_children(store, result.root)] == [2, 1]


def test_memory_does_not_grow_with_the_number_of_records():
    class Forgetful(MemoryTreeStore):
        def save(self, objects):
            pass

    def peak(count):
        tracemalloc.start()
        changes = (Upsert(record(number, size=2000)) for number in range(count))
        build(Forgetful(), None, changes, KEY, on_chunk=lambda _chunk: None)
        high = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return high

    small, large = peak(8_000), peak(24_000)
    assert large < small * 1.3


def test_a_build_that_fails_leaves_no_thread_behind():
    class Full(MemoryTreeStore):
        def save(self, _objects):
            raise OSError("no room")

    before = threading.active_count()
    with pytest.raises(OSError, match="no room"):
        build(Full(), None, [Upsert(record(1))], KEY)
    assert threading.active_count() == before
