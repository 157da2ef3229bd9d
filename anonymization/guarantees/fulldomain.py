"""Global recoding: one level for each column, the same for every row, found in the lattice of all combinations.

The search goes as Flash and OLA do (Kohlmayer et al. 2012; El Emam et al. 2009): ways from the bottom to the top are
searched by halves, and since what meets the guarantee keeps it further up, each answer settles everything above or
below it. Of the lowest nodes that meet it, the one with the least loss is taken.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymization.guarantees.condition import Condition
from anonymization.guarantees.errors import GuaranteeUnreachable, LatticeTooLarge
from anonymization.guarantees.grouping import group_rows
from anonymization.guarantees.guarantee import Guarantee
from anonymization.guarantees.nodes import level_costs, size_of
from anonymization.guarantees.settle import settle
from anonymization.guarantees.table import Codes, Flags, Ids, Recoding, Table

MAX_NODES: Final = 200_000
_UNKNOWN, _FAILS, _HOLDS = 0, 1, 2

Node = tuple[int, ...]


def recode_globally(table: Table, guarantee: Guarantee, levels: Sequence[int] | None = None) -> Recoding:
    """Generalize each column to one level (``levels``, where given, else the best found). Deterministic.

    Rows that fall short are dropped, as many as the suppression limit allows. Raises GuaranteeUnreachable,
    LatticeTooLarge.
    """
    search = _Search(table, Condition.of(table, guarantee))
    if levels is not None:
        return search.release(tuple(levels))
    if size_of([column.hierarchy for column in table.quasi]) > MAX_NODES:
        raise LatticeTooLarge(limit=MAX_NODES)
    return search.best()


@dataclass
class _Search:
    """Looks at distinct combinations of values with their numbers of ``rows``: ``combination`` is that of each row."""

    table: Table
    condition: Condition
    _heights: Node = field(init=False)
    _known: npt.NDArray[np.int8] = field(init=False)
    _combination: Ids = field(init=False)
    _codes: list[Codes] = field(init=False)
    _rows: Ids = field(init=False)

    def __post_init__(self) -> None:
        columns = self.table.quasi
        self._heights = tuple(column.hierarchy.height for column in columns)
        self._known = np.zeros([height + 1 for height in self._heights], np.int8)
        sizes = [column.hierarchy.size for column in columns]
        self._combination, first = group_rows([column.codes for column in columns], sizes)
        self._codes = [column.codes[first] for column in columns]
        self._rows = np.bincount(self._combination, minlength=len(first))

    def best(self) -> Recoding:
        lowest = self._lowest()
        if not lowest:
            raise GuaranteeUnreachable
        return self.release(min(lowest, key=self._loss))

    def _loss(self, node: Node) -> float:
        """The sum of the losses of all cells."""
        cells, groups, good = self._at(node)
        each = np.sum(
            [column.hierarchy.loss[cell] for column, cell in zip(self.table.quasi, cells, strict=True)], axis=0
        )
        return float((np.where(good[groups], each, len(cells)) * self._rows).sum())

    def _lowest(self) -> list[Node]:
        """Nodes that meet the guarantee, none of which lies above another."""
        costs = [level_costs(column) for column in self.table.quasi]
        found: list[Node] = []
        for node in self._untold():
            way = self._way(node, costs)
            low, high = 0, len(way)
            while low < high:
                middle = (low + high) // 2
                if self._holds(way[middle]):
                    high = middle
                else:
                    low = middle + 1
            if low < len(way):
                found.append(way[low])
        return [node for node in found if not any(_is_below(other, node) for other in found)]

    def _untold(self) -> Iterator[Node]:
        """Nodes from low to high that no answer has settled yet."""
        order = np.argsort(np.indices(self._known.shape).sum(axis=0), axis=None, kind="stable")
        flat = self._known.reshape(-1)
        for place in order:
            if flat[place] == _UNKNOWN:
                yield tuple(int(level) for level in np.unravel_index(int(place), self._known.shape))

    def _way(self, node: Node, costs: Sequence[npt.NDArray[np.float64]]) -> list[Node]:
        """From ``node`` up by the cheapest steps, as far as nodes are not settled."""
        way = [node]
        while True:
            steps = [
                (float(costs[place][level + 1] - costs[place][level]), place)
                for place, level in enumerate(way[-1])
                if level < self._heights[place] and self._known[_raised(way[-1], place)] == _UNKNOWN
            ]
            if not steps:
                return way
            way.append(_raised(way[-1], min(steps)[1]))

    def _holds(self, node: Node) -> bool:
        """Whether the node meets the guarantee; everything above or below it is settled with it."""
        if self._known[node] == _UNKNOWN:
            _, groups, good = self._at(node)
            short = int(self._rows[~good[groups]].sum())
            if short <= self.condition.guarantee.suppression * len(self.table) + 1e-9:
                self._known[tuple(slice(level, None) for level in node)] = _HOLDS
            else:
                below = self._known[tuple(slice(None, level + 1) for level in node)]
                below[below == _UNKNOWN] = _FAILS
        return bool(self._known[node] == _HOLDS)

    def _at(self, node: Node) -> tuple[list[Codes], Ids, Flags]:
        """What each combination shows at a node, its class there, and which classes meet the guarantee."""
        columns = self.table.quasi
        cells = [
            column.hierarchy.levels[level][codes]
            for column, codes, level in zip(columns, self._codes, node, strict=True)
        ]
        groups, first = group_rows(cells, [len(column.hierarchy.texts) for column in columns])
        if self.condition.is_count_only:
            good = np.bincount(groups, self._rows, minlength=len(first)) >= self.condition.guarantee.k
        else:
            good = self.condition.holds(groups[self._combination], len(first), np.arange(len(self.table)))
        return cells, groups, np.asarray(good)

    def release(self, node: Node) -> Recoding:
        """The table at a node, what falls short dropped."""
        cells, groups, good = self._at(node)
        first = np.unique(groups, return_index=True)[1]
        classes = np.where(good[groups], groups, -1)[self._combination]
        shown = np.stack([column[first] for column in cells], axis=1)
        texts = tuple(column.hierarchy.texts for column in self.table.quasi)
        loss = tuple(column.hierarchy.loss for column in self.table.quasi)
        return settle(Recoding(classes, shown, texts, loss), self.table, self.condition.guarantee)


def _raised(node: Node, place: int) -> Node:
    return (*node[:place], node[place] + 1, *node[place + 1 :])


def _is_below(other: Node, node: Node) -> bool:
    return other != node and all(low <= high for low, high in zip(other, node, strict=True))
