"""A table as the algorithms see it: small integers, with the texts they stand for kept aside."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from anonymization.guarantees.hierarchy import Hierarchy

Codes = npt.NDArray[np.int32]
Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Quasi:
    """A quasi-identifier: ``codes`` (one a row) are places in its hierarchy's lowest level."""

    name: str
    codes: Codes
    hierarchy: Hierarchy


@dataclass(frozen=True)
class Sensitive:
    """A sensitive attribute of ``size`` values; with ``is_ordered`` their codes are in order.

    ``tree`` measures distances of values by where their branches meet.
    """

    name: str
    codes: Codes
    size: int
    is_ordered: bool = False
    tree: Hierarchy | None = None


@dataclass(frozen=True)
class Table:
    """``subjects`` (one code a row) says whom a row is about; without it every row counts as a subject of its own."""

    quasi: Sequence[Quasi]
    sensitive: Sequence[Sensitive] = ()
    subjects: Codes | None = None

    def __len__(self) -> int:
        return len(self.quasi[0].codes)


@dataclass(frozen=True)
class Recoding:
    """What an algorithm makes of a table.

    ``classes`` gives each row its class, -1 where it is dropped. ``cells[class, column]`` is a place in the column's
    ``texts``, whose loss (0 to 1) is at the same place of ``loss``. No two classes show the same texts.
    """

    classes: Ids
    cells: Codes
    texts: Sequence[Sequence[str]]
    loss: Sequence[Floats]

    @property
    def count(self) -> int:
        return len(self.cells)

    def sizes(self) -> Ids:
        """Rows of each class."""
        return np.bincount(self.classes[self.classes >= 0], minlength=self.count)

    def class_loss(self) -> Floats:
        """The sum of the losses of the cells of one row of each class."""
        total = np.zeros(self.count)
        for column, loss in enumerate(self.loss):
            total += loss[self.cells[:, column]]
        return total

    def row(self, row: int) -> tuple[str, ...] | None:
        """The texts a row shows; None when it is dropped."""
        place = int(self.classes[row])
        return None if place < 0 else self.shown(place)

    def shown(self, place: int) -> tuple[str, ...]:
        """The texts of a class."""
        return tuple(texts[cell] for texts, cell in zip(self.texts, self.cells[place], strict=True))


def encode(values: Sequence[Any]) -> tuple[Codes, list[str]]:
    """Codes of ``values`` in the order they first appear, and what each stands for."""
    known: dict[Any, int] = {}
    codes = np.fromiter((known.setdefault(value, len(known)) for value in values), np.int32, len(values))
    return codes, list(known)
