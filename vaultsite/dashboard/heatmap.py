"""Operations per hour of the day and day of the week, as a table of numbers that a colour repeats."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, log1p
from typing import Final
from urllib.parse import urlencode

from django.urls import reverse

from vaultsite.dashboard.filters import Filters

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
HOURS: Final = range(24)
#: Shades beside "none".
LEVELS: Final = 5
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Cell:
    """``count`` operations of the hours that begin at ``hour`` on this weekday; ``level`` 0 (none) to LEVELS."""

    hour: int
    count: int
    level: int
    url: str

    @property
    def until(self) -> int:
        return self.hour + 1


@dataclass(frozen=True)
class Row:
    day: str
    cells: list[Cell]

    @property
    def total(self) -> int:
        return sum(cell.count for cell in self.cells)


@dataclass(frozen=True)
class Heatmap:
    """Seven rows of 24; ``busiest`` is the largest count of a cell."""

    rows: list[Row]
    busiest: int

    @property
    def total(self) -> int:
        return sum(row.total for row in self.rows)


@dataclass(frozen=True)
class HourOfDay:
    """One hour of the calendar that a cell sums."""

    start: datetime
    count: int
    url: str


def draw_heatmap(by_hour: Mapping[datetime, int], filters: Filters) -> Heatmap:
    """The counts of hours (UTC) summed by weekday and hour. A cell leads to its events, or to the hours it sums."""
    counts: dict[tuple[int, int], int] = {}
    hours: dict[tuple[int, int], list[datetime]] = {}
    for start, count in by_hour.items():
        place = (start.weekday(), start.hour)
        counts[place] = counts.get(place, 0) + count
        hours.setdefault(place, []).append(start)
    busiest = max(counts.values(), default=0)

    def cell(day: int, hour: int) -> Cell:
        count = counts.get((day, hour), 0)
        url = _address(filters, day, hour, hours[day, hour]) if count else ""
        return Cell(hour, count, _level(count, busiest), url)

    rows = [Row(name, [cell(day, hour) for hour in HOURS]) for day, name in enumerate(DAYS)]
    return Heatmap(rows, busiest)


def hours_of(by_hour: Mapping[datetime, int], filters: Filters, *, day: int, hour: int) -> list[HourOfDay]:
    """The hours of the calendar behind one cell, newest first."""
    wanted = [start for start in by_hour if (start.weekday(), start.hour) == (day, hour)]
    return [HourOfDay(start, by_hour[start], _events(filters, start)) for start in sorted(wanted, reverse=True)]


def _level(count: int, busiest: int) -> int:
    """By orders of magnitude rather than by size: one very busy hour does not bleach all others."""
    return ceil(LEVELS * log1p(count) / log1p(busiest)) if count else 0


def _address(filters: Filters, day: int, hour: int, hours: list[datetime]) -> str:
    if len(hours) == 1:
        return _events(filters, hours[0])
    chosen = urlencode({"weekday": day, "hour": hour})
    return f"{reverse('admin:home_hours')}?{filters.query}&{chosen}"


def _events(filters: Filters, start: datetime) -> str:
    return filters.events_url(since=start, until=start + _HOUR)
