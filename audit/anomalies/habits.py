"""What a principal usually does: robust figures of its hours, shrunk to those of its peers while they are few."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import fmean, median
from typing import Final
from uuid import UUID

from audit.rollups.selectors import ActorHour

#: What is counted, and compared by the hour, the day and some days. Attributes of ActorHour, or made here.
COUNTS: Final = ("denials", "detokenizations", "exports")
#: Hours, and days, of peers that weigh as much as one's own.
_PEERS_WEIGH: Final = 10
_PEERS_DAYS: Final = 5
#: The least spread of the logarithm of an hour's records, however regular it was: what a program does in an hour may
#: double because it failed the hour before.
_LEAST_SPREADS: Final = {"user": 0.5, "service": 0.65}
#: A normal distribution's standard deviation in median absolute deviations.
_MAD: Final = 1.4826
_DAY_HOURS: Final = 24


@dataclass(frozen=True)
class Peers:
    """The same figures over principals of one kind; the defaults serve where there are no peers."""

    volume: float = 5.0
    spread: float = 2.0
    rates: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Habits:
    """``volume`` and ``spread``: median and deviation of log(1 + records) of an hour with records.

    ``rates``: by name, how many an active day. ``days``: how many were active. ``weeks``: how
    many they span. ``busy``: on how many of
    those days something was done at each hour of the day (UTC). ``known``: the datasets touched.
    """

    kind: str
    volume: float
    spread: float
    rates: Mapping[str, float]
    days: int
    weeks: int
    busy: Mapping[int, int]
    known: frozenset[UUID]
    usual: tuple[int, int]

    def is_odd(self, row: ActorHour, reach: int) -> bool:
        """Whether it was as good as never active at that hour of a day, nor up to ``reach`` hours before or after."""
        around = range(-reach, reach + 1)
        times = max(self.busy.get((row.hour.hour + shift) % _DAY_HOURS, 0) for shift in around)
        return times <= self.days // 20


def habits_of(rows: Sequence[ActorHour], peers: Peers) -> Habits:
    """The habits that ``rows`` of one principal, at least one, show."""
    logs = [math.log1p(row.records) for row in rows if row.records]
    volume, spread = _centre(logs)
    weight = len(logs) / (len(logs) + _PEERS_WEIGH)
    days = len({row.hour.date() for row in rows})
    records = sorted(row.records for row in rows)
    return Habits(
        kind=rows[0].actor_kind,
        volume=weight * volume + (1 - weight) * peers.volume,
        spread=max(_LEAST_SPREADS[rows[0].actor_kind], weight * spread + (1 - weight) * peers.spread),
        rates={name: _shrunk(rate * days, days, peers.rates.get(name, 0.0)) for name, rate in rates_of(rows).items()},
        days=days,
        weeks=(rows[-1].hour - rows[0].hour + timedelta(days=3)) // timedelta(weeks=1),
        busy=Counter(row.hour.hour for row in rows),
        known=frozenset().union(*(row.datasets for row in rows)),
        usual=(records[len(records) // 20], records[-1 - len(records) // 20]),
    )


def rates_of(rows: Sequence[ActorHour]) -> dict[str, float]:
    """How many of each an active day; new datasets are those of the later half of the days not in the earlier."""
    days = sorted({row.hour.date() for row in rows})
    found = {name: sum(getattr(row, name) for row in rows) / len(days) for name in COUNTS}
    return found | {"datasets": _new_a_day(rows, len(days))}


def _new_a_day(rows: Sequence[ActorHour], days: int) -> float:
    half = rows[0].hour + (rows[-1].hour - rows[0].hour) / 2
    known = {one for row in rows if row.hour < half for one in row.datasets}
    new = {one for row in rows if row.hour >= half for one in row.datasets} - known
    return 2 * len(new) / days


def _shrunk(count: float, exposure: float, rate: float) -> float:
    return (count + _PEERS_DAYS * rate) / (exposure + _PEERS_DAYS)


def _centre(values: Sequence[float]) -> tuple[float, float]:
    if not values:
        return 0.0, 0.0
    middle = median(values)
    return middle, _MAD * median(abs(value - middle) for value in values)


def peers_of(histories: Iterable[Sequence[ActorHour]]) -> Peers:
    """What principals of one kind have in common; ``spread`` holds their differences from each other too."""
    kept = [rows for rows in histories if rows]
    volumes = [median(logs) for rows in kept if (logs := [math.log1p(row.records) for row in rows if row.records])]
    if not volumes:
        return Peers()
    within = [_centre([math.log1p(row.records) for row in rows if row.records])[1] for rows in kept]
    middle, between = _centre(volumes)
    all_rates = [rates_of(rows) for rows in kept]
    names = (*COUNTS, "datasets")
    return Peers(
        volume=middle,
        spread=math.hypot(median(within), between),
        rates={name: _mean_without_extremes([rates[name] for rates in all_rates]) for name in names},
    )


def _mean_without_extremes(values: list[float]) -> float:
    kept = sorted(values)[: max(1, len(values) - len(values) // 20)]
    return fmean(kept)


#: How far back habits go, and how long what is slow is added up.
LOOKBACK: Final = timedelta(days=42)
SLOW: Final = timedelta(days=10)
