"""Generalization hierarchies: for each value the labels it may be shown as, from itself to one label for all."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from anonymization.guarantees.errors import InvalidHierarchy, ValueOutsideHierarchy

#: The label for all.
ANY: Final = "*"
MAX_LEVELS: Final = 16
MAX_VALUES: Final = 200_000


@dataclass(frozen=True)
class Hierarchy:
    """``levels[i][code]`` is the place in ``texts`` of the label that ``code`` has at level i; level 0 are the values.

    ``positions`` are where the values of an ordered column lie on its scale; None for categories.
    """

    levels: tuple[npt.NDArray[np.int32], ...]
    texts: tuple[str, ...]
    positions: npt.NDArray[np.float64] | None = None

    @classmethod
    def of(cls, rows: Sequence[Sequence[str]], *, positions: Sequence[float] | None = None) -> Self:
        """A line for each value: itself, then its labels from narrow to ``*`` (added where the last ones differ).

        Categories are put in the order of their branches, ordered values in that of ``positions``, so that
        neighbouring codes are alike. Raises InvalidHierarchy.
        """
        lines = _checked([tuple(row) for row in rows])
        if positions is None:
            lines.sort(key=lambda line: line[::-1])
            scale = None
        else:
            order = np.argsort(np.asarray(positions, dtype=float), kind="stable")
            lines = [lines[place] for place in order]
            scale = np.asarray(positions, dtype=float)[order]
        known: dict[str, int] = {}
        levels = tuple(
            np.array([known.setdefault(line[level], len(known)) for line in lines], np.int32)
            for level in range(len(lines[0]))
        )
        return cls(levels, tuple(known), scale)

    @property
    def size(self) -> int:
        """How many values there are."""
        return len(self.levels[0])

    @property
    def height(self) -> int:
        """The highest level."""
        return len(self.levels) - 1

    @property
    def top(self) -> int:
        """The place of the label for all."""
        return int(self.levels[-1][0])

    @cached_property
    def loss(self) -> npt.NDArray[np.float64]:
        """For each text the share of all values it may stand for (NCP of Xu et al. 2006); 0 when it is a single one."""
        lost = np.zeros(len(self.texts))
        for level in self.levels[1:]:
            covered = np.bincount(level, minlength=len(self.texts))
            np.maximum(lost, np.where(covered > 1, covered / self.size, 0.0), out=lost)
        lost[self.top] = 1.0
        return lost

    @cached_property
    def codes(self) -> dict[str, int]:
        """The code of each value."""
        return {self.texts[place]: code for code, place in enumerate(self.levels[0])}

    def encode(self, values: Sequence[str], *, column: str) -> npt.NDArray[np.int32]:
        """The codes of ``values``. Raises ValueOutsideHierarchy."""
        codes = self.codes
        try:
            return np.fromiter((codes[value] for value in values), np.int32, len(values))
        except KeyError:
            raise ValueOutsideHierarchy(column=column) from None


def _checked(lines: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    if not lines:
        raise InvalidHierarchy("A hierarchy has at least one line")
    widths = {len(line) for line in lines}
    if len(widths) > 1 or not 1 <= widths.pop() <= MAX_LEVELS or len(lines) > MAX_VALUES:
        raise InvalidHierarchy(f"Every line has the same number of labels, 1 to {MAX_LEVELS}; {MAX_VALUES} lines fit")
    if len({line[0] for line in lines}) < len(lines):
        raise InvalidHierarchy("A value has two lines")
    if len({line[-1] for line in lines}) > 1 or len(lines[0]) == 1:
        lines = [(*line, ANY) for line in lines]
    for level in range(1, len(lines[0]) - 1):
        above: dict[str, str] = {}
        if any(above.setdefault(line[level], line[level + 1]) != line[level + 1] for line in lines):
            raise InvalidHierarchy("A label stands under two labels of the level above it", level=level)
    return lines


def parse_hierarchy(text: str, *, is_ordered: bool = False) -> Hierarchy:
    """A CSV as ARX ships them: no heading, ``;`` (or ``,``) between value and labels. Raises InvalidHierarchy."""
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    rows = [row for row in csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=delimiter) if row]
    if not is_ordered:
        return Hierarchy.of(rows)
    try:
        positions = [float(row[0]) for row in rows]
    except ValueError:
        raise InvalidHierarchy("An ordered hierarchy has numbers as values") from None
    return Hierarchy.of(rows, positions=positions)
