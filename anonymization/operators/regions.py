"""Regions: the stretches of a text to hide, made of findings that may overlap; neither characters nor JSON break."""

import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from anonymization.detectors.encodings import json_literals
from anonymization.findings import UNSCANNABLE, Finding
from anonymization.operators.strategy import Strategy, strictest

_JOINERS: Final = frozenset("\u200d\ufe0e\ufe0f")


class Region(NamedTuple):
    """A stretch of text to hide: overlapping findings joined, under the type of the strongest of them."""

    start: int
    end: int
    entity_type: str
    strategy: Strategy


def regions_of(found: Iterable[tuple[Finding, Strategy]], fallback: Strategy) -> list[Region]:
    """The stretches that findings cover, in order; what overlaps is one stretch.

    The name of a stretch is that of its best finding: unscannable content before the highest score before the longest.
    Its strategy is the strictest of all its findings'.
    """
    regions: list[Region] = []
    rank: tuple[bool, float, int] = (False, 0.0, 0)
    for finding, strategy in sorted(found, key=lambda one: (one[0].start, -one[0].end)):
        own = (finding.entity_type == UNSCANNABLE, finding.score, finding.end - finding.start)
        if regions and finding.start < regions[-1].end:
            last = regions.pop()
            name = finding.entity_type if own > rank else last.entity_type
            stricter = strictest((last.strategy, strategy), fallback) or strategy
            regions.append(Region(last.start, max(last.end, finding.end), name, stricter))
            rank = max(rank, own)
        else:
            regions.append(Region(finding.start, finding.end, finding.entity_type, strategy))
            rank = own
    return regions


def whole_characters(text: str, regions: Sequence[Region]) -> list[Region]:
    """The regions grown to whole characters as readers see them: no mark of what is hidden stays behind it."""
    grown: list[Region] = []
    for region in regions:
        start, end = region.start, region.end
        while start > 0 and _continues(text[start]):
            start -= 1
        while end < len(text) and _continues(text[end]):
            end += 1
        if grown and start < grown[-1].end:
            start = grown[-1].end
        if start < end:
            grown.append(region._replace(start=start, end=end))
    return grown


def _continues(char: str) -> bool:
    return char in _JOINERS or unicodedata.category(char) in ("Mn", "Me")


def within_literals(text: str, regions: Sequence[Region]) -> list[tuple[Region, tuple[int, int, bool]]]:
    """The regions of JSON text, each inside one of its literals (start, end, is string); numbers are taken whole.

    A region over several literals hides each of them; syntax and space between them stay, so JSON stays JSON.
    """
    literals = json_literals(text)
    starts = [start for start, _, _ in literals]
    cut: list[tuple[Region, tuple[int, int, bool]]] = []
    for region in regions:
        for literal in literals[max(0, bisect_right(starts, region.start) - 1) :]:
            start, end, is_string = literal
            if start >= region.end:
                break
            first, last = (start + 1, end - 1) if is_string else (start, end)
            inside = (max(first, region.start), min(last, region.end)) if is_string else (first, last)
            is_known = cut and cut[-1][1] == literal and not is_string
            if end > region.start and inside[0] < inside[1] and not is_known:
                cut.append((region._replace(start=inside[0], end=inside[1]), literal))
    return cut
