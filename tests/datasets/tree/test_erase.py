import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.errors import CorruptTree
from datasets.tree import reader
from datasets.tree.boundary import STANDARD
from datasets.tree.builder import Upsert, build
from datasets.tree.chunk import ChunkCodec, ChunkSidecar, Tombstone, verify_chunk
from datasets.tree.digests import chunk_digest
from datasets.tree.erase import erase_records
from datasets.tree.store import ObjectKind, StoredObject

from .trees import KEY, SMALL, built, erased_from, record

RECORDS = [record(number) for number in range(40)]


def stored(records):
    """The records as the one chunk a store keeps of them, and its digest."""
    store, _ = built(records, shape=STANDARD)
    (item,) = (each for each in store.objects.values() if each.kind is ObjectKind.CHUNK)
    return StoredObject(item.kind, item.body, item.sidecar), item.digest


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, 39), max_size=40), st.sets(st.integers(0, 39), max_size=40))
def test_erased_records_leave_id_leaf_and_size_and_the_digest_as_it_was(first, second):
    chunk, digest = stored(RECORDS)
    for numbers in (first, second):
        chunk = erase_records(chunk, {record(number).id for number in numbers})
    decoded = ChunkCodec().decode(chunk.body)
    gone = first | second
    assert list(decoded) == [each for number, each in enumerate(RECORDS) if number not in gone]
    assert decoded.erased == [
        Tombstone(each.id, each.leaf, len(each.canonical)) for number, each in enumerate(RECORDS) if number in gone
    ]
    assert decoded.leaves() == [each.leaf for each in RECORDS]
    assert (len(decoded), decoded.leaf_count) == (40 - len(gone), 40)
    verify_chunk(decoded, digest)
    sidecar = ChunkSidecar.decode(chunk.sidecar)
    assert sidecar.sizes == tuple(len(each.canonical) for each in RECORDS)
    assert sidecar.has_erased is bool(gone)


def test_nothing_of_an_erased_record_stays():
    secret = record(7)._replace(canonical=b'{"data":{"t":"Xq9secret"},"id":"r000007","metadata":{}}')
    chunk, _ = stored([*RECORDS[:7], secret, *RECORDS[8:]])
    after = erase_records(chunk, {"r000007"})
    codec = ChunkCodec()
    decoded = codec.decode(after.body)
    whole = after.body + after.sidecar + b"".join(decoded.lines) + decoded.nonces + decoded.content_keys
    assert secret.leaf in whole
    for part in (b"Xq9secret", secret.nonce, secret.content_key):
        assert part not in whole


def test_ids_a_chunk_does_not_have_change_nothing():
    chunk, _ = stored(RECORDS)
    assert erase_records(chunk, {"nobody"}) is chunk
    once = erase_records(chunk, {"r000003"})
    assert erase_records(once, {"r000003"}) is once


def test_only_chunks_with_their_own_sidecar_are_erased_from():
    chunk, _ = stored(RECORDS)
    other, _ = stored(RECORDS[1:])
    with pytest.raises(CorruptTree):
        erase_records(StoredObject(chunk.kind, chunk.body, other.sidecar), {"r000003"})
    with pytest.raises(ValueError, match="chunks"):
        erase_records(StoredObject(ObjectKind.NODE, chunk.body, chunk.sidecar), {"r000003"})


