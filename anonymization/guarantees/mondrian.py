"""Mondrian (LeFevre et al. 2006), level by level: all open groups are split at once, at the median of the column that
is spread widest in each. The result shows ranges of ordered values and sets of categories.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from anonymization.guarantees.condition import Condition
from anonymization.guarantees.grouping import dense, group_rows
from anonymization.guarantees.guarantee import Guarantee
from anonymization.guarantees.settle import settle, unify
from anonymization.guarantees.spans import show_spans
from anonymization.guarantees.table import Codes, Flags, Floats, Ids, Recoding, Table

#: Cells of a table of counts by group and value; more are sorted instead.
_COUNTED: Final = 1 << 22


def recode_by_median(table: Table, guarantee: Guarantee) -> Recoding:
    """Generalize rows to ranges and sets. Deterministic. Raises GuaranteeUnreachable."""
    search = _Search.of(table, guarantee)
    classes, count = search.run()
    shown = show_spans(table.quasi, classes, count)
    numbers, cells = unify(classes, shown.cells, shown.texts)
    return settle(Recoding(numbers, cells, shown.texts, shown.loss), table, guarantee)


@dataclass
class _Level:
    """Open items in order of their groups: group i holds ``items[starts[i]:starts[i + 1]]``."""

    items: Ids
    group: Ids
    starts: Ids
    sizes: Floats


class _Search:
    """Splits items: distinct combinations of values with their numbers of rows, or single rows where those are asked
    for one by one.
    """

    def __init__(self, table: Table, condition: Condition, codes: list[Codes], weight: Floats, item: Ids) -> None:
        self._table, self._condition = table, condition
        self._codes, self._weight, self._item = codes, weight, item
        self._scale = [self._scale_of(place) for place in range(len(codes))]

    @classmethod
    def of(cls, table: Table, guarantee: Guarantee) -> "_Search":
        condition = Condition.of(table, guarantee)
        columns = [column.codes for column in table.quasi]
        if not condition.is_count_only:
            rows = np.arange(len(table))
            return cls(table, condition, columns, np.ones(len(table)), rows)
        item, first = group_rows(columns, [column.hierarchy.size for column in table.quasi])
        return cls(table, condition, [column[first] for column in columns], np.bincount(item).astype(float), item)

    def _scale_of(self, place: int) -> Floats:
        """Where each value lies, the whole column being 1 wide."""
        hierarchy, codes = self._table.quasi[place].hierarchy, self._codes[place]
        at = np.arange(hierarchy.size, dtype=float) if hierarchy.positions is None else hierarchy.positions
        width = float(np.ptp(at[codes])) if len(codes) else 0.0
        return np.asarray(at / (width or 1.0), np.float64)

    def run(self) -> tuple[Ids, int]:
        """The class of each row, and how many there are."""
        items = np.arange(len(self._weight))
        final, found = np.empty(len(items), np.int64), 0
        group = np.zeros(len(items), np.int64)
        while len(items):
            level = self._level(items, group)
            is_split, side = self._split(level)
            done = ~is_split[group]
            numbers, count = dense(group[done])
            final[items[done]] = found + numbers
            found += count
            items, group = _halved(level, is_split, side)
        return final[self._item], found

    def _level(self, items: Ids, group: Ids) -> _Level:
        starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
        return _Level(items, group, starts, np.add.reduceat(self._weight[items], starts))

    def _split(self, level: _Level) -> tuple[Flags, Flags]:
        """Which groups are split, and which of their items go to the upper half."""
        count = len(level.starts)
        is_split, side = np.zeros(count, np.bool_), np.zeros(len(level.items), np.bool_)
        can = level.sizes >= 2 * self._condition.guarantee.k
        if not can.any():
            return is_split, side
        widths = np.stack([self._width(level, place) for place in range(len(self._codes))], axis=1)
        order = np.argsort(-widths, axis=1, kind="stable")
        at = np.arange(len(level.items))
        for turn in range(len(self._codes)):
            chosen = order[:, turn]
            todo = can & ~is_split & (widths[np.arange(count), chosen] > 0)
            at = at[todo[level.group[at]]]
            if not len(at):
                break
            places = chosen[level.group[at]]
            for place in range(len(self._codes)):
                mine = at[places == place]
                if len(mine):
                    self._halve(level, place, mine, is_split, side)
        return is_split, side

    def _width(self, level: _Level, place: int) -> Floats:
        codes = self._codes[place][level.items]
        low, high = np.minimum.reduceat(codes, level.starts), np.maximum.reduceat(codes, level.starts)
        scale = self._scale[place]
        return np.asarray(scale[high] - scale[low], np.float64)

    def _halve(self, level: _Level, place: int, at: Ids, is_split: Flags, side: Flags) -> None:
        """Split the groups that hold the places ``at`` of the level by one column, where both halves are good."""
        own = level.group[at]
        is_first = np.r_[True, own[1:] != own[:-1]]
        groups, number = own[is_first], np.cumsum(is_first) - 1
        codes, weight = self._codes[place][level.items[at]], self._weight[level.items[at]]
        sizes, k = level.sizes[groups], self._condition.guarantee.k
        cut, below = _medians(number, codes, weight, self._table.quasi[place].hierarchy.size, sizes)
        good = (below >= k) & (sizes - below >= k)
        upper = codes >= cut[number]
        if not self._condition.is_count_only and good.any():
            kept = good[number]
            halves = 2 * number[kept] + upper[kept]
            holds = self._condition.holds(halves, 2 * len(sizes), level.items[at[kept]])
            good &= holds.reshape(-1, 2).all(axis=1)
        is_split[groups[good]] = True
        kept = good[number]
        side[at[kept]] = upper[kept]


def _medians(number: Ids, codes: Codes, weight: Floats, size: int, sizes: Floats) -> tuple[Ids, Floats]:
    """For each group the code its upper half begins with, cut as evenly as its values allow, and the weight below."""
    count = len(sizes)
    if count * size > max(_COUNTED, 4 * len(codes)):
        return _sorted_medians(number, codes, weight, sizes)
    return _counted_medians(number, codes, weight, size, sizes)


def _counted_medians(number: Ids, codes: Codes | Ids, weight: Floats, size: int, sizes: Floats) -> tuple[Ids, Floats]:
    count = len(sizes)
    counts = np.bincount(number * size + codes, weight, minlength=count * size).reshape(count, size)
    up_to = np.cumsum(counts, axis=1)
    cut = np.argmin(np.abs(up_to - sizes[:, None] / 2), axis=1)
    return cut + 1, up_to[np.arange(count), cut]


def _sorted_medians(number: Ids, codes: Codes | Ids, weight: Floats, sizes: Floats) -> tuple[Ids, Floats]:
    count = len(sizes)
    order = np.lexsort((codes, number))
    owner, values, heavy = number[order], codes[order], weight[order]
    starts = np.searchsorted(owner, np.arange(count))
    total = np.cumsum(heavy)
    up_to = total - (total[starts] - heavy[starts])[owner]
    last = np.r_[(values[1:] != values[:-1]) | (owner[1:] != owner[:-1]), True]
    owner, values, up_to = owner[last], values[last], up_to[last]
    off = np.abs(up_to - sizes[owner] / 2)
    best = np.lexsort((off, owner))
    first = best[np.searchsorted(owner[best], np.arange(count))]
    return np.asarray(values[first] + 1, np.int64), up_to[first]


def _halved(level: _Level, is_split: Flags, side: Flags) -> tuple[Ids, Ids]:
    """The items of split groups, halves in order."""
    kept = is_split[level.group]
    key = level.group[kept] * 2 + side[kept]
    order = np.argsort(key, kind="stable")
    numbers, _ = dense(key[order])
    return level.items[kept][order], numbers
