"""The picture of a history: a lane a branch, a dot a version, lines from each version to what it comes from."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from datasets.models import Branch, Dataset, Version, VersionTag
from datasets.models.version import DEFAULT_BRANCH

#: Versions drawn: the newest ones.
SHOWN: Final = 100
#: Branches drawn beside the default one: those that moved last.
LANES: Final = 12
_LANE: Final = 28
_ROW: Final = 40
_MARGIN: Final = 24
#: Colours there are; a lane has the one of its number.
_COLOURS: Final = 6


@dataclass(frozen=True)
class Dot:
    """One version in the picture; ``names`` are the branches and tags that point at it."""

    version: Version
    x: int
    y: int
    colour: int
    names: tuple[str, ...]
    is_merge: bool


@dataclass(frozen=True)
class Line:
    """From a version to one it comes from, as an SVG path."""

    path: str
    colour: int
    is_merge: bool


@dataclass(frozen=True)
class Graph:
    """Sizes in pixels; ``text_x`` is where the words beside the dots begin. ``is_cut``: there are older versions."""

    dots: tuple[Dot, ...]
    lines: tuple[Line, ...]
    width: int
    height: int
    text_x: int
    is_cut: bool


def draw_history(dataset: Dataset) -> Graph:
    """The newest versions of a dataset."""
    rows = Version.objects.filter(dataset=dataset).select_related("parent", "merge_parent").order_by("-sequence")
    versions = list(rows[: SHOWN + 1])
    heads = Branch.objects.filter(dataset=dataset, head__isnull=False).order_by("-moved_at").select_related("head")
    tags = VersionTag.objects.filter(dataset=dataset, version__in=versions).order_by("name")
    branches = sorted(heads[:LANES], key=lambda branch: (branch.name != DEFAULT_BRANCH, branch.name))
    names: dict[UUID, list[str]] = defaultdict(list)
    for branch in branches:
        if branch.head_id:
            names[branch.head_id].append(branch.name)
    for tag in tags:
        names[tag.version_id].append(tag.name)
    shown = versions[:SHOWN]
    lanes = lanes_of(shown, [branch.head_id for branch in branches if branch.head_id])
    return _drawn(shown, lanes, names, is_cut=len(versions) > SHOWN)


def lanes_of(versions: Sequence[Version], heads: Iterable[UUID]) -> dict[UUID, int]:
    """A lane for each of ``versions``, which come newest first: each head claims its line of first parents.

    What no head has claimed was put on a branch that is gone; every such line gets a lane of its own.
    """
    known = {version.pk: version for version in versions}
    lanes: dict[UUID, int] = {}
    used = 0
    for start in (*heads, *known):
        version = known.get(start)
        if version is None or version.pk in lanes:
            continue
        while version is not None and version.pk not in lanes:
            lanes[version.pk] = used
            version = known.get(version.parent_id) if version.parent_id else None
        used += 1
    return lanes


def _drawn(
    versions: Sequence[Version], lanes: Mapping[UUID, int], names: Mapping[UUID, list[str]], *, is_cut: bool
) -> Graph:
    places = {
        version.pk: (_MARGIN + lanes[version.pk] * _LANE, _MARGIN + row * _ROW) for row, version in enumerate(versions)
    }
    dots = tuple(
        Dot(
            version=version,
            x=places[version.pk][0],
            y=places[version.pk][1],
            colour=lanes[version.pk] % _COLOURS,
            names=tuple(names.get(version.pk, ())),
            is_merge=version.merge_parent_id is not None,
        )
        for version in versions
    )
    height = _MARGIN + len(versions) * _ROW
    text_x = _MARGIN + max([*lanes.values(), 0]) * _LANE + _LANE
    lines = tuple(line for version in versions for line in _lines(version, places, lanes, floor=height))
    return Graph(dots=dots, lines=lines, width=text_x + 780, height=height, text_x=text_x, is_cut=is_cut)


def _lines(
    version: Version, places: Mapping[UUID, tuple[int, int]], lanes: Mapping[UUID, int], *, floor: int
) -> Iterable[Line]:
    x, y = places[version.pk]
    for parent, is_merge in ((version.parent_id, False), (version.merge_parent_id, True)):
        if parent is None:
            continue
        to_x, to_y = places.get(parent, (x, floor))  # an older one lies below the picture
        colour = lanes.get(parent, lanes[version.pk]) if is_merge else lanes[version.pk]
        yield Line(_path(x, y, to_x, to_y, is_merge=is_merge), colour % _COLOURS, is_merge)


def _path(x: int, y: int, to_x: int, to_y: int, *, is_merge: bool) -> str:
    """Straight down a lane, into another one with a bend of one row: beside the dot whose lane it leaves or joins."""
    if x == to_x:
        return f"M{x} {y}V{to_y}"
    top = y if is_merge else max(y, to_y - _ROW)
    bottom = min(top + _ROW, to_y)
    return f"M{x} {y}V{top}C{x} {bottom} {to_x} {top} {to_x} {bottom}V{to_y}"
