from datasets.tree.builder import Upsert, build
from datasets.tree.reader import iterate_chunks
from datasets.tree.scan import scan
from datasets.tree.store import MemoryTreeStore, ObjectKind

from .trees import KEY, SMALL, built, erased_from, record


class Sidecars(MemoryTreeStore):
    """Tells sidecars read from chunks read."""

    def __init__(self):
        super().__init__()
        self.sidecars = []

    def load_sidecars(self, digests):
        self.sidecars += digests
        return (self.objects[digest].sidecar for digest in digests)


def test_chunks_that_are_ruled_out_are_not_loaded():
    store, tree = built(map(record, range(2_000)), store=Sidecars())
    store.loaded.clear()
    found = list(scan(store, tree.root, keep=lambda statistics: statistics.member("n").can_equal(1_234)))
    assert any(1_234 in [each.data["n"] for each in chunk] for _, chunk in found)
    assert len(found) == 1
    assert [store.objects[each].kind for each in store.loaded].count(ObjectKind.CHUNK) == 1
    assert len(store.sidecars) == tree.chunks


def test_without_a_question_or_statistics_everything_is_read():
    store, tree = built(map(record, range(300)))
    everything = list(iterate_chunks(store, tree.root))
    assert list(scan(store, tree.root, keep=None)) == everything
    assert list(scan(store, tree.root, keep=lambda _: True)) == everything
    assert list(scan(store, tree.root, keep=lambda _: False)) == []
    _, plain = built(map(record, range(300)), store=(other := MemoryTreeStore()), describe=None)
    assert plain.root == tree.root
    assert list(scan(other, tree.root, keep=lambda _: False)) == everything


def test_it_begins_after_an_id():
    store, tree = built(map(record, range(300)))
    assert list(scan(store, tree.root, keep=lambda _: True, after_id="r000100")) == list(
        iterate_chunks(store, tree.root, "r000100")
    )


def test_an_erased_value_rules_nothing_in():
    store, tree = built(map(record, range(300)))
    erased_from(store, tree.root, {"r000299"})
    assert list(scan(store, tree.root, keep=lambda each: each.member("n").can_equal(299))) == []
    after = build(store, tree.root, [Upsert(record(298, 1))], KEY, shape=SMALL)
    assert len(list(scan(store, after.root, keep=lambda each: each.member("revision").can_equal(1)))) == 1
