import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.tree.boundary import Shape
from datasets.tree.builder import Delete, Upsert, build
from datasets.tree.chunk import ChunkCodec
from datasets.tree.digests import EMPTY_ROOT
from datasets.tree.merge import merge
from datasets.tree.reader import chunk_digests, find, iterate_records
from datasets.tree.store import MemoryTreeStore, ObjectKind

from .trees import KEY, SMALL, built, edited, erased_from, record

TINY = Shape(chunk_target=100, chunk_min=1, chunk_max=300, node_target=2, node_min=2, node_max=4)
shapes = st.sampled_from([SMALL, TINY])


def merged_simply(base, ours, theirs, resolve):
    """The three-way merge of dictionaries, the simple way."""
    result = {}
    for record_id in base.keys() | ours.keys() | theirs.keys():
        old, mine, other = (side.get(record_id) for side in (base, ours, theirs))
        if other in (mine, old):
            chosen = mine
        elif mine == old:
            chosen = other
        else:
            chosen = resolve(record_id, old, mine, other)
        if chosen is not None:
            result[record_id] = chosen
    return result


def theirs_wins(collision):
    return collision.theirs


def refuse(collision):
    raise AssertionError(f"{collision.id} collides")


def three(random_, shape):
    """A base and two states that grew from it, with their trees in one store."""
    base = {each.id: each for each in map(record, random_.sample(range(300), random_.choice([0, 3, 100, 250])))}
    ours, theirs = edited(random_, base, 1), edited(random_, base, 2)
    if random_.random() < 0.3:  # the same change on both sides
        shared = edited(random_, base, 3)
        ours, theirs = edited(random_, shared, 1), edited(random_, shared, 2)
    store = MemoryTreeStore()
    return (
        store,
        (base, ours, theirs),
        [built(each.values(), store=store, shape=shape)[1] for each in (base, ours, theirs)],
    )


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), shapes)
def test_the_merged_tree_is_that_of_the_merged_records(seed, shape):
    store, models, trees = three(random.Random(seed), shape)
    told = []
    result = merge(store, *(each.root for each in trees), KEY, resolve=theirs_wins, on_chunk=told.append, shape=shape)
    collided = []

    def resolve(record_id, _old, _mine, other):
        collided.append(record_id)
        return other

    wanted = merged_simply(*models, resolve)
    _, rebuilt = built(wanted.values(), shape=shape)
    assert result.tree.root == rebuilt.root
    assert (result.tree.count, result.tree.canonical_bytes, result.tree.chunks) == (
        rebuilt.count, rebuilt.canonical_bytes, rebuilt.chunks,
    )  # fmt: skip
    assert list(iterate_records(store, result.tree.root)) == sorted(wanted.values())
    assert (result.collisions, result.merged, result.erased) == (len(collided), 0, 0)
    ours, theirs, after = (set(chunk_digests(store, root)) for root in (trees[1].root, trees[2].root, result.tree.root))
    assert result.tree.new_chunks == after - ours
    assert result.tree.dropped_chunks == ours - after
    assert result.taken_chunks == (after - ours) & theirs
    assert {chunk.digest for chunk in told} == after - ours - theirs


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), shapes)
def test_merging_what_has_not_changed_or_is_merged_changes_nothing(seed, shape):
    store, _, (base, ours, theirs) = three(random.Random(seed), shape)
    assert merge(store, base.root, ours.root, base.root, KEY, resolve=refuse, shape=shape).tree.root == ours.root
    assert merge(store, base.root, base.root, ours.root, KEY, resolve=refuse, shape=shape).tree.root == ours.root
    assert merge(store, base.root, ours.root, ours.root, KEY, resolve=refuse, shape=shape).tree.root == ours.root
    once = merge(store, base.root, ours.root, theirs.root, KEY, resolve=theirs_wins, shape=shape).tree.root
    again = merge(store, theirs.root, once, theirs.root, KEY, resolve=refuse, shape=shape)
    assert (again.tree.root, again.tree.new_chunks) == (once, frozenset())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), shapes)
def test_both_see_the_same_collisions(seed, shape):
    store, _, (base, ours, theirs) = three(random.Random(seed), shape)
    seen, mirrored = [], []

    def keep(collisions, pick):
        def resolve(collision):
            collisions.append((collision.id, collision.base and collision.base.canonical))
            return pick(collision)

        return resolve

    left = merge(store, base.root, ours.root, theirs.root, KEY, resolve=keep(seen, theirs_wins), shape=shape)
    right = merge(
        store, base.root, theirs.root, ours.root, KEY, resolve=keep(mirrored, lambda each: each.ours), shape=shape
    )
    assert seen == mirrored
    assert left.tree.root == right.tree.root


def test_collisions_are_answered_with_a_record_or_nothing():
    store, base = built(map(record, range(300)))
    change = [5, 50, 100, 150, 200]
    ours = build(store, base.root, [Upsert(record(n, 1)) for n in change], KEY, shape=SMALL)
    theirs = build(
        store, base.root, [*(Upsert(record(n, 2)) for n in change[:4]), Delete(record(200).id)], KEY, shape=SMALL
    )
    answers = iter([record(5, 3), None, Delete(record(100).id), Upsert(record(150, 4), b"found"), record(200, 1)])
    told = []
    result = merge(
        store,
        base.root,
        ours.root,
        theirs.root,
        KEY,
        resolve=lambda _: next(answers),
        on_chunk=told.append,
        shape=SMALL,
    )
    assert (result.collisions, result.merged) == (5, 2)
    assert (result.tree.replaced, result.tree.removed) == (2, 2)
    assert find(store, result.tree.root, "r000005") == record(5, 3)
    assert find(store, result.tree.root, "r000050") is find(store, result.tree.root, "r000100") is None
    assert find(store, result.tree.root, "r000200") == record(200, 1)
    with_findings = {
        each.id: (origin, findings)
        for chunk in told
        for each, origin, findings in zip(chunk.records, chunk.origins, chunk.findings, strict=True)
        if origin is None or findings is not None
    }
    assert with_findings == {"r000005": (None, None), "r000150": (None, b"found")}


