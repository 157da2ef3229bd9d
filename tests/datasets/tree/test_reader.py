from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.errors import CorruptTree, InvalidProof, TreeObjectMissing
from datasets.tree import reader
from datasets.tree.digests import EMPTY_ROOT
from datasets.tree.node import decode_node
from datasets.tree.reader import InclusionProof, find, iterate_chunks, iterate_records, prove, verify_proof
from datasets.tree.store import ObjectKind

from .trees import built, record

RECORDS = [record(number) for number in range(0, 1200, 2)]
STORE, TREE = built(RECORDS)


def test_a_tree_of_several_levels_is_read_in_order():
    levels = {item.body[5] for item in STORE.objects.values() if item.kind is ObjectKind.NODE}
    assert max(levels) >= 3
    assert list(iterate_records(STORE, TREE.root)) == RECORDS
    assert reader.count(STORE, TREE.root) == len(RECORDS) == TREE.count
    assert len(list(reader.chunk_digests(STORE, TREE.root))) == TREE.chunks


@settings(max_examples=60, deadline=None)
@given(st.integers(-1, 1201))
def test_reading_begins_after_any_id(number):
    after = f"r{number:06d}" if number >= 0 else "a"
    expected = [each for each in RECORDS if each.id > after]
    assert list(iterate_records(STORE, TREE.root, after)) == expected
    if expected:
        _, chunk = next(iterate_chunks(STORE, TREE.root, after))
        assert chunk[chunk.after(after)] == expected[0]


def test_reading_from_the_middle_loads_only_the_path():
    STORE.loaded.clear()
    next(iterate_chunks(STORE, TREE.root, "r000600", read_ahead=1))
    assert len(STORE.loaded) <= 6


@pytest.mark.parametrize("number", [0, 2, 600, 1198])
def test_a_record_is_found_by_id_at_one_load_a_level(number):
    STORE.loaded.clear()
    assert find(STORE, TREE.root, f"r{number:06d}") == record(number)
    assert len(STORE.loaded) <= 6


@pytest.mark.parametrize("record_id", ["a", "r000001", "r000601", "r001199", "z", "r0000020"])
def test_ids_that_are_not_there_are_not_found(record_id):
    assert find(STORE, TREE.root, record_id) is None
    assert prove(STORE, TREE.root, record_id) is None


def test_the_empty_tree_reads_as_nothing():
    store, _ = built([])
    assert list(iterate_records(store, EMPTY_ROOT)) == []
    assert reader.count(store, EMPTY_ROOT) == 0
    assert find(store, EMPTY_ROOT, "a") is None
    assert prove(store, EMPTY_ROOT, "a") is None


def test_every_record_is_proven_to_belong_to_the_root():
    for each in RECORDS[::7]:
        proof = prove(STORE, TREE.root, each.id)
        verify_proof(TREE.root, each.leaf, proof)
        with pytest.raises(InvalidProof):
            verify_proof(TREE.root, record(1).leaf, proof)


def forged(proof):
    """The proof with one thing changed at a time."""
    steps = proof.steps
    for at, step in enumerate(steps):
        others = [
            replace(step, index=step.index ^ 1),
            replace(step, index=-1),
            replace(step, size=0),
            replace(step, path=step.path[:-1]),
            replace(step, path=(*step.path, bytes(32))),
            replace(step, path=(bytes(32), *step.path[1:])),
            replace(step, path=(b"", *step.path[1:])),
        ]
        if at < len(steps) - 1:
            others += [replace(step, count=step.count + 1), replace(step, count=-1), replace(step, count=1 << 64)]
        if at == 0:
            others.append(replace(step, size=step.size + 1, count=step.size + 1))
        for other in others:
            yield InclusionProof((*steps[:at], other, *steps[at + 1 :]))
        yield InclusionProof((*steps[:at], *steps[at + 1 :]))
    yield InclusionProof((*steps, steps[-1]))
    yield InclusionProof(())


def test_forged_proofs_are_refused():
    # A record with sibling hashes on every level, so that each of them can be forged.
    each = next(each for each in RECORDS if all(step.path for step in prove(STORE, TREE.root, each.id).steps))
    proof = prove(STORE, TREE.root, each.id)
    for other in forged(proof):
        with pytest.raises(InvalidProof):
            verify_proof(TREE.root, each.leaf, other)
    for root in (bytes(32), TREE.root[:-1], EMPTY_ROOT):
        with pytest.raises(InvalidProof):
            verify_proof(root, each.leaf, proof)


def test_a_node_is_not_taken_for_a_record():
    """The leaf of a node's entry proves nothing: a chunk's digest is not that of a node."""
    proof = prove(STORE, TREE.root, RECORDS[0].id)
    stored = STORE.objects[TREE.root]
    child = decode_node(stored.body, stored.sidecar, TREE.root).children[0]
    with pytest.raises(InvalidProof):
        verify_proof(TREE.root, child.digest, InclusionProof(proof.steps[-1:]))
    with pytest.raises(InvalidProof):
        verify_proof(TREE.root, child.digest, InclusionProof(proof.steps[-2:]))


def test_missing_and_swapped_objects_are_found():
    store, tree = built(RECORDS)
    first, second, *_ = reader.chunk_digests(store, tree.root)
    store.objects[first], kept = store.objects[second], store.objects[first]
    with pytest.raises(CorruptTree):
        list(iterate_records(store, tree.root))
    with pytest.raises(CorruptTree):
        find(store, tree.root, RECORDS[0].id)
    del store.objects[first]
    with pytest.raises(TreeObjectMissing):
        list(iterate_records(store, tree.root))
    store.objects[first] = kept
    node = next(item for item in store.objects.values() if item.kind is ObjectKind.NODE and item.digest != tree.root)
    store.objects[node.digest] = store.objects[tree.root]
    with pytest.raises(CorruptTree):
        list(iterate_records(store, tree.root))


def test_a_node_that_claims_another_level_is_found():
    store, tree = built(RECORDS)
    below = next(item for item in store.objects.values() if item.kind is ObjectKind.NODE and item.body[5] == 1)
    store.objects[below.digest] = replace(below, body=below.body[:5] + b"\x02" + below.body[6:])
    with pytest.raises(CorruptTree):
        list(iterate_records(store, tree.root))
