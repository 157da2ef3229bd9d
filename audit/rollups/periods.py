"""Periods of the summary: whole hours, and whole days where much is counted."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final, Literal, get_args

from vaultsite.kernel.errors import FieldProblem, InvalidInput

TimeRange = Literal["last_24h", "last_7d", "last_30d", "custom"]
TIME_RANGES: Final[tuple[TimeRange, ...]] = get_args(TimeRange)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
#: The longest period that is counted at once.
LONGEST: Final = timedelta(days=400)
#: Nothing happened before or will after, and what is reckoned from a moment between them is a date still.
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
FAR: Final = f"It must be between {EARLIEST.year} and {LATEST.year}."
_DAYS: Final = {"last_7d": 7, "last_30d": 30}


def is_far(moment: datetime) -> bool:
    """Whether nobody can mean ``moment``, which has a time zone."""
    return not EARLIEST <= moment <= LATEST


@dataclass(frozen=True)
class Period:
    """Whole hours (UTC); ``start`` is included, ``end`` is not."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start != floor_hour(self.start) or self.end != floor_hour(self.end) or self.start > self.end:
            msg = f"not whole hours: {self.start} to {self.end}"
            raise ValueError(msg)

    @property
    def hours(self) -> int:
        return int((self.end - self.start) / HOUR)


def floor_hour(moment: datetime) -> datetime:
    """The start of the hour (UTC) that ``moment`` lies in."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def ceil_hour(moment: datetime) -> datetime:
    """The first full hour (UTC) that is not before ``moment``."""
    floor = floor_hour(moment)
    return floor if floor == moment else floor + HOUR


def floor_day(moment: datetime) -> datetime:
    """The start of the day (UTC) that ``moment`` lies in."""
    return datetime.combine(moment.astimezone(UTC).date(), time(), UTC)


def ceil_day(moment: datetime) -> datetime:
    """The first midnight (UTC) that is not before ``moment``."""
    floor = floor_day(moment)
    return floor if floor == moment else floor + DAY


def period_of(
    time_range: TimeRange, *, now: datetime, start: datetime | None = None, end: datetime | None = None
) -> Period:
    """What a time range covers: never less than it says.

    ``last_24h`` begins at the full hour, ``last_7d`` and ``last_30d`` at the midnight (UTC) before; all reach to the
    end of the current hour or day. ``custom`` is ``start`` to ``end``, widened to whole hours. Raises InvalidInput for
    a custom one without both, far from now, of no length, or longer than LONGEST.
    """
    if time_range != "custom":
        if given := [name for name, value in (("start", start), ("end", end)) if value is not None]:
            raise InvalidInput(errors=[FieldProblem(name, "It goes with time_range=custom only.") for name in given])
        if time_range == "last_24h":
            return Period(floor_hour(now - DAY), ceil_hour(now))
        return Period(floor_day(now - _DAYS[time_range] * DAY), ceil_day(now))
    return _custom(start, end)


def _custom(start: datetime | None, end: datetime | None) -> Period:
    if start is None or end is None:
        missing = [name for name, value in (("start", start), ("end", end)) if value is None]
        raise InvalidInput(errors=[FieldProblem(name, "A custom range needs it.") for name in missing])
    if far := [name for name, value in (("start", start), ("end", end)) if is_far(value)]:
        raise InvalidInput(errors=[FieldProblem(name, FAR) for name in far])
    if end <= start:
        raise InvalidInput(errors=[FieldProblem("end", "It must be after the start.")])
    if end - start > LONGEST:
        raise InvalidInput(errors=[FieldProblem("end", f"The range is longer than {LONGEST.days} days.")])
    return Period(floor_hour(start), ceil_hour(end))
