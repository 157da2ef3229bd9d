"""Top-down local recoding: everything in one class that shows nothing, specialized where most is gained.

Each round takes, for every class at once, the column whose step down the hierarchy gains most: its labels become
classes of their own, those too small for the guarantee stay together one level up (the rest). Unlike the walk up the
lattice it starts from a class that has all values, so that diverse rows are never used up by others: the way for
guarantees that look at sensitive values.
"""

from dataclasses import dataclass

import numpy as np

from anonymization.guarantees.condition import Condition
from anonymization.guarantees.grouping import dense, members
from anonymization.guarantees.guarantee import Guarantee
from anonymization.guarantees.settle import settle, unify
from anonymization.guarantees.table import Flags, Floats, Ids, Recoding, Table


def recode_top_down(table: Table, guarantee: Guarantee) -> Recoding:
    """Generalize each row to labels of the hierarchies. Deterministic. Raises GuaranteeUnreachable."""
    search = _Search(table, Condition.of(table, guarantee))
    search.run()
    return settle(search.recoding(), table, guarantee)


@dataclass(frozen=True)
class _Step:
    """What specializing one column would make of each open group: ``part`` of each row, and what is gained."""

    part: Ids
    gain: Floats


class _Search:
    """``group`` is the class of each row; ``levels[group, column]`` its level; open groups are those to look at."""

    def __init__(self, table: Table, condition: Condition) -> None:
        self._table, self._condition = table, condition
        self._labels = [np.stack(column.hierarchy.levels) for column in table.quasi]
        self.group = np.zeros(len(table), np.int64)
        self.levels = np.array([[column.hierarchy.height for column in table.quasi]], np.int64)
        self._open = np.ones(1, np.bool_)

    def run(self) -> None:
        while self._open.any():
            rows = members(self.group, self._open)
            number = np.cumsum(self._open) - 1
            self._split(rows, number[self.group[rows]], np.flatnonzero(self._open))

    def _split(self, rows: Ids, group: Ids, ids: Ids) -> None:
        best, gain = np.full(len(ids), -1), np.full(len(ids), 1e-12)
        part = np.zeros(len(rows), np.int64)
        for place in range(len(self._labels)):
            step = self._step(rows, group, ids, place)
            better = step.gain > gain
            best[better], gain[better] = place, step.gain[better]
            chosen = better[group]
            part[chosen] = step.part[chosen]
        self._open[ids[best < 0]] = False
        self._apply(rows, group, ids, best, part)

    def _apply(self, rows: Ids, group: Ids, ids: Ids, best: Ids, part: Ids) -> None:
        """Parts become groups: part 0 (the rest) keeps the levels, every other goes one level down."""
        moved = best[group] >= 0
        if not moved.any():
            return
        span = int(part.max()) + 1
        keys = group[moved] * span + part[moved]
        numbers, count = dense(keys)
        known = np.unique(keys)
        origin, is_rest = known // span, known % span == 0
        levels = self.levels[ids[origin]]
        levels[np.arange(count), best[origin]] -= ~is_rest
        self.group[rows[moved]] = len(self.levels) + numbers
        self.levels = np.vstack([self.levels, levels])
        self._open[ids] = False
        self._open = np.append(self._open, np.ones(count, np.bool_))

    def _step(self, rows: Ids, group: Ids, ids: Ids, place: int) -> _Step:
        column = self._table.quasi[place]
        loss, labels = column.hierarchy.loss, self._labels[place]
        level = self.levels[ids, place][group]
        codes = column.codes[rows]
        below, now = labels[np.maximum(level - 1, 0), codes], labels[level, codes]
        size = len(column.hierarchy.texts)
        cells, child = np.unique(group * size + below, return_inverse=True)
        parent = cells // size
        good = self._good(child, len(cells), rows, level > 0)
        keeps = self._with_rest(child, parent, good, rows, len(ids))
        part = np.where(keeps[child], below.astype(np.int64) + 1, 0)
        gained = np.where(keeps[child], loss[now] - loss[below], 0.0)
        return _Step(part, np.asarray(np.bincount(group, gained, minlength=len(ids)), np.float64))

    def _good(self, child: Ids, count: int, rows: Ids, can: Flags) -> Flags:
        good = np.asarray(np.bincount(child, minlength=count) >= self._condition.guarantee.k)
        good &= np.bincount(child, can, minlength=count) > 0
        if self._condition.is_count_only or not good.any():
            return good
        kept = good[child]
        good &= self._condition.holds(child[kept], count, rows[kept])
        return good

    def _with_rest(self, child: Ids, parent: Ids, good: Flags, rows: Ids, count: int) -> Flags:
        """Which children become classes: the good ones, unless the rest needs the smallest of them to be good too."""
        sizes = np.bincount(child, minlength=len(parent))
        for _ in range(2):
            rest = ~good[child]
            owner = parent[child[rest]]
            number = np.bincount(owner, minlength=count)
            holds = self._condition.holds(owner, count, rows[rest]) if len(owner) else np.zeros(count, np.bool_)
            short = (number > 0) & ~holds
            if not short.any():
                return good
            order = np.lexsort((sizes, ~good, parent))
            first = order[np.searchsorted(parent[order], np.flatnonzero(short))]
            good = good.copy()
            good[first] = False
        # The rest of some groups falls short still: no step for those.
        return good & ~short[parent]

    def recoding(self) -> Recoding:
        numbers, _ = dense(self.group)
        ids = np.unique(self.group)
        first = np.unique(numbers, return_index=True)[1]
        cells = np.stack(
            [
                labels[self.levels[ids, place], self._table.quasi[place].codes[first]]
                for place, labels in enumerate(self._labels)
            ],
            axis=1,
        ).astype(np.int32)
        texts = tuple(column.hierarchy.texts for column in self._table.quasi)
        classes, cells = unify(numbers, cells, texts)
        return Recoding(classes, cells, texts, tuple(column.hierarchy.loss for column in self._table.quasi))
