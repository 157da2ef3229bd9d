"""Events over time as bars that narrow the search when they are followed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from audit.rollups.periods import DAY, HOUR, Period, floor_day

WIDTH: Final = 960
HEIGHT: Final = 120
#: Hours that are drawn as hours; a longer period is drawn as days.
_MOST_HOURS: Final = 72


@dataclass(frozen=True)
class Bar:
    """One hour or day: its place in the drawing, how many events by outcome, and the search narrowed to it."""

    x: float
    width: float
    y: float
    height: float
    denied_y: float
    denied_height: float
    start: datetime
    end: datetime
    events: int
    denied: int
    query: str


@dataclass(frozen=True)
class Timeline:
    """``step`` is hour or day; ``most`` the events of the highest bar, ``events`` those of all."""

    bars: tuple[Bar, ...]
    step: str
    most: int
    events: int
    start: datetime
    end: datetime
    width: int = WIDTH
    height: int = HEIGHT


def draw_timeline(period: Period, counted: Mapping[tuple[datetime, str], int], given: Mapping[str, str]) -> Timeline:
    """``counted`` is (hour, outcome) -> events, ``given`` the query that is narrowed."""
    step = HOUR if period.hours <= _MOST_HOURS else DAY
    totals: dict[datetime, list[int]] = {}
    for (hour, status), events in counted.items():
        both = totals.setdefault(hour if step == HOUR else floor_day(hour), [0, 0])
        both[0] += events
        both[1] += events if status == "denied" else 0
    starts = _starts(period, step)
    most = max((events for events, _ in totals.values()), default=0)
    slot = WIDTH / len(starts) if starts else WIDTH
    bars = tuple(
        _bar(Period(start, start + step), (round(place * slot, 2), slot), totals.get(start, [0, 0]), most, given)
        for place, start in enumerate(starts)
    )
    events = sum(bar.events for bar in bars)
    return Timeline(bars, "hour" if step == HOUR else "day", most, events, period.start, period.end)


def _starts(period: Period, step: timedelta) -> list[datetime]:
    first = period.start if step == HOUR else floor_day(period.start)
    count = -((first - period.end) // step)
    return [first + number * step for number in range(count)]


def _bar(span: Period, place: tuple[float, float], totals: list[int], most: int, given: Mapping[str, str]) -> Bar:
    events, denied = totals
    height, denied_height = (_height(part, most) for part in (events, denied))
    return Bar(
        x=place[0],
        width=round(max(place[1] * 0.85, 0.5), 2),
        y=HEIGHT - height,
        height=height,
        denied_y=HEIGHT - denied_height,
        denied_height=denied_height,
        start=span.start,
        end=span.end,
        events=events,
        denied=denied,
        query=urlencode({**given, "since": span.start.isoformat(), "until": span.end.isoformat()}),
    )


def _height(events: int, most: int) -> float:
    """What is there is seen, however little it is."""
    return round(max(events / most * HEIGHT, 2), 2) if events else 0
