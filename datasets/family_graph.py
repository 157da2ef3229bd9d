"""Which datasets lineage joins into one family. The migration that made families computes with this, too."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID


class Crossing(NamedTuple):
    """An edge between two datasets, or with a thing outside (whose dataset is None) at one end or both."""

    source: UUID
    source_dataset: UUID | None
    target: UUID
    target_dataset: UUID | None


def joined_datasets(edges: Iterable[Crossing]) -> list[frozenset[UUID]]:
    """The sets of two and more datasets that the edges join.

    Data flows along edges: a dataset is joined with what it came from, and two that came from one source are joined
    with each other. A thing outside from which no dataset came (a trained model) joins nothing.
    """
    known = list(edges)
    passes_on = _passing_on(known)
    datasets = {end for edge in known for end in (edge.source_dataset, edge.target_dataset) if end}
    above: dict[UUID, UUID] = {}
    for edge in known:
        target = edge.target_dataset or edge.target
        if target in datasets or target in passes_on:
            _join(above, edge.source_dataset or edge.source, target)
    found: defaultdict[UUID, set[UUID]] = defaultdict(set)
    for dataset in datasets:
        found[_top(above, dataset)].add(dataset)
    return [frozenset(members) for _, members in sorted(found.items()) if len(members) > 1]


def _passing_on(edges: list[Crossing]) -> set[UUID]:
    """The things outside from which, however far below, a dataset came."""
    sources: defaultdict[UUID, set[UUID]] = defaultdict(set)
    frontier: set[UUID] = set()
    for edge in edges:
        if edge.source_dataset is None and edge.target_dataset is None:
            sources[edge.target].add(edge.source)
        elif edge.source_dataset is None:
            frontier.add(edge.source)
    found: set[UUID] = set()
    while frontier:
        found |= frontier
        frontier = {source for node in frontier for source in sources[node]} - found
    return found


def _top(above: dict[UUID, UUID], item: UUID) -> UUID:
    while item in above:
        item = above[item]
    return item


def _join(above: dict[UUID, UUID], one: UUID, other: UUID) -> None:
    first, second = sorted((_top(above, one), _top(above, other)))
    if first != second:
        above[second] = first
