"""Hierarchies made from the values of a column: intervals, prefixes, dates, or one step from a value to any."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from anonymization.guarantees.errors import InvalidHierarchy
from anonymization.guarantees.hierarchy import ANY, Hierarchy

#: What a missing value is shown as below the top.
MISSING: Final = ""
MAX_WIDTHS: Final = 10


def flat(values: Sequence[str]) -> Hierarchy:
    """Each value, or any."""
    return Hierarchy.of([(value, ANY) for value in values])


def intervals(values: Sequence[str], widths: Sequence[float]) -> Hierarchy:
    """Numbers, then intervals ``[low, high)`` of each width, each width a whole multiple of the one before.

    Raises InvalidHierarchy for values that are no numbers.
    """
    _require_nested(widths)
    numbers = [_number(value) for value in values]
    rows = [
        (value, *(MISSING if number is None else _interval(number, width) for width in widths), ANY)
        for value, number in zip(values, numbers, strict=True)
    ]
    known = [number for number in numbers if number is not None]
    lowest = min(known, default=0.0) - 1
    return Hierarchy.of(rows, positions=[lowest if number is None else number for number in numbers])


def _require_nested(widths: Sequence[float]) -> None:
    if not widths or len(widths) > MAX_WIDTHS or widths[0] <= 0:
        raise InvalidHierarchy(f"Intervals need 1 to {MAX_WIDTHS} widths above zero")
    for narrow, wide in pairwise(widths):
        if wide <= narrow or wide % narrow:
            raise InvalidHierarchy("Each width is a whole multiple of the one before")


def _number(value: str) -> float | None:
    if value == MISSING:
        return None
    try:
        number = float(value)
    except ValueError:
        raise InvalidHierarchy("A column in intervals holds something that is no number") from None
    if number != number or number in (float("inf"), float("-inf")):  # noqa: PLR0124 - only NaN differs from itself
        raise InvalidHierarchy("A column in intervals holds something that is no number")
    return number


def _interval(number: float, width: float) -> str:
    low = number // width * width
    return f"[{low:.10g}, {low + width:.10g})"


def prefixes(values: Sequence[str], lengths: Sequence[int]) -> Hierarchy:
    """Codes such as ZIP codes: themselves, then ever shorter prefixes with ``*`` for each character left out."""
    if not lengths or any(longer <= shorter for longer, shorter in pairwise(lengths)):
        raise InvalidHierarchy("Lengths of prefixes go down")
    if lengths[-1] < 1:
        raise InvalidHierarchy("A prefix has at least one character")
    return Hierarchy.of([(value, *(_prefix(value, length) for length in lengths), ANY) for value in values])


def _prefix(value: str, length: int) -> str:
    if value == MISSING:
        return MISSING
    return value[:length] + ANY * max(len(value) - length, 0)


#: How a moment is shown at each step.
STEPS: Final[Mapping[str, Callable[[datetime], str]]] = MappingProxyType(
    {
        "hour": lambda at: f"{at:%Y-%m-%dT%H}:00",
        "day": lambda at: f"{at:%Y-%m-%d}",
        "month": lambda at: f"{at:%Y-%m}",
        "quarter": lambda at: f"{at.year:04d}-Q{(at.month + 2) // 3}",
        "year": lambda at: f"{at.year:04d}",
        "decade": lambda at: f"{at.year // 10 * 10:04d}s",
    }
)


def dates(values: Sequence[str], steps: Sequence[str]) -> Hierarchy:
    """ISO 8601 dates or moments, then shown ever more coarsely; ``steps`` are names of STEPS from narrow to wide."""
    order = list(STEPS)
    places = [order.index(step) for step in steps if step in STEPS]
    if not steps or len(places) < len(steps) or places != sorted(set(places)):
        raise InvalidHierarchy("Steps of dates go from narrow to wide", steps=order)
    moments = [_moment(value) for value in values]
    rows = [
        (value, *(MISSING if at is None else STEPS[step](at) for step in steps), ANY)
        for value, at in zip(values, moments, strict=True)
    ]
    known = [_seconds(at) for at in moments if at is not None]
    lowest = min(known, default=0.0) - 1
    return Hierarchy.of(rows, positions=[lowest if at is None else _seconds(at) for at in moments])


def _moment(value: str) -> datetime | None:
    if value == MISSING:
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise InvalidHierarchy("A column of dates holds something that is no date") from None


def _seconds(at: datetime) -> float:
    clock = at.hour * 3600 + at.minute * 60 + at.second + at.microsecond / 1e6
    return date.toordinal(at) * 86_400 + clock
