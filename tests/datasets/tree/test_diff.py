import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.errors import CorruptTree
from datasets.tree.boundary import Shape
from datasets.tree.builder import Delete, Upsert, build
from datasets.tree.diff import diff
from datasets.tree.digests import EMPTY_ROOT
from datasets.tree.reader import iterate_chunks
from datasets.tree.store import MemoryTreeStore

from .trees import KEY, SMALL, built, edited, erased_from, record

TINY = Shape(chunk_target=100, chunk_min=1, chunk_max=300, node_target=2, node_min=2, node_max=4)
shapes = st.sampled_from([SMALL, TINY])
OPPOSITE = {"added": "removed", "removed": "added", "modified": "modified", "erased": "erased"}


def said(changes):
    return [
        (each.kind, each.id, each.before and each.before.record, each.after and each.after.record) for each in changes
    ]


def expected(before, after):
    """The differences of two dictionaries, the simple way."""
    for record_id in sorted(before.keys() | after.keys()):
        old, new = before.get(record_id), after.get(record_id)
        if (old and old.canonical) != (new and new.canonical):
            yield ("added" if old is None else "removed" if new is None else "modified"), record_id, old, new


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32), shapes)
def test_the_difference_is_that_of_the_records(seed, shape):
    random_ = random.Random(seed)
    store, models, roots = MemoryTreeStore(), [], []
    for _ in range(2):
        model = {each.id: each for each in map(record, random_.sample(range(300), random_.choice([0, 1, 20, 250])))}
        for revision in range(random_.randrange(3)):
            model = edited(random_, model, revision + 1)
        models.append(model)
        roots.append(built(model.values(), store=store, shape=shape)[1].root)
    close = edited(random_, models[0], 9)
    for before, after in [(models[0], models[1]), (models[0], close), (close, models[0])]:
        first, second = (built(each.values(), store=store, shape=shape)[1].root for each in (before, after))
        wanted = list(expected(before, after))
        assert said(diff(store, first, second)) == wanted
        start = random_.choice([*before, *after, "a", "z"])
        assert said(diff(store, first, second, after_id=start)) == [each for each in wanted if each[1] > start]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), shapes)
def test_applied_to_the_one_tree_it_gives_the_other_and_it_is_symmetric(seed, shape):
    random_ = random.Random(seed)
    before = {each.id: each for each in map(record, random_.sample(range(300), 200))}
    after = edited(random_, before, 1)
    store, first = built(before.values(), shape=shape)
    _, second = built(after.values(), store=store, shape=shape)
    changes = list(diff(store, first.root, second.root))
    applied = [Upsert(each.after.record) if each.after else Delete(each.id) for each in changes]
    assert build(store, first.root, applied, KEY, shape=shape).root == second.root
    back = [(OPPOSITE[kind], record_id, new, old) for kind, record_id, old, new in said(changes)]
    assert said(diff(store, second.root, first.root)) == back
    assert list(diff(store, first.root, first.root)) == []


def test_places_are_where_findings_are():
    store, first = built(map(record, range(300)))
    second = build(store, first.root, [Upsert(record(77, 1)), Delete("r000200")], KEY, shape=SMALL)
    modified, removed = diff(store, first.root, second.root)
    for place, root in [(modified.before, first.root), (modified.after, second.root), (removed.before, first.root)]:
        chunks = {child.digest: chunk for child, chunk in iterate_chunks(store, root)}
        assert chunks[place.chunk_digest][place.index] == place.record
    assert removed.after is None


def test_a_nonce_alone_is_no_difference():
    store, first = built(map(record, range(300)))
    _, second = built([record(0)._replace(nonce=bytes(16)), *map(record, range(1, 300))], store=store)
    assert first.root != second.root
    assert list(diff(store, first.root, second.root)) == []


def test_only_what_differs_is_loaded():
    store, first = built(map(record, range(20_000)))
    second = build(store, first.root, [Upsert(record(n, 1)) for n in (5, 9_999, 19_990)], KEY, shape=SMALL)
    store.loaded.clear()
    assert len(list(diff(store, first.root, second.root))) == 3
    loaded = [store.objects[digest].kind for digest in store.loaded]
    height = len(store.loaded) // 6
    assert loaded.count("chunk") <= 3 * 2 * 2
    # Nodes are loaded ahead only where the trees differ: a path on either side for each change.
    assert loaded.count("node") <= 2 * 3 * 8 < first.chunks // 20
    assert height < 10
    store.loaded.clear()
    assert list(diff(store, first.root, first.root)) == []
    assert store.loaded == []


def test_trees_with_nothing_in_common_are_read_once_in_bounded_groups():
    """Ids alternate, so that no chunk of one tree ends where one of the other does."""
    store, even = built(map(record, range(0, 8_000, 2)))
    _, odd = built(map(record, range(1, 8_000, 2)), store=store)
    store.loaded.clear()
    changes = list(diff(store, even.root, odd.root))
    assert [each.kind for each in changes] == ["removed", "added"] * 4_000
    assert [each.id for each in changes] == [f"r{number:06d}" for number in range(8_000)]
    loads = len(store.loaded)
    assert loads < 1.25 * len(set(store.loaded))
    assert len(set(store.loaded)) == len(store.objects)


def test_an_erased_record_is_told_as_erased():
    store, first = built(map(record, range(300)))
    second = build(store, first.root, [Upsert(record(77, 1)), Delete("r000200")], KEY, shape=SMALL)
    erased_from(store, first.root, {"r000077", "r000200", "r000150"})
    told = said(diff(store, first.root, second.root))
    assert told == [("erased", "r000077", None, record(77, 1)), ("erased", "r000200", None, None)]
    erased_from(store, second.root, {"r000077"})
    assert [each[:2] for each in said(diff(store, second.root, first.root))] == [
        ("erased", "r000077"), ("erased", "r000200"),
    ]  # fmt: skip


def test_the_empty_tree_may_stand_on_either_side():
    store, tree = built(map(record, range(50)))
    assert [each.kind for each in diff(store, EMPTY_ROOT, tree.root)] == ["added"] * 50
    assert [each.kind for each in diff(store, tree.root, EMPTY_ROOT)] == ["removed"] * 50
    assert list(diff(store, EMPTY_ROOT, EMPTY_ROOT)) == []


def test_a_node_on_another_level_is_found():
    store, first = built(map(record, range(300)))
    second = build(store, first.root, [Upsert(record(5, 1))], KEY, shape=SMALL)
    for digest, item in list(store.objects.items()):
        if item.kind == "node" and item.body[5] == 1:
            store.objects[digest] = replace(item, body=item.body[:5] + b"\x02" + item.body[6:])
    with pytest.raises(CorruptTree):
        list(diff(store, first.root, second.root))
