"""k, l and t of groups of rows, counted in distinct data subjects.

A subject counts once in a class, and once for each sensitive value it has there. Where rows are subjects of their own
these are the usual numbers of rows.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from anonymization.guarantees.guarantee import Diversity, DiversityKind
from anonymization.guarantees.table import Codes, Flags, Floats, Ids, Sensitive

#: Entropies and distances are sums of rounded fractions: what differs by no more is equal.
TOLERANCE: Final = 1e-9
#: Cells of a matrix of groups by values that is in memory at once.
_CELLS: Final = 1 << 22


def count_subjects(groups: Ids, count: int, subjects: Codes | None) -> Ids:
    """Distinct subjects of each of ``count`` groups; ``groups`` and ``subjects`` have one entry a row."""
    if subjects is None:
        return np.bincount(groups, minlength=count)
    span = int(subjects.max(initial=0)) + 1
    pairs = np.unique(groups * span + subjects)
    return np.bincount(pairs // span, minlength=count)


@dataclass(frozen=True)
class Spread:
    """How the values of one sensitive attribute lie in groups: entry i says ``counts[i]`` subjects of group
    ``groups[i]`` have value ``values[i]``. Ordered by group, then value.
    """

    groups: Ids
    values: Ids
    counts: Ids
    count: int
    size: int

    @classmethod
    def of(cls, groups: Ids, count: int, attribute: Codes, size: int, subjects: Codes | None) -> "Spread":
        cells = groups * size + attribute
        if subjects is not None:
            span = int(subjects.max(initial=0)) + 1
            places, ids = np.unique(cells, return_inverse=True)
            cells = places[np.unique(ids * span + subjects) // span]
        known, counts = np.unique(cells, return_counts=True)
        return cls(known // size, known % size, counts, count, size)

    @cached_property
    def totals(self) -> Floats:
        return np.asarray(np.bincount(self.groups, self.counts, minlength=self.count), np.float64)

    @cached_property
    def shares(self) -> Floats:
        """The share of each entry in its group."""
        return np.asarray(self.counts / self.totals[self.groups], np.float64)

    def distinct(self) -> Ids:
        """Values of each group."""
        return np.bincount(self.groups, minlength=self.count)

    def entropy(self) -> Floats:
        """The exponential of the entropy of each group: as many equally frequent values would have it."""
        bits = -self.shares * np.log(self.shares)
        return np.exp(np.bincount(self.groups, bits, minlength=self.count))

    def ranked(self, first: int) -> tuple[Floats, Floats]:
        """Counts of each group's most frequent value, and the sum from the ``first``-th most frequent (from 1) on."""
        order = np.lexsort((-self.counts, self.groups))
        starts = np.searchsorted(self.groups, np.arange(self.count))
        rank = np.arange(len(order)) - starts[self.groups[order]]
        counts = self.counts[order]
        most = np.bincount(self.groups[order], np.where(rank == 0, counts, 0.0), minlength=self.count)
        rest = np.bincount(self.groups[order], np.where(rank >= first - 1, counts, 0.0), minlength=self.count)
        return np.asarray(most, np.float64), np.asarray(rest, np.float64)

    def is_diverse(self, wanted: Diversity) -> Flags:
        """Whether each group has the diversity."""
        if wanted.kind == DiversityKind.DISTINCT:
            return np.asarray(self.distinct() >= wanted.l)
        if wanted.kind == DiversityKind.ENTROPY:
            return np.asarray(self.entropy() >= wanted.l * (1 - TOLERANCE))
        most, rest = self.ranked(int(wanted.l))
        return np.asarray(most < wanted.c * rest)


def distribution(attribute: Sensitive, subjects: Codes | None, rows: Ids | None = None) -> Floats:
    """The share of each value among (subject, value) pairs of the rows (none given: all)."""
    codes = attribute.codes if rows is None else attribute.codes[rows]
    whose = subjects if rows is None or subjects is None else subjects[rows]
    spread = Spread.of(np.zeros(len(codes), np.int64), 1, codes, attribute.size, whose)
    shares = np.zeros(attribute.size)
    shares[spread.values] = spread.shares
    return shares


def distances(spread: Spread, attribute: Sensitive, reference: Floats) -> Floats:
    """The earth mover's distance of each group's distribution from ``reference``, 0 to 1 (Li et al. 2007).

    Ordered values lie one step apart, of size - 1 in all. Values of a tree are as far apart as the lowest label they
    share is high, of the tree's height. All other values are one apart.
    """
    if not attribute.is_ordered and attribute.tree is None:
        gained = np.bincount(
            spread.groups, np.maximum(spread.shares - reference[spread.values], 0), minlength=spread.count
        )
        return np.asarray(gained, np.float64)
    result = np.empty(spread.count)
    step = max(_CELLS // max(attribute.size, 1), 1)
    for start in range(0, spread.count, step):
        stop = min(start + step, spread.count)
        extra = _extra(spread, start, stop, reference)
        result[start:stop] = _ordered(extra) if attribute.tree is None else _branched(extra, attribute)
    return result


def _extra(spread: Spread, start: int, stop: int, reference: Floats) -> Floats:
    first, last = np.searchsorted(spread.groups, [start, stop])
    extra = np.zeros((stop - start, spread.size))
    extra[spread.groups[first:last] - start, spread.values[first:last]] = spread.shares[first:last]
    extra -= reference
    return extra


def _ordered(extra: Floats) -> Floats:
    steps = max(extra.shape[1] - 1, 1)
    return np.asarray(np.abs(np.cumsum(extra, axis=1)).sum(axis=1) / steps, np.float64)


def _branched(extra: Floats, attribute: Sensitive) -> Floats:
    """What does not even out below a label is carried to it, and costs the label's height (Li et al., section 5)."""
    tree = attribute.tree
    assert tree is not None
    total = np.zeros(len(extra))
    for height, level in enumerate(tree.levels[1:], start=1):
        _, first, child = np.unique(tree.levels[height - 1], return_index=True, return_inverse=True)
        carried = _summed(extra, child, len(first))
        _, parent = np.unique(level[first], return_inverse=True)
        count = int(parent.max()) + 1
        more, less = np.maximum(carried, 0), np.maximum(-carried, 0)
        total += (
            height / tree.height * np.minimum(_summed(more, parent, count), _summed(less, parent, count)).sum(axis=1)
        )
    return total


def _summed(columns: Floats, places: Ids, count: int) -> Floats:
    """The columns added up by their places."""
    result = np.zeros((len(columns), count))
    np.add.at(result.T, places, columns.T)
    return result
