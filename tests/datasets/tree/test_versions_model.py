"""Commits on branches, diff, merge, erasure, collection of the unreachable and crashes, against dictionaries."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from datasets.tree.boundary import Shape
from datasets.tree.builder import Delete, Upsert, build
from datasets.tree.chunk import ChunkCodec, verify_chunk
from datasets.tree.diff import diff
from datasets.tree.digests import EMPTY_ROOT
from datasets.tree.merge import merge
from datasets.tree.node import decode_node
from datasets.tree.reader import iterate_chunks, iterate_records
from datasets.tree.store import MemoryTreeStore, ObjectKind

from .trees import KEY, erased_from, record

TINY = Shape(chunk_target=150, chunk_min=1, chunk_max=400, node_target=3, node_min=2, node_max=5)
BRANCHES = ("main", "left", "right")
numbers = st.integers(0, 80)
changes = st.dictionaries(numbers, st.booleans(), max_size=12)
branches = st.sampled_from(BRANCHES)


class Crash(Exception):
    """The process ends here."""


class FailingStore(MemoryTreeStore):
    """Fails after some more objects were saved, when told to."""

    def __init__(self):
        super().__init__()
        self.left = None

    def save(self, objects):
        for item in objects:
            if self.left is not None:
                if self.left == 0:
                    raise Crash
                self.left -= 1
            super().save([item])


def reachable(store, root):
    """The digests of everything below a root."""
    if root == EMPTY_ROOT:
        return set()
    item = store.objects[root]
    if item.kind is ObjectKind.CHUNK:
        return {root}
    children = decode_node(item.body, item.sidecar, root).children
    return {root}.union(*(reachable(store, child.digest) for child in children))


class Versions(RuleBasedStateMachine):
    """What the tree holds of every version ever made is what a dictionary of its records would."""

    @initialize()
    def begin(self):
        self.store = FailingStore()
        #: Every version: its root and its records. A branch is the place of its head.
        self.versions = [(EMPTY_ROOT, {})]
        self.heads = dict.fromkeys(BRANCHES, 0)
        #: The version that two branches had in common last.
        self.bases = {frozenset(pair): 0 for pair in (("main", "left"), ("main", "right"), ("left", "right"))}
        self.revision = 0
        self.gone = set()

    def commit(self, branch, root, model):
        self.versions.append((root, model))
        self.heads[branch] = len(self.versions) - 1

    def prepared(self, model, drawn):
        """Changes for the builder, and what they make of the records."""
        self.revision += 1
        result, wanted = dict(model), []
        for number, is_removed in sorted(drawn.items()):
            made = record(number, self.revision)
            if made.id in self.gone:
                continue
            wanted.append(Delete(made.id) if is_removed else Upsert(made))
            if is_removed:
                result.pop(made.id, None)
            else:
                result[made.id] = made
        return wanted, result

    @rule(branch=branches, drawn=changes)
    def change(self, branch, drawn):
        root, model = self.versions[self.heads[branch]]
        wanted, after = self.prepared(model, drawn)
        self.commit(branch, build(self.store, root, wanted, KEY, shape=TINY).root, after)

    @rule(branch=branches, drawn=changes, objects=st.integers(0, 6))
    def change_after_a_crash(self, branch, drawn, objects):
        """The first try dies while it saves; the second ends where it would have ended."""
        root, model = self.versions[self.heads[branch]]
        wanted, after = self.prepared(model, drawn)
        self.store.left = objects
        try:
            build(self.store, root, wanted, KEY, shape=TINY)
        except Crash:
            assert list(iterate_records(self.store, root)) == sorted(model.values())
        self.store.left = None
        self.commit(branch, build(self.store, root, wanted, KEY, shape=TINY).root, after)

    @rule(into=branches, source=branches, takes_theirs=st.booleans(), objects=st.none() | st.integers(0, 6))
    def merge_branches(self, into, source, takes_theirs, objects):
        if into == source:
            return
        pair = frozenset((into, source))
        (base, old), (ours, mine), (theirs, other) = (
            self.versions[each] for each in (self.bases[pair], self.heads[into], self.heads[source])
        )

        def resolve(collision):
            return collision.theirs if takes_theirs else collision.ours

        self.store.left = objects
        try:
            merged = merge(self.store, base, ours, theirs, KEY, resolve=resolve, shape=TINY)
        except Crash:
            self.store.left = None
            merged = merge(self.store, base, ours, theirs, KEY, resolve=resolve, shape=TINY)
        self.store.left = None
        after = {}
        for record_id in old.keys() | mine.keys() | other.keys():
            before, left, right = (side.get(record_id) for side in (old, mine, other))
            if right in (left, before):
                chosen = left
            elif left == before:
                chosen = right
            else:
                chosen = right if takes_theirs else left
            if chosen is not None:
                after[record_id] = chosen
        self.commit(into, merged.tree.root, after)
        self.bases[pair] = self.heads[source]

    @rule(number=numbers)
    def erase(self, number):
        """Erase a record from every version there is; it never comes back."""
        record_id = record(number).id
        self.gone.add(record_id)
        for root, model in self.versions:
            if root != EMPTY_ROOT:
                erased_from(self.store, root, {record_id})
            model.pop(record_id, None)

    @rule()
    def collect(self):
        """Forget versions that no branch needs, and every object that only they or crashed builds had."""
        kept = sorted({0, *self.heads.values(), *self.bases.values()})
        self.versions = [self.versions[each] for each in kept]
        self.heads = {branch: kept.index(each) for branch, each in self.heads.items()}
        self.bases = {pair: kept.index(each) for pair, each in self.bases.items()}
        live = set().union(*(reachable(self.store, root) for root, _ in self.versions))
        self.store.objects = {digest: item for digest, item in self.store.objects.items() if digest in live}

    @rule(one=branches, other=branches)
    def compare(self, one, other):
        """The difference leads from the records of one branch to those of the other."""
        (before_root, before), (after_root, after) = (self.versions[self.heads[each]] for each in (one, other))
        result = dict(before)
        for change in diff(self.store, before_root, after_root):
            assert (change.before and change.before.record) == before.get(change.id)
            assert change.kind != "erased" or change.id in self.gone
            if change.after:
                result[change.id] = change.after.record
            else:
                result.pop(change.id, None)
        assert {key: each.canonical for key, each in result.items()} == {
            key: each.canonical for key, each in after.items()
        }

    @invariant()
    def every_version_reads_as_its_records(self):
        for root, model in self.versions[-3:]:
            assert list(iterate_records(self.store, root)) == sorted(model.values())

    @invariant()
    def heads_are_whole_and_free_of_what_was_erased(self):
        for branch in BRANCHES:
            root, model = self.versions[self.heads[branch]]
            has_tombstones = False
            for child, chunk in iterate_chunks(self.store, root):
                verify_chunk(chunk, child.digest)
                has_tombstones = has_tombstones or bool(chunk.erased)
                assert not self.gone.intersection(chunk.ids)
            if not self.gone and not has_tombstones:
                rebuilt = build(
                    MemoryTreeStore(), None, [Upsert(each) for each in sorted(model.values())], KEY, shape=TINY
                )
                assert root == rebuilt.root

    def teardown(self):
        for item in getattr(self, "store", MemoryTreeStore()).objects.values():
            if item.kind is ObjectKind.CHUNK:
                for record_id in self.gone:
                    assert b'"id":"%b"' % record_id.encode() not in b"".join(ChunkCodec().decode(item.body).lines)


TestVersions = Versions.TestCase
TestVersions.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestVersions = pytest.mark.slow(TestVersions)
