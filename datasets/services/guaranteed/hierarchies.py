"""The hierarchy of each quasi-identifier: as asked for, or as its values suggest."""

import math
from collections.abc import Sequence
from typing import Final

from anonymization.guarantees.errors import InvalidHierarchy
from anonymization.guarantees.hierarchy import Hierarchy, parse_hierarchy
from anonymization.guarantees.made import MISSING, dates, flat, intervals, prefixes
from datasets.services.guaranteed.options import Column, HierarchyKind

#: Intervals of a number column at its narrowest, about; and how they widen.
_INTERVALS: Final = 40
_WIDER: Final = (1, 5, 10, 50)
_STEPS: Final = ("day", "month", "year", "decade")
#: Numbers of so few values are categories; only more of them are put in intervals.
_FEW: Final = 12


def hierarchy_of(column: Column, values: Sequence[str]) -> Hierarchy:
    """``values`` are the distinct ones of the column, "" for a missing one. Raises InvalidHierarchy."""
    plan = column.hierarchy
    if plan.kind is HierarchyKind.TABLE:
        return _with_missing(plan.table, values, is_ordered=plan.is_ordered)
    if plan.kind is HierarchyKind.INTERVALS:
        return intervals(values, [float(step) for step in plan.steps])
    if plan.kind is HierarchyKind.PREFIXES:
        return prefixes(values, [int(step) for step in plan.steps])
    if plan.kind is HierarchyKind.DATES:
        return dates(values, [str(step) for step in plan.steps] or _STEPS)
    return flat(values) if plan.kind is HierarchyKind.FLAT else suggested(values)


def _with_missing(table: str, values: Sequence[str], *, is_ordered: bool) -> Hierarchy:
    """The table as given; a row for missing values is added where it has none and they occur."""
    if MISSING not in values or is_ordered or any(line.startswith((";", ",")) for line in table.splitlines()):
        return parse_hierarchy(table, is_ordered=is_ordered)
    first = table.strip().splitlines()[0]
    delimiter = ";" if ";" in first else ","
    top = first.rsplit(delimiter, 1)[-1]
    return parse_hierarchy(f"{table.rstrip()}\n{delimiter * first.count(delimiter)}{top}\n")


def suggested(values: Sequence[str]) -> Hierarchy:
    """Intervals for numbers, dates for dates, else each value or any."""
    known = [value for value in values if value != MISSING]
    if len(known) > _FEW:
        for make in (_in_intervals, _by_dates):
            try:
                return make(values, known)
            except (InvalidHierarchy, ValueError):
                continue
    return flat(values)


def _by_dates(values: Sequence[str], _: Sequence[str]) -> Hierarchy:
    return dates(values, _STEPS)


def _in_intervals(values: Sequence[str], known: Sequence[str]) -> Hierarchy:
    numbers = [float(value) for value in known]
    spread = max(numbers) - min(numbers)
    power = 10.0 ** math.floor(math.log10(spread / _INTERVALS)) if spread > 0 else 1.0
    width = next((power * step for step in (1, 2, 5) if power * step * _INTERVALS >= spread), power * 10)
    if all(number == int(number) for number in numbers):
        width = max(round(width), 1)
    return intervals(values, [width * step for step in _WIDER])
