"""What a kind of report is made of: where its rows come from, and what is counted over them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
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
    """A figure: how many rows have one of ``values`` in ``column``; ``query`` finds the events behind it."""

    name: str
    column: str
    values: frozenset[str]
    query: str = ""


@dataclass(frozen=True)
class ReportKind:
    """``maps_to`` are controls that the report is evidence for; it proves none of them by itself.

    ``breakdowns`` are columns whose values are counted; ``time`` is the column that is drawn over days. ``query`` finds
    the events the rows were made of in the explorer of the audit; empty where rows are made of tables.
    """

    code: str
    title: str
    about: str
    maps_to: tuple[str, ...]
    columns: tuple[str, ...]
    rows: Callable[[Ask], Iterator[Row]]
    breakdowns: tuple[str, ...] = ()
    measures: tuple[Measure, ...] = ()
    time: str = ""
    query: str = ""
    notes: tuple[str, ...] = field(default=())


#: What every report says of itself.
STATEMENT: Final = (
    "This report is evidence from the vault's own records. It maps to the controls named; whether they are met is for "
    "people to judge."
)
