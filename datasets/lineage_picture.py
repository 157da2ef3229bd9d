"""Places the nodes of a lineage graph on a plane: sources left, what came of them right, few crossings."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from datasets.lineage_graph import Graph
from datasets.models import LineageEdge, LineageNode

BOX_WIDTH: Final = 200
BOX_HEIGHT: Final = 52
_COLUMN: Final = 290
_ROW: Final = 76
_MARGIN: Final = 24
_SWEEPS: Final = 4


@dataclass(frozen=True)
class Box:
    """A node with its upper left corner, in user units of the picture."""

    node: LineageNode
    x: int
    y: int
    title: str
    subtitle: str
    url: str
    is_start: bool

    @property
    def middle(self) -> int:
        return self.x + BOX_WIDTH // 2

    @property
    def title_y(self) -> int:
        return self.y + 22

    @property
    def subtitle_y(self) -> int:
        return self.y + 39


@dataclass(frozen=True)
class Arrow:
    """An edge as the path of a curve from the right side of one box to the left side of another."""

    edge: LineageEdge
    path: str
    label: str
    label_x: int
    label_y: int
    source: Box
    target: Box


@dataclass(frozen=True)
class Picture:
    width: int
    height: int
    boxes: list[Box]
    arrows: list[Arrow]


def draw(graph: Graph, titles: dict[UUID, tuple[str, str, str]]) -> Picture:
    """The picture of the nodes that ``titles`` names: (title, subtitle, url or "") by node id."""
    edges = [edge for edge in graph.edges.values() if edge.source_id in titles and edge.target_id in titles]
    columns = _ordered(_layers(list(titles), edges), edges)
    boxes: dict[UUID, Box] = {}
    for column, ids in enumerate(columns):
        for row, pk in enumerate(ids):
            x, y = _MARGIN + column * _COLUMN, _MARGIN + row * _ROW
            boxes[pk] = Box(graph.nodes[pk], x, y, *titles[pk], is_start=pk == graph.start)
    return Picture(
        width=2 * _MARGIN + max(len(columns) - 1, 0) * _COLUMN + BOX_WIDTH,
        height=2 * _MARGIN + max((len(ids) for ids in columns), default=1) * _ROW,
        boxes=list(boxes.values()),
        arrows=[_arrow(edge, boxes[edge.source_id], boxes[edge.target_id]) for edge in edges],
    )


def _layers(nodes: Sequence[UUID], edges: Iterable[LineageEdge]) -> list[list[UUID]]:
    """Each node one layer to the right of the rightmost it came from."""
    below: dict[UUID, list[UUID]] = defaultdict(list)
    missing = dict.fromkeys(nodes, 0)
    for edge in edges:
        below[edge.source_id].append(edge.target_id)
        missing[edge.target_id] += 1
    layer = dict.fromkeys(nodes, 0)
    ready = sorted((pk for pk, count in missing.items() if not count), key=str)
    for pk in ready:  # grows while it is walked
        for target in below[pk]:
            layer[target] = max(layer[target], layer[pk] + 1)
            missing[target] -= 1
            if not missing[target]:
                ready.append(target)
    layers: list[list[UUID]] = [[] for _ in range(max(layer.values(), default=0) + 1)]
    for pk in nodes:
        layers[layer[pk]].append(pk)
    return layers


def _ordered(layers: list[list[UUID]], edges: Sequence[LineageEdge]) -> list[list[UUID]]:
    """Sort every layer by the mean place of its neighbours (the barycentre heuristic of Sugiyama et al., 1981)."""
    near: dict[UUID, list[UUID]] = defaultdict(list)
    for edge in edges:
        near[edge.source_id].append(edge.target_id)
        near[edge.target_id].append(edge.source_id)
    for _ in range(_SWEEPS):
        place = {pk: row for ids in layers for row, pk in enumerate(ids)}
        for ids in layers:
            ids.sort(key=lambda pk: (sum(place[other] for other in near[pk]) / (len(near[pk]) or 1), str(pk)))
            place.update({pk: row for row, pk in enumerate(ids)})
    return layers


def _arrow(edge: LineageEdge, source: Box, target: Box) -> Arrow:
    x1, y1 = source.x + BOX_WIDTH, source.y + BOX_HEIGHT // 2
    x2, y2 = target.x, target.y + BOX_HEIGHT // 2
    bend = (x2 - x1) // 2
    return Arrow(
        edge=edge,
        path=f"M{x1},{y1} C{x1 + bend},{y1} {x2 - bend},{y2} {x2},{y2}",
        label=edge.get_kind_display(),
        label_x=(x1 + x2) // 2,
        label_y=(y1 + y2) // 2 - 6,
        source=source,
        target=target,
    )
