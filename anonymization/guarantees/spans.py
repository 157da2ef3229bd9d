"""Ranges of ordered values and sets of categories: what a group shows that no hierarchy names."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from anonymization.guarantees.hierarchy import ANY, Hierarchy
from anonymization.guarantees.table import Codes, Floats, Ids, Quasi

#: Categories that one set names; a wider one shows the values' label for all.
_NAMED: Final = 62


@dataclass(frozen=True)
class Shown:
    """As in Recoding."""

    cells: Codes
    texts: tuple[tuple[str, ...], ...]
    loss: tuple[Floats, ...]


def show_spans(columns: Sequence[Quasi], classes: Ids, count: int) -> Shown:
    """What each of ``count`` classes shows; every class has rows."""
    order = np.argsort(classes, kind="stable")
    starts = np.searchsorted(classes[order], np.arange(count))
    made = [_column(column.hierarchy, column.codes[order], starts) for column in columns]
    return Shown(
        np.stack([cells for cells, _, _ in made], axis=1),
        tuple(texts for _, texts, _ in made),
        tuple(loss for _, _, loss in made),
    )


def _column(hierarchy: Hierarchy, codes: Codes, starts: Ids) -> tuple[Codes, tuple[str, ...], Floats]:
    if hierarchy.positions is None and hierarchy.size <= _NAMED:
        masks = np.bitwise_or.reduceat(np.int64(1) << codes.astype(np.int64), starts)
        known, cells = np.unique(masks, return_inverse=True)
        spans = [[code for code in range(hierarchy.size) if mask >> code & 1] for mask in known.tolist()]
        texts = [_named(hierarchy, span) for span in spans]
        loss = [(len(span) - 1) / max(hierarchy.size - 1, 1) for span in spans]
    else:
        low, high = np.minimum.reduceat(codes, starts), np.maximum.reduceat(codes, starts)
        known, cells = np.unique(low.astype(np.int64) * hierarchy.size + high, return_inverse=True)
        ends = [divmod(key, hierarchy.size) for key in known.tolist()]
        texts = [_ranged(hierarchy, *pair) for pair in ends]
        loss = [_width(hierarchy, *pair) for pair in ends]
    # The label for all stands ready for classes of which nothing can be shown.
    return cells.astype(np.int32), (*texts, ANY), np.array([*loss, 1.0])


def _text(hierarchy: Hierarchy, code: int) -> str:
    return hierarchy.texts[int(hierarchy.levels[0][code])]


def _named(hierarchy: Hierarchy, span: list[int]) -> str:
    texts = [_text(hierarchy, code) for code in span]
    return texts[0] if len(texts) == 1 else "{" + ", ".join(texts) + "}"


def _ranged(hierarchy: Hierarchy, low: int, high: int) -> str:
    if low == high:
        return _text(hierarchy, low)
    if hierarchy.positions is None:
        return _common(hierarchy, low, high)
    return f"[{_text(hierarchy, low)}, {_text(hierarchy, high)}]"


def _common(hierarchy: Hierarchy, low: int, high: int) -> str:
    """The lowest label over all categories between two; they are in the order of their branches."""
    for level in hierarchy.levels:
        if level[low] == level[high]:
            return hierarchy.texts[int(level[low])]
    return ANY


def _width(hierarchy: Hierarchy, low: int, high: int) -> float:
    if low == high:
        return 0.0
    if hierarchy.positions is None:
        return float(hierarchy.loss[hierarchy.texts.index(_common(hierarchy, low, high))])
    whole = float(hierarchy.positions[-1] - hierarchy.positions[0])
    # Equal moments may have two spellings: two values without a distance.
    return float(hierarchy.positions[high] - hierarchy.positions[low]) / whole if whole else 0.0