def test_an_answer_for_another_record_is_a_mistake_of_the_caller():
    store, base = built(map(record, range(50)))
    ours, theirs = (build(store, base.root, [Upsert(record(5, each))], KEY, shape=SMALL) for each in (1, 2))
    with pytest.raises(ValueError, match="its id"):
        merge(store, base.root, ours.root, theirs.root, KEY, resolve=lambda _: record(6), shape=SMALL)


def test_what_resolve_raises_stops_the_merge():
    class Conflict(Exception):
        pass

    def resolve(_):
        raise Conflict

    store, base = built(map(record, range(50)))
    ours, theirs = (build(store, base.root, [Upsert(record(5, each))], KEY, shape=SMALL) for each in (1, 2))
    with pytest.raises(Conflict):
        merge(store, base.root, ours.root, theirs.root, KEY, resolve=resolve, shape=SMALL)


def test_the_same_change_on_both_sides_keeps_our_nonce():
    store, base = built(map(record, range(50)))
    mine, other = record(5, 1), record(5, 1)._replace(nonce=bytes(16))
    ours, theirs = (build(store, base.root, [Upsert(each)], KEY, shape=SMALL) for each in (mine, other))
    result = merge(store, base.root, ours.root, theirs.root, KEY, resolve=refuse, shape=SMALL)
    assert find(store, result.tree.root, "r000005") == mine


def test_chunks_changed_on_one_side_are_taken_over_unread():
    store, base = built(map(record, range(20_000)))
    ours = build(store, base.root, [Upsert(record(n, 1)) for n in range(100, 20_000, 1_000)], KEY, shape=SMALL)
    theirs = build(store, base.root, [Upsert(record(n, 2)) for n in range(600, 20_000, 1_000)], KEY, shape=SMALL)
    bodies = []

    class Sidecars(MemoryTreeStore):
        def load_sidecars(self, digests):
            return (self.objects[digest].sidecar for digest in digests)

        def load(self, digest):
            if self.objects[digest].kind is ObjectKind.CHUNK:
                bodies.append(digest)
            return super().load(digest)

    watched = Sidecars()
    watched.objects = store.objects
    result = merge(watched, base.root, ours.root, theirs.root, KEY, resolve=refuse, shape=SMALL)
    assert bodies == []
    assert len(result.taken_chunks) >= 20
    assert result.tree.new_chunks == result.taken_chunks
    assert len(watched.loaded) < 2 * 3 * 20 * 8 < base.chunks


def test_records_from_theirs_are_told_with_their_chunk():
    store, base = built(map(record, range(300)))
    ours = build(store, base.root, [Upsert(record(111, 1))], KEY, shape=SMALL)
    theirs = build(store, base.root, [Upsert(record(112, 2))], KEY, shape=SMALL)
    told = []
    merge(store, base.root, ours.root, theirs.root, KEY, resolve=refuse, on_chunk=told.append, shape=SMALL)
    homes = {
        each.id: digest
        for digest in chunk_digests(store, theirs.root)
        for each in ChunkCodec().decode(store.objects[digest].body)
    }
    origins = {each.id: origin for chunk in told for each, origin in zip(chunk.records, chunk.origins, strict=True)}
    assert origins["r000112"] == homes["r000112"]
    assert None not in origins.values()


@pytest.mark.parametrize("erased_in", ["base", "ours", "theirs"])
@pytest.mark.parametrize("changed_in", ["ours", "theirs", "both"])
def test_what_is_erased_in_one_tree_does_not_come_back(erased_in, changed_in):
    """Another tree that still has the record, changed its neighbour or the record itself: none of it brings it back."""
    kept, gone = record(100), record(101)
    base_store, base = built(map(record, range(300)))
    store, roots = base_store, {"base": base.root, "ours": base.root, "theirs": base.root}
    for number, side in enumerate(("ours", "theirs"), start=1):
        if changed_in in (side, "both"):
            changes = [Upsert(record(100, number if changed_in != "both" else 1)), Upsert(record(101, number + 4))]
            roots[side] = build(store, roots[side], changes, KEY, shape=SMALL).root
    erased_from(store, roots[erased_in], {gone.id})
    result = merge(store, roots["base"], roots["ours"], roots["theirs"], KEY, resolve=theirs_wins, shape=SMALL)
    live = {each.id for each in iterate_records(store, result.tree.root)}
    assert gone.id not in live
    assert kept.id in live
    assert result.erased <= 1


def test_every_tree_may_be_empty():
    store, some = built(map(record, range(100)))
    _, more = built(map(record, range(100, 200)), store=store)
    both = merge(store, EMPTY_ROOT, some.root, more.root, KEY, resolve=refuse, shape=SMALL)
    assert both.tree.root == built(map(record, range(200)))[1].root
    assert merge(store, some.root, EMPTY_ROOT, some.root, KEY, resolve=refuse, shape=SMALL).tree.root == EMPTY_ROOT
    assert merge(store, EMPTY_ROOT, EMPTY_ROOT, some.root, KEY, resolve=refuse, shape=SMALL).tree.root == some.root
    gone = merge(store, some.root, EMPTY_ROOT, more.root, KEY, resolve=refuse, shape=SMALL)
    assert gone.tree.root == more.root
