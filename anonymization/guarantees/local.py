"""Local recoding through the lattice: each row is generalized no further than it takes to have k - 1 others beside it.

Nodes of the lattice are walked from cheap to dear. At each one, rows still waiting that look alike there and meet the
guarantee together are a class. So exact duplicates stay as they are, and only rare rows lose much. Work is done on
distinct combinations of values with their numbers of rows; a bucket count of random sums of labels says which of them
can reach k at all, and only those are compared exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymization.guarantees.condition import Condition
from anonymization.guarantees.grouping import gather, group_rows
from anonymization.guarantees.guarantee import Guarantee
from anonymization.guarantees.nodes import cheapest_first
from anonymization.guarantees.settle import settle, unify
from anonymization.guarantees.table import Codes, Floats, Ids, Quasi, Recoding, Table

Sums = npt.NDArray[np.uint64]

#: Bytes of sums of labels kept for parts of nodes, and parts of nodes at most.
_ROOM: Final = 1 << 27
_MOST_PARTS: Final = 128
#: Waiting combinations are moved together once so much of them is gone.
_SHRINK: Final = 0.85
_FEWEST_BUCKETS: Final = 10
_SEED: Final = 0x6B6C74


def recode_locally(table: Table, guarantee: Guarantee) -> Recoding:
    """Generalize each row to labels of the hierarchies. Deterministic. Raises GuaranteeUnreachable."""
    search = _Search.of(table, guarantee)
    nodes = cheapest_first(table.quasi)
    search.walk(nodes)
    return settle(search.recoding(nodes), table, guarantee)


@dataclass
class _Search:
    """``combination`` is the distinct combination of values of each row, ``node`` that at which one was released."""

    table: Table
    condition: Condition
    combination: Ids
    codes: list[Codes]
    weight: Floats
    node: Ids = field(init=False)
    waiting: Ids = field(init=False)
    left: Floats = field(init=False)
    _rows: Ids = field(init=False)
    _starts: Ids = field(init=False)

    @classmethod
    def of(cls, table: Table, guarantee: Guarantee) -> "_Search":
        columns = table.quasi
        combination, first = group_rows([one.codes for one in columns], [one.hierarchy.size for one in columns])
        weight = np.bincount(combination, minlength=len(first)).astype(float)
        return cls(table, Condition.of(table, guarantee), combination, [one.codes[first] for one in columns], weight)

    def __post_init__(self) -> None:
        count = len(self.weight)
        self.node = np.full(count, -1, np.int64)
        self.waiting, self.left = np.arange(count), self.weight.copy()
        self._rows = np.argsort(self.combination, kind="stable")
        self._starts = np.concatenate([[0], np.cumsum(self.weight).astype(np.int64)])

    def walk(self, nodes: Ids) -> None:
        """Release what can be at each node in turn."""
        sums = _LabelSums.of(self.table.quasi, self.codes, len(self.weight))
        parts = sums.parts_of(nodes)
        for number in range(len(nodes)):
            found = self._released(sums.of_node(parts, number))
            if not len(found):
                continue
            self.node[self.waiting[found]] = number
            self.left[found] = 0
            still = self.left > 0
            count = int(still.sum())
            if not count:
                return
            if count < _SHRINK * len(still):
                self.waiting, self.left = self.waiting[still], self.left[still]
                sums.keep(still)

    def _released(self, key: Sums) -> Ids:
        """Places among those waiting whose rows form classes under ``key``."""
        k = self.condition.guarantee.k
        bits = max(_FEWEST_BUCKETS, (4 * len(key)).bit_length())
        bucket = (key >> np.uint64(64 - bits)).view(np.int64)
        likely = np.flatnonzero((np.bincount(bucket, self.left)[bucket] >= k) & (self.left > 0))
        if not len(likely):
            return likely
        known, group = np.unique(key[likely], return_inverse=True)
        good = np.bincount(group, self.left[likely]) >= k
        if not self.condition.is_count_only and good.any():
            good = self._judged(likely, group, good)
        return likely[good[group]] if len(known) else likely

    def _judged(self, likely: Ids, group: Ids, good: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Which of the groups with enough rows meet the whole condition."""
        kept = good[group]
        chosen = self.waiting[likely[kept]]
        starts, stops = self._starts[chosen], self._starts[chosen + 1]
        rows = self._rows[gather(starts, stops)]
        return self.condition.holds(np.repeat(group[kept], stops - starts), len(good), rows)

    def recoding(self, nodes: Ids) -> Recoding:
        """Classes by the texts they show; combinations that no node released are dropped for now."""
        done = np.flatnonzero(self.node >= 0)
        levels = nodes[self.node[done]]
        cells = np.empty((len(done), len(self.codes)), np.int32)
        for place, column in enumerate(self.table.quasi):
            at = np.stack(column.hierarchy.levels)
            cells[:, place] = at[levels[:, place], self.codes[place][done]]
        texts = tuple(column.hierarchy.texts for column in self.table.quasi)
        numbers, cells = unify(np.arange(len(done)), cells, texts)
        own = np.full(len(self.weight), -1, np.int64)
        own[done] = numbers
        return Recoding(own[self.combination], cells, texts, tuple(one.hierarchy.loss for one in self.table.quasi))


@dataclass
class _LabelSums:
    """A random number for every label; a node's key is the sum of the numbers of its labels (modulo 2^64).

    Equal labels have equal sums, and different ones the same sum by an accident that the last check would see. Sums
    over runs of columns are made once, so that a key takes one addition for each run.
    """

    runs: list[list[int]]
    heights: list[int]
    sums: list[list[Sums]]

    @classmethod
    def of(cls, quasi: Sequence[Quasi], codes: list[Codes], count: int) -> "_LabelSums":
        random = np.random.default_rng(_SEED)
        heights = [column.hierarchy.height + 1 for column in quasi]
        runs = _runs(heights, max(min(_ROOM // (16 * count + 1), _MOST_PARTS), *heights))
        single: list[list[Sums]] = []
        for column, own in zip(quasi, codes, strict=True):
            numbers = random.integers(0, 1 << 64, len(column.hierarchy.texts), np.uint64)
            single.append([numbers[level[own]] for level in column.hierarchy.levels])
        return cls(runs, heights, [_combined([single[place] for place in run]) for run in runs])

    def parts_of(self, nodes: Ids) -> list[Ids]:
        """Which of the made sums a node takes, for each run."""
        found = []
        for run in self.runs:
            part = np.zeros(len(nodes), np.int64)
            for place in run:
                part = part * self.heights[place] + nodes[:, place]
            found.append(part)
        return found

    def of_node(self, parts: list[Ids], number: int) -> Sums:
        key = self.sums[0][parts[0][number]]
        for made, part in zip(self.sums[1:], parts[1:], strict=True):
            key = key + made[part[number]]
        return np.asarray(key, np.uint64)

    def keep(self, still: npt.NDArray[np.bool_]) -> None:
        self.sums = [[made[still] for made in run] for run in self.sums]


def _runs(heights: list[int], most: int) -> list[list[int]]:
    """Neighbouring columns together while they have at most ``most`` combinations of levels."""
    runs: list[list[int]] = []
    size = most + 1
    for place, height in enumerate(heights):
        if size * height > most:
            runs.append([])
            size = 1
        runs[-1].append(place)
        size *= height
    return runs


def _combined(single: list[list[Sums]]) -> list[Sums]:
    made = single[0]
    for levels in single[1:]:
        made = [one + other for one in made for other in levels]
    return made
