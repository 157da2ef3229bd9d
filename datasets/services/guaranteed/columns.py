"""Spooled rows as columns of small integers: the table the guarantee is found for."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import orjson

from anonymization.guarantees.made import MISSING
from anonymization.guarantees.table import Codes, Quasi, Sensitive, Table
from datasets.errors.analytics import NothingToRelease, TableTooLarge
from datasets.services.guaranteed.hierarchies import hierarchy_of
from datasets.services.guaranteed.options import Column, GuaranteedOptions, Role
from datasets.services.guaranteed.view import Cell

#: Rows of one table, and bytes of the different values of all its columns.
MAX_ROWS: Final = 2_000_000
MAX_TEXT_BYTES: Final = 1 << 30


@dataclass
class Coded:
    """One column: codes of rows, and the value of each code as JSON."""

    codes: "array[int]" = field(default_factory=lambda: array("i"))
    known: dict[bytes, int] = field(default_factory=dict)

    def add(self, cell: Cell) -> int:
        """The bytes that the value takes: none if it is known."""
        text, unknown = orjson.dumps(cell), len(self.known)
        code = self.known.setdefault(text, unknown)
        self.codes.append(code)
        return len(text) if code == unknown else 0

    def as_codes(self) -> Codes:
        return np.frombuffer(self.codes, np.int32)

    def values(self) -> list[Any]:
        """What each code stands for."""
        return [orjson.loads(text) for text in self.known]


@dataclass
class Spooled:
    """Whom each row is about, and the columns in the order they are declared."""

    whose: Coded
    columns: list[Coded]


def collect(options: GuaranteedOptions, rows: Iterable[Sequence[Cell]]) -> Spooled:
    """All spooled rows. Raises TableTooLarge, NothingToRelease."""
    columns = [Coded() for _ in range(len(options.columns) + 1)]
    number = size = 0
    for number, row in enumerate(rows, start=1):
        if number > MAX_ROWS:
            raise TableTooLarge(limit=MAX_ROWS)
        size += sum(column.add(cell) for column, cell in zip(columns, row, strict=True))
        if size > MAX_TEXT_BYTES:
            raise TableTooLarge("The values of the table take more memory than one export may", limit=MAX_ROWS)
    if not number:
        raise NothingToRelease
    return Spooled(columns[0], columns[1:])


def as_text(cell: Cell) -> str:
    """A value of a quasi-identifier as its hierarchy names it."""
    if cell is None:
        return MISSING
    if isinstance(cell, str):
        return cell
    return orjson.dumps(cell).decode()


def table_of(options: GuaranteedOptions, spooled: Spooled) -> Table:
    """Quasi-identifiers under their hierarchies, sensitive values, subjects. Raises InvalidHierarchy,
    ValueOutsideHierarchy.
    """
    declared = list(zip(options.columns, spooled.columns, strict=True))
    return Table(
        quasi=[_quasi(column, coded) for column, coded in declared if column.role is Role.QUASI],
        sensitive=[_sensitive(column, coded) for column, coded in declared if column.role is Role.SENSITIVE],
        subjects=None if options.subject is None else spooled.whose.as_codes(),
    )


def _quasi(column: Column, coded: Coded) -> Quasi:
    texts = [as_text(value) for value in coded.values()]
    # The number 1 and the text "1" are one value here.
    distinct = list(dict.fromkeys(texts))
    hierarchy = hierarchy_of(column, distinct)
    return Quasi(column.name, hierarchy.encode(texts, column=column.name)[coded.as_codes()], hierarchy)


def _sensitive(column: Column, coded: Coded) -> Sensitive:
    values = coded.values()
    if not column.is_ordered or not all(_is_number(value) for value in values):
        return Sensitive(column.name, coded.as_codes(), len(values))
    order = np.argsort(np.array(values, dtype=float), kind="stable")
    place = np.empty(len(values), np.int32)
    place[order] = np.arange(len(values))
    return Sensitive(column.name, place[coded.as_codes()], len(values), is_ordered=True)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
