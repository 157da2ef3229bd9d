"""The nodes of the generalization lattice: a level for each column, walked from what costs least to what costs most."""

import itertools
import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from anonymization.guarantees.hierarchy import Hierarchy
from anonymization.guarantees.table import Floats, Ids, Quasi

#: Nodes of a lattice that are all looked at when it has no more; of a larger one so many are drawn.
ENUMERATED: Final = 20_000
DRAWN: Final = 6_000
#: The cheapest nodes release nearly all rows and are all tried; the steps after them grow by one each THINNING nodes.
FIRST: Final = 600
THINNING: Final = 300
_SEED: Final = 0x6E6F6465


def level_costs(column: Quasi) -> Floats:
    """The mean loss of the column's cells at each of its levels."""
    weight = np.bincount(column.codes, minlength=column.hierarchy.size) / max(len(column.codes), 1)
    return np.array([(column.hierarchy.loss[level] * weight).sum() for level in column.hierarchy.levels])


def size_of(hierarchies: Sequence[Hierarchy]) -> int:
    return math.prod(hierarchy.height + 1 for hierarchy in hierarchies)


def cheapest_first(columns: Sequence[Quasi]) -> Ids:
    """Nodes (one a row, a level for each column) by their mean loss; the lowest and the highest are always there."""
    heights = [column.hierarchy.height for column in columns]
    costs = [level_costs(column) for column in columns]
    if size_of([column.hierarchy for column in columns]) <= ENUMERATED:
        nodes = np.array(list(itertools.product(*(range(height + 1) for height in heights))), np.int64)
    else:
        nodes = _drawn(heights, costs)
    total = np.sum([cost[nodes[:, place]] for place, cost in enumerate(costs)], axis=0)
    nodes = nodes[np.argsort(total, kind="stable")]
    return np.asarray(nodes[_thinned(len(nodes))])


def _thinned(count: int) -> Ids:
    kept, place = [], 0
    while place < count - 1:
        kept.append(place)
        place += 1 + max(place - FIRST, 0) // THINNING
    return np.array([*kept, count - 1], np.int64)


def _drawn(heights: Sequence[int], costs: Sequence[Floats]) -> Ids:
    """Nodes on ways from the bottom to the top, cheap steps being likelier; the same for the same columns."""
    random = np.random.default_rng(_SEED)
    found: dict[tuple[int, ...], None] = {tuple([0] * len(heights)): None, tuple(heights): None}
    while len(found) < DRAWN:
        node, before = [0] * len(heights), len(found)
        while node != list(heights):
            open_columns = [place for place, level in enumerate(node) if level < heights[place]]
            steps = np.array([costs[place][node[place] + 1] - costs[place][node[place]] for place in open_columns])
            chances = 1.0 / (np.maximum(steps, 0.0) + 0.02)
            node[int(random.choice(open_columns, p=chances / chances.sum()))] += 1
            found[tuple(node)] = None
        if len(found) == before:
            break
    return np.array(list(found), np.int64)
