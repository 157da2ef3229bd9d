"""What a kind of report is made of: where its rows come from, and what is counted over them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from vaultsite.kernel.tenancy.principal import Principal

#: What a cell holds; times are in UTC.
Cell = str | int | datetime | None
Row = tuple[Cell, ...]


@dataclass(frozen=True)
class Ask:
    """One report as it is written. ``scope`` opens a short transaction of the tenant; rows are read page by page in it.

    ``since`` is inclusive, ``until`` exclusive; empty ``datasets`` and ``users`` do not restrict. ``asker`` is who
    asked, as they are now: of datasets a report shows those that they may see.
    """

    tenant_id: UUID
    asker: Principal
    since: datetime
    until: datetime
    datasets: frozenset[UUID]
    users: frozenset[UUID]
    scope: Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True)
class Measure:
    """A figure: how many rows have one of ``values`` in ``column``.

    ``query`` finds the events behind it; empty: those of the whole report, None: no event tells of it.
    """

    name: str
    column: str
    values: frozenset[str]
    query: str | None = ""


@dataclass(frozen=True)
class Number:
    """A figure made of the numbers in ``column``; cells without one do not count, and of none there is no figure.

    A median is the lower of two in the middle: a number that really is in a row. ``query`` is as in Measure.
    """

    name: str
    column: str
    of: Literal["median", "most", "total"]
    query: str | None = ""


#: What a report may be restricted to.
SCOPES: Final = ("datasets", "users")


@dataclass(frozen=True)
class ReportKind:
    """``maps_to`` are controls that the report is evidence for; it proves none of them by itself.

    ``breakdowns`` are columns whose values are counted, ``tables`` pairs of columns counted against each other; a cell
    of None does not apply to its row and is not counted. ``time`` is the column that is drawn over days. ``query``
    finds the events the rows were made of in the explorer of the audit; empty where rows are made of tables.

    ``needs`` are the actions that show the same elsewhere: who may not do them gets no such report. ``scopes`` are
    those of SCOPES that restrict it. ``page_columns`` are those that a page has room for; empty: all.
    """

    code: str
    title: str
    about: str
    maps_to: tuple[str, ...]
    columns: tuple[str, ...]
    rows: Callable[[Ask], Iterator[Row]]
    breakdowns: tuple[str, ...] = ()
    measures: tuple[Measure, ...] = ()
    numbers: tuple[Number, ...] = ()
    tables: tuple[tuple[str, str], ...] = ()
    time: str = ""
    query: str = ""
    notes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    scopes: tuple[str, ...] = SCOPES
    page_columns: tuple[str, ...] = ()


#: What every report says of itself.
STATEMENT: Final = (
    "This report is evidence from the vault's own records. It maps to the controls named; whether they are met is for "
    "people to judge."
)
