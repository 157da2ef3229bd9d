"""The path from an event to the signed root, as something to look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

#: Distance of two levels and of siblings, in the picture's units.
_STEP: Final = 34
_SPREAD: Final = 22
_MARGIN: Final = 20


@dataclass(frozen=True)
class Level:
    """One level of the path: where the node of the path and its sibling are drawn, and the sibling's hash."""

    x: int
    y: int
    sibling_x: int
    sibling_y: int
    side: str
    digest: str


@dataclass(frozen=True)
class Picture:
    """The levels from the leaf up, the root's place, and how large the whole is."""

    levels: tuple[Level, ...]
    x: int
    y: int
    width: int
    height: int


def draw(seq: int, size: int, path: Sequence[bytes]) -> Picture:
    """The path of a leaf through its tree, climbing from left to right."""
    height = _MARGIN + _SPREAD * 2
    levels = tuple(
        Level(
            x=_MARGIN + place * _STEP,
            y=_MARGIN,
            sibling_x=_MARGIN + place * _STEP,
            sibling_y=_MARGIN + _SPREAD * 2 - 4,
            side=side,
            digest=sibling.hex(),
        )
        for place, (side, sibling) in enumerate(zip(_sides(seq, size), path, strict=False))
    )
    width = 2 * _MARGIN + len(levels) * _STEP
    return Picture(levels, width - _MARGIN, _MARGIN, width, height + 6)


def _sides(seq: int, size: int) -> list[str]:
    """On which side of the path each sibling lies, from the leaf up (RFC 9162 section 2.1.3.2)."""
    sides, place, last = [], seq, size - 1
    while last:
        if place & 1 or place == last:
            sides.append("left")
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            sides.append("right")
        place, last = place >> 1, last >> 1
    return sides
