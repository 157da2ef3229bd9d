"""What is counted while the rows of a report go by: memory grows with distinct values, never with rows."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from compliance.reports.kind import Measure, Number, ReportKind, Row

#: Values of a breakdown that are shown; the rest are one line.
SHOWN: Final = 10
#: Distinct values of a breakdown that are told apart.
DISTINCT: Final = 50_000
OTHERS: Final = "(others)"
#: The value of an empty cell.
NONE: Final = "(none)"
#: The breakdown of rows by the day of their time, in UTC.
BY_DAY: Final = "by day"


@dataclass
class Tally:
    """Figures of one report. ``sample`` are its first rows, for a page that shows some."""

    kind: ReportKind
    sample_size: int = 0
    rows: int = 0
    sample: list[Row] = field(default_factory=list)
    _days: Counter[date] = field(default_factory=Counter)
    _values: dict[str, Counter[str]] = field(default_factory=dict)
    _pairs: dict[tuple[str, str], Counter[tuple[str, str]]] = field(default_factory=dict)
    _numbers: dict[str, Counter[int]] = field(default_factory=dict)
    _measured: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._at = {name: number for number, name in enumerate(self.kind.columns)}
        self._values = {name: Counter() for name in self.kind.breakdowns}
        self._pairs = {pair: Counter() for pair in self.kind.tables}
        self._numbers = {number.column: Counter() for number in self.kind.numbers}
        self._counted = [(self._at[name], counted) for name, counted in self._values.items()]

    def add(self, row: Row) -> None:
        self.rows += 1
        if len(self.sample) < self.sample_size:
            self.sample.append(row)
        for place, counted in self._counted:
            cell = row[place]
            if cell is not None:
                _count(counted, str(cell or NONE))
        for (first, second), pairs in self._pairs.items():
            cells = row[self._at[first]], row[self._at[second]]
            if None not in cells:
                _count(pairs, (str(cells[0] or NONE), str(cells[1] or NONE)))
        for name, numbers in self._numbers.items():
            cell = row[self._at[name]]
            if isinstance(cell, int):
                numbers[cell] += 1
        for measure in self.kind.measures:
            self._measured[measure.name] += str(row[self._at[measure.column]]) in measure.values
        moment = row[self._at[self.kind.time]] if self.kind.time else None
        if isinstance(moment, datetime):
            self._days[moment.date()] += 1

    def figures(self) -> list[dict[str, Any]]:
        """Every figure with its name, its value, the rows it is made of and the query that finds the events behind it.

        ``rows`` names a column and, where not every value of it counts, which do; it is None where all rows count.
        """
        told = [{"name": "Rows", "value": self.rows, "rows": None, "events": self.kind.query}]
        told += [
            {
                "name": one.name,
                "value": self._measured[one.name],
                "rows": {"column": one.column, "values": sorted(one.values)},
                "events": self._events(one),
            }
            for one in self.kind.measures
        ]
        return told + [
            {
                "name": one.name,
                "value": _made(one, self._numbers[one.column]),
                "rows": {"column": one.column, "of": one.of},
                "events": self._events(one),
            }
            for one in self.kind.numbers
        ]

    def _events(self, one: Measure | Number) -> str:
        return "" if one.query is None else one.query or self.kind.query

    def breakdowns(self) -> dict[str, list[dict[str, Any]]]:
        """For each column its most frequent values, and all others as one; and rows by day."""
        told = {name: _most(counted) for name, counted in self._values.items()}
        if self._days:
            told[BY_DAY] = [{"value": day.isoformat(), "count": count} for day, count in sorted(self._days.items())]
        return told

    def tables(self) -> list[dict[str, Any]]:
        """For each pair of columns how many rows have which two values: a line for each value of the first."""
        return [
            {"rows": pair[0], "columns": pair[1], **_against(counted)}
            for pair, counted in self._pairs.items()
            if counted
        ]


def _count(counted: Counter[Any], value: str | tuple[str, str]) -> None:
    """Values beyond those that are told apart count as others."""
    if value in counted or len(counted) < DISTINCT:
        counted[value] += 1
    else:
        counted[OTHERS if isinstance(value, str) else (OTHERS, value[1])] += 1


def _most(counted: Counter[str]) -> list[dict[str, Any]]:
    rest = Counter(counted)
    known = rest.pop(OTHERS, 0)
    shown = [{"value": value, "count": count} for value, count in rest.most_common(SHOWN)]
    others = known + rest.total() - sum(count for _, count in rest.most_common(SHOWN))
    return shown + ([{"value": OTHERS, "count": others}] if others else [])


def _against(counted: Counter[tuple[str, str]]) -> dict[str, Any]:
    by_first: Counter[str] = Counter()
    by_second: Counter[str] = Counter()
    for (first, second), count in counted.items():
        by_first[first] += count
        by_second[second] += count
    names = [name for name, _ in by_second.most_common(SHOWN)]
    lines = [(first, [counted[first, name] for name in names], count) for first, count in by_first.most_common(SHOWN)]
    return {
        "names": names,
        "lines": [{"value": first, "counts": counts, "total": total} for first, counts, total in lines],
        "left_out": counted.total() - sum(sum(counts) for _, counts, _ in lines),
    }


def _made(number: Number, counted: Counter[int]) -> int | None:
    if not counted:
        return None
    if number.of == "total":
        return sum(value * count for value, count in counted.items())
    return max(counted) if number.of == "most" else _middle(counted)


def _middle(counted: Counter[int]) -> int:
    place = (counted.total() - 1) // 2
    for value in sorted(counted):
        place -= counted[value]
        if place < 0:
            return value
    raise AssertionError  # pragma: no cover - the places of a counter are as many as its total