def test_readers_pass_over_erased_records_and_other_proofs_hold():
    records = [record(number) for number in range(300)]
    store, tree = built(records)
    proofs = {each.id: reader.prove(store, tree.root, each.id) for each in records}
    edges = {each for child in reader.iterate_chunk_children(store, tree.root) for each in child[4:]}
    gone = {record(number).id for number in range(0, 300, 7)} | edges
    first = next(reader.iterate_chunk_children(store, tree.root))
    gone |= {each.id for each in records if each.id <= first.last_id}  # a whole chunk
    erased_from(store, tree.root, gone)
    assert list(reader.iterate_records(store, tree.root)) == [each for each in records if each.id not in gone]
    assert reader.count(store, tree.root) == 300
    for each in records:
        if each.id in gone:
            assert reader.find(store, tree.root, each.id) is None
            assert reader.locate(store, tree.root, each.id) is None
            assert reader.prove(store, tree.root, each.id) is None
        else:
            assert reader.find(store, tree.root, each.id) == each
            assert reader.prove(store, tree.root, each.id) == proofs[each.id]
        reader.verify_proof(tree.root, each.leaf, proofs[each.id])


def test_a_build_that_rewrites_a_chunk_drops_its_tombstones_and_leaves_other_chunks_alone():
    store, tree = built(map(record, range(300)))
    child, chunk = next(pair for pair in reader.iterate_chunks(store, tree.root, "r000100") if len(pair[1]) > 3)
    numbers = [int(each[1:]) for each in chunk.ids[:3]]
    gone = {*chunk.ids[1:3], "r000290"}
    erased_from(store, tree.root, gone)
    told = []
    after = build(store, tree.root, [Upsert(record(numbers[0], 1))], KEY, shape=SMALL, on_chunk=told.append)
    assert child.digest in after.dropped_chunks
    left = [each.id for _, chunk in reader.iterate_chunks(store, after.root) for each in chunk.erased]
    assert left == ["r000290"]
    assert not {each.id for chunk in told for each in chunk.records} & gone
    every = build(store, tree.root, [Upsert(record(n)) for n in range(0, 300, 2)], KEY, shape=SMALL, replace=True)
    assert every.root == built(map(record, range(0, 300, 2)))[1].root


def test_a_chunk_of_tombstones_alone_is_read_and_rewritten_to_nothing():
    store, tree = built(map(record, range(10)))
    erased_from(store, tree.root, {record(number).id for number in range(10)})
    assert list(reader.iterate_records(store, tree.root)) == []
    after = build(store, tree.root, [Upsert(record(20))], KEY, shape=SMALL)
    assert [each.id for each in reader.iterate_records(store, after.root)] == ["r000020"]


@pytest.mark.parametrize("place", range(12, 16))
def test_a_changed_number_of_tombstones_is_refused(place):
    chunk, _ = stored(RECORDS)
    body = bytearray(erase_records(chunk, {"r000003"}).body)
    body[place] ^= 2
    with pytest.raises(CorruptTree):
        ChunkCodec().decode(bytes(body))


@pytest.mark.parametrize("size", [28 + 32 * 39 + 5, 28 + 32 * 39 + 37, 28 + 32 * 39 + 37 + 7])
def test_tombstones_cut_off_are_refused(size):
    chunk, _ = stored(RECORDS)
    body = erase_records(chunk, {"r000003"}).body
    with pytest.raises(CorruptTree):
        ChunkCodec().decode(body[:size])


def test_tombstones_out_of_order_or_twice_are_found():
    codec = ChunkCodec()
    a, b = (Tombstone(each.id, each.leaf, 1) for each in RECORDS[1:3])
    kept = [RECORDS[0], RECORDS[3]]
    digest = chunk_digest([each.leaf for each in RECORDS[:4]])
    verify_chunk(codec.decode(codec.encode(kept, [a, b])), digest)
    twice = Tombstone(RECORDS[0].id, RECORDS[0].leaf, 1)
    for erased in ([b, a], [a, a], [twice, a]):
        with pytest.raises(CorruptTree):
            verify_chunk(codec.decode(codec.encode(kept, erased)), digest)


def test_a_tombstone_whose_id_is_not_ascii_is_refused():
    codec = ChunkCodec()
    body = codec.encode(RECORDS[:3], [Tombstone("zz", bytes(32), 1)])
    with pytest.raises(CorruptTree):
        codec.decode(body.replace(b"zz", b"z\xff"))
