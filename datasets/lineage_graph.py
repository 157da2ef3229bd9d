"""Walks the lineage graph: what is above or below a node, the way between two, whether an edge closes a cycle."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal
from uuid import UUID

from django.db import connections

from datasets.models import LineageEdge, LineageNode

Direction = Literal["upstream", "downstream", "both"]

#: A walk stops at this many nodes and says so.
MAX_NODES: Final = 2_000
_BATCH: Final = 1_000

#: Recursive, because Django's ORM has no recursion. UNION drops what was seen, so that it ends on any graph.
_REACHES: Final = """
    WITH RECURSIVE below(id) AS (
        SELECT %s::uuid
         UNION
        SELECT edge.target_id FROM lineage_edges edge JOIN below ON edge.source_id = below.id
    )
    SELECT EXISTS (SELECT 1 FROM below WHERE id = %s)
"""
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


@dataclass
class Graph:
    """Nodes by id with their distance from the start, and the edges among them.

    ``is_cut`` says that the depth or the number of nodes ended the walk before the graph did.
    """

    start: UUID
    depths: dict[UUID, int] = field(default_factory=dict)
    edges: dict[UUID, LineageEdge] = field(default_factory=dict)
    nodes: dict[UUID, LineageNode] = field(default_factory=dict)
    is_cut: bool = False


def walk(start: UUID, *, direction: Direction, depth: int, limit: int = MAX_NODES) -> Graph:
    """The graph around ``start`` up to ``depth`` edges away; one query a level and direction."""
    graph = Graph(start, {start: 0})
    ways = ("upstream", "downstream") if direction == "both" else (direction,)
    for way in ways:
        _walk(graph, way, depth, limit)
    graph.nodes = {node.pk: node for node in LineageNode.objects.filter(pk__in=list(graph.depths))}
    graph.edges = {
        pk: edge
        for pk, edge in graph.edges.items()
        if edge.source_id in graph.depths and edge.target_id in graph.depths
    }
    return graph


def _walk(graph: Graph, way: str, depth: int, limit: int) -> None:
    frontier = {graph.start}
    for distance in range(1, depth + 2):
        found = _edges(frontier, way)
        ends = {edge.source_id if way == "upstream" else edge.target_id for edge in found}
        fresh = ends - graph.depths.keys()
        if distance > depth or len(graph.depths) + len(fresh) > limit:
            graph.is_cut = graph.is_cut or bool(fresh)
            return
        graph.edges.update({edge.pk: edge for edge in found})
        graph.depths.update(dict.fromkeys(fresh, distance))
        frontier = fresh
        if not frontier:
            return


def _edges(nodes: Iterable[UUID], way: str) -> list[LineageEdge]:
    ids = sorted(nodes)
    found: list[LineageEdge] = []
    for start in range(0, len(ids), _BATCH):
        batch = ids[start : start + _BATCH]
        rows = LineageEdge.objects.filter(target_id__in=batch) if way == "upstream" else None
        found += rows if rows is not None else LineageEdge.objects.filter(source_id__in=batch)
    return found


def shortest_path(source: UUID, target: UUID, *, limit: int = 10_000) -> list[LineageEdge] | None:
    """The edges from ``source`` down to ``target``; None when none leads there within ``limit`` nodes."""
    reached: dict[UUID, LineageEdge | None] = {source: None}
    frontier = {source}
    while frontier and target not in reached and len(reached) <= limit:
        found = [edge for edge in _edges(frontier, "downstream") if edge.target_id not in reached]
        reached.update({edge.target_id: edge for edge in found})
        frontier = {edge.target_id for edge in found}
    if target not in reached:
        return None
    path: list[LineageEdge] = []
    while (edge := reached[target]) is not None:
        path.append(edge)
        target = edge.source_id
    return path[::-1]


def reaches(source: UUID, target: UUID) -> bool:
    """Whether ``target`` is ``source`` or below it, however far."""
    with connections["default"].cursor() as cursor:
        cursor.execute(_REACHES, [source, target])
        (found,) = cursor.fetchone()
    return bool(found)


def lock_graph(tenant_id: UUID) -> None:
    """Hold the tenant's graph until the transaction ends, so that two edges cannot close a cycle between them."""
    with connections["default"].cursor() as cursor:
        cursor.execute(_LOCK, [f"lineage {tenant_id}"])
