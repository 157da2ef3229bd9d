"""What is counted while the rows of a report go by: memory grows with distinct values, never with rows."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from compliance.reports.kind import ReportKind, Row

#: Values of a breakdown that are shown; the rest are one line.
SHOWN: Final = 10
#: Distinct values of a breakdown that are told apart.
DISTINCT: Final = 50_000


@dataclass
class Tally:
    """Figures of one report. ``sample`` are its first rows, for a page that shows some."""

    kind: ReportKind
    sample_size: int = 0
    rows: int = 0
    sample: list[Row] = field(default_factory=list)
    _days: Counter[str] = field(default_factory=Counter)
    _values: dict[str, Counter[str]] = field(default_factory=dict)
    _measured: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._at = {name: number for number, name in enumerate(self.kind.columns)}
        self._values = {name: Counter() for name in self.kind.breakdowns}

    def add(self, row: Row) -> None:
        self.rows += 1
        if len(self.sample) < self.sample_size:
            self.sample.append(row)
        for name, counted in self._values.items():
            value = str(row[self._at[name]] or "(none)")
            if value in counted or len(counted) < DISTINCT:
                counted[value] += 1
        for measure in self.kind.measures:
            self._measured[measure.name] += str(row[self._at[measure.column]]) in measure.values
        moment = row[self._at[self.kind.time]] if self.kind.time else None
        if isinstance(moment, datetime):
            self._days[moment.date().isoformat()] += 1

    def figures(self) -> list[dict[str, Any]]:
        """Every figure with its name, its value and the query that finds the events behind it."""
        told = [{"name": "Rows", "value": self.rows, "events": self.kind.query}]
        told += [
            {"name": one.name, "value": self._measured[one.name], "events": one.query or self.kind.query}
            for one in self.kind.measures
        ]
        return told

    def breakdowns(self) -> dict[str, list[dict[str, Any]]]:
        """For each column its most frequent values, and all others as one; and rows by day."""
        told = {name: _most(counted, self.rows) for name, counted in self._values.items()}
        if self._days:
            told["by day"] = [{"value": day, "count": count} for day, count in sorted(self._days.items())]
        return told


def _most(counted: Counter[str], rows: int) -> list[dict[str, Any]]:
    shown = [{"value": value, "count": count} for value, count in counted.most_common(SHOWN)]
    rest = rows - sum(count for _, count in counted.most_common(SHOWN))
    return shown + ([{"value": "(others)", "count": rest}] if rest else [])
