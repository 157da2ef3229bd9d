"""Walk several trees side by side in groups of chunks or nodes that cover the same stretch of ids.

What the caller calls settled is passed over whole and unread; everything else is opened down to its chunks. Only the
nodes on the way are loaded here, in batches; chunks are for the caller to load.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Final, NamedTuple, TypeAlias

from datasets.errors import CorruptTree
from datasets.tree.digests import EMPTY_ROOT
from datasets.tree.node import Child, Node, decode_node
from datasets.tree.store import TreeSource

#: Nodes loaded at once; twice as many decoded ones are kept that were loaded ahead.
_LOADED: Final = 64
#: Chunks of a group whose sides end chunks at no common place: then it is cut between two ids.
_LARGEST: Final = 32

_last_id = attrgetter("last_id")
_first_id = attrgetter("first_id")

#: Whether a group with these digests (None: the side has nothing there) may be passed over unread.
Settled: TypeAlias = Callable[[Sequence[bytes | None]], bool]


class Group(NamedTuple):
    """What every side has in one stretch of ids, in order: chunks (level 0), or at most one settled node each.

    Only the records with ``after`` < id <= ``until`` are meant (None: no bound): a chunk that reaches further is in
    the next group again. ``is_last`` tells for every side whether it has nothing after this group.
    """

    level: int
    sides: tuple[tuple[Child, ...], ...]
    after: str | None
    until: str | None
    is_last: tuple[bool, ...]

    @property
    def is_whole(self) -> bool:
        """Whether no bound cuts through a chunk."""
        return self.after is None and self.until is None

    def covers(self, record_id: str) -> bool:
        """Whether a record of these chunks is meant."""
        return (self.after is None or record_id > self.after) and (self.until is None or record_id <= self.until)


def walk(
    source: TreeSource,
    roots: Sequence[bytes],
    is_settled: Settled,
    *,
    after_id: str | None = None,
    with_common: bool = True,
) -> Iterator[Group]:
    """All groups in order of id, settled ones among them, from the first id greater than ``after_id`` on.

    What is the same on every side is settled whatever ``is_settled`` says; without ``with_common`` it is left out.
    EMPTY_ROOT is a side without anything. Memory is that of one path of nodes a side, whatever the trees are like.
    Raises TreeObjectMissing, CorruptTree.
    """
    return _Walk(source, roots, is_settled, after_id, with_common=with_common).groups()


#: What is still to come of one tree, the next last: children with the level they are on.
_Side: TypeAlias = list[tuple[Child, int]]


class _Walk:
    def __init__(
        self,
        source: TreeSource,
        roots: Sequence[bytes],
        is_settled: Settled,
        after_id: str | None,
        *,
        with_common: bool,
    ) -> None:
        self._nodes = _Nodes(source)
        self._is_settled = is_settled
        self._with_common = with_common
        self._start = self._after = after_id
        self._nodes.load([root for root in dict.fromkeys(roots) if root != EMPTY_ROOT])
        self._sides: list[_Side] = [self._opened(root) for root in roots]

    def groups(self) -> Iterator[Group]:
        while any(self._sides):
            if self._is_common():
                level = self._sides[0][-1][1]
                common = [[side.pop()[0]] for side in self._sides]
                if self._with_common:
                    yield self._group(level, common, None)
                self._after = None
                continue
            present, bound = self._overlapping()
            level = max(self._sides[index][-1][1] for index in present)
            if self._is_aligned(present, bound) and (level == 0 or self._is_settled(self._digests(present))):
                sides = [[side.pop()[0]] if index in present else [] for index, side in enumerate(self._sides)]
                yield self._group(level, sides, None)
            elif level > 0:
                self._descend([index for index in present if self._sides[index][-1][1] == level])
            else:
                yield self._gathered(bound)

    def _opened(self, root: bytes) -> _Side:
        if root == EMPTY_ROOT:
            return []
        node = self._nodes.opened(root)
        summary = node.summary()
        return [(summary, node.level)] if self._start is None or summary.last_id > self._start else []

    def _is_common(self) -> bool:
        """Whether the next child is the same on every side."""
        first, *others = self._sides
        return bool(first) and all(side and side[-1] == first[-1] for side in others)

    def _overlapping(self) -> tuple[list[int], str]:
        """The sides whose next child begins before those of the others have ended, and where the last of them ends."""
        heads = [side[-1][0] for side in self._sides if side]
        bound = min(heads, key=_first_id).last_id
        for _ in heads:
            bound = max(child.last_id for child in heads if child.first_id <= bound)
        return [index for index, side in enumerate(self._sides) if _begins(side, bound)], bound

    def _is_aligned(self, present: list[int], bound: str) -> bool:
        """Whether the next children stand on one level, and nothing else of their sides begins up to ``bound``."""
        sides = [self._sides[index] for index in present]
        return len({side[-1][1] for side in sides}) == 1 and not any(
            len(side) > 1 and side[-2][0].first_id <= bound for side in sides
        )

    def _digests(self, present: list[int]) -> list[bytes | None]:
        return [side[-1][0].digest if index in present else None for index, side in enumerate(self._sides)]

    def _descend(self, indexes: Sequence[int]) -> None:
        """Put the children of the next node of these sides, which are on one level, in its place."""
        heads = {index: self._sides[index].pop() for index in indexes}
        level = next(iter(heads.values()))[1]
        wanted = dict.fromkeys(child.digest for child, _ in heads.values())
        opened = {digest: self._nodes.open(digest, level) for digest in wanted}
        for index, (child, _) in heads.items():
            start = 0 if self._start is None else bisect_right(opened[child.digest], self._start, key=_last_id)
            self._sides[index].extend((below, level - 1) for below in reversed(opened[child.digest][start:]))
        if level > 1:
            self._nodes.expect(level - 1, list(opened.values()))

    def _gathered(self, bound: str) -> Group:
        """The chunks up to the first id at which no side has one half done, or as many as a group may have."""
        taken: list[list[Child]] = [[] for _ in self._sides]
        while more := [index for index, side in enumerate(self._sides) if _begins(side, bound)]:
            if sum(map(len, taken)) >= _LARGEST and all(taken[index] for index in more):
                until = min(taken[index][-1].last_id for index in more)
                return self._group(0, taken, until)
            for index in more:
                while self._sides[index][-1][1] > 0:
                    self._descend([index])
                taken[index].append(self._sides[index].pop()[0])
                bound = max(bound, taken[index][-1].last_id)
        return self._group(0, taken, None)

    def _group(self, level: int, taken: list[list[Child]], until: str | None) -> Group:
        """The group of what was taken; chunks that reach beyond ``until`` are put back for the next one too."""
        after, self._after = self._after, None
        if until is not None:
            for index, children in enumerate(taken):
                carried = [child for child in children if child.last_id > until]
                self._sides[index].extend((child, 0) for child in reversed(carried))
                taken[index] = [child for child in children if child.first_id <= until]
                if carried:
                    self._after = until
        is_last = tuple(not side for side in self._sides)
        return Group(level, tuple(map(tuple, taken)), after, until, is_last)


def _begins(side: _Side, bound: str) -> bool:
    """Whether the next child of a side begins up to ``bound``."""
    return bool(side) and side[-1][0].first_id <= bound


class _Nodes:
    """Loads nodes, those that will be wanted soon together."""

    def __init__(self, source: TreeSource) -> None:
        self._source = source
        self._loaded: dict[bytes, Node] = {}
        self._expected: dict[int, list[bytes]] = {}

    def opened(self, root: bytes) -> Node:
        """The top node of a tree, loaded before; it is not loaded again when it is descended into."""
        return self._loaded[root]

    def open(self, digest: bytes, level: int) -> list[Child]:
        """The children of a node that stands on this level."""
        if digest not in self._loaded:
            expected = self._expected.get(level, [])
            ahead = expected[: _LOADED - 1]
            del expected[: _LOADED - 1]
            self.load([digest, *(each for each in ahead if each != digest and each not in self._loaded)])
        node = self._loaded.pop(digest)
        if node.level != level:
            raise CorruptTree("A node stands on the wrong level")
        return node.children

    def expect(self, level: int, opened: list[list[Child]]) -> None:
        """Those children on ``level`` that one of the opened nodes has and another has not will soon be wanted."""
        times = Counter(child.digest for children in opened for child in children)
        first_ids = {child.digest: child.first_id for children in opened for child in children}
        wanted = [digest for digest, count in times.items() if count < len(opened)]
        self._expected[level] = sorted(wanted, key=first_ids.__getitem__)

    def load(self, digests: list[bytes]) -> None:
        while len(self._loaded) > 2 * _LOADED:
            del self._loaded[next(iter(self._loaded))]
        for digest, stored in zip(digests, self._source.load_nodes(digests), strict=True):
            self._loaded[digest] = decode_node(stored.body, stored.sidecar, digest)
