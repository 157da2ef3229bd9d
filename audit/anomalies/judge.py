"""An hour of a principal judged by its habits: every kind of evidence counted, added up, and put into words."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from audit.anomalies.habits import COUNTS, SLOW, Habits, Peers, habits_of
from audit.anomalies.surprise import count_surprise, normal_surprise
from audit.rollups.selectors import ActorHour

#: The sum of surprise from which an hour is told of, and from which somebody may be taking data away.
THRESHOLD: Final = 3.75
CRITICAL: Final = 6.5
#: What the most surprising kind of evidence counts for; every other counts with what it exceeds FLOOR by. Attacks show
#: in several ways at once, what is harmless mostly in one.
TOP: Final = 0.7
FLOOR: Final = 0.7
#: A principal is learnt as long as it was active on fewer days than this.
LEARNING_DAYS: Final = 5
#: While it is learnt it is compared with its peers, and it takes this much more.
LEARNING_ADDS: Final = 2.0
#: How bursty counts are (the size of the negative binomial), once enough is known of a principal.
_SIZES: Final = {"denials": 0.1, "detokenizations": 2.5, "exports": 1.5, "datasets": 1.0, "odd hours": 0.3}
#: A mean is at most so many sizes: denials come in bursts, but those are short.
_BURSTS: Final = {"denials": 3.0}
#: Hours that are odd, by kind of principal: how far from the usual ones, and how many of them are expected on a day.
#: People work late now and then, hardly ever at night; programs are delayed.
_ODD: Final = {"service": ((0, 0.1),)}
_ODD_OF_PEOPLE: Final = ((3, 0.012), (4, 0.006), (5, 0.003))
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
#: An odd hour counts when more than a fifth of the usual was read: who is on call looks something up.
_MUCH: Final = 1.5
#: Weeks of habits after which an hour can be odd: shifts change from week to week.
_SHIFTS: Final = 3
#: What is expected of anything a day at least: people mistype, and find new data.
_LEAST: Final = {"denials": 0.3, "datasets": 0.04, "exports": 0.06}
_LEAST_OF_ANYTHING: Final = 0.01
#: Two hours in a row are as alike as this: who is busy is busy for a while.
_ALIKE: Final = 0.3


@dataclass(frozen=True)
class Evidence:
    """One thing that is unusual: what was seen, what is usual, and how surprising that is."""

    name: str
    seen: int
    usual: str
    surprise: float
    words: str


@dataclass(frozen=True)
class Judgement:
    """Of one hour; ``evidence`` the most surprising first. ``is_learning``: peers stood in for habits.
    ``span``: how long before the hour what is told of may have begun.
    """

    hour: datetime
    score: float
    evidence: tuple[Evidence, ...]
    is_learning: bool
    span: timedelta

    @property
    def asked(self) -> float:
        """The score from which it is told of."""
        return THRESHOLD + (LEARNING_ADDS if self.is_learning else 0.0)


@dataclass(frozen=True)
class Known:
    """A principal's habits as they were when the day began, and before what is slow may have begun."""

    habits: Habits
    slow: Habits | None


def known_of(rows: Sequence[ActorHour], today: datetime, peers: Peers) -> Known:
    """From the hours of one principal before ``today`` (a midnight), in their order."""
    older = [row for row in rows if row.hour < today - SLOW]
    slow = habits_of(older, peers) if older else None
    return Known(habits_of(rows, peers), slow if slow and slow.days >= 2 * LEARNING_DAYS else None)


def judge(recent: Sequence[ActorHour], known: Known) -> Judgement:
    """Judge the last of ``recent``: the hours of one principal of the last ten days, in their order."""
    now = recent[-1]
    is_learning = known.habits.days < LEARNING_DAYS
    day = [row for row in recent if row.hour > now.hour - timedelta(hours=24)]
    found = [_of_today(now, day, known.habits, is_learning=is_learning)]
    if known.slow:
        found.append(_of_days(recent, known.slow))
    evidence = max(found, key=_score)
    return Judgement(
        hour=now.hour,
        score=_score(evidence),
        evidence=tuple(sorted(evidence, key=lambda one: -one.surprise)),
        is_learning=is_learning,
        span=_DAY if evidence is found[0] else SLOW,
    )


def _score(evidence: Sequence[Evidence]) -> float:
    first, *others = sorted((one.surprise for one in evidence), reverse=True)
    return TOP * first + sum(max(0.0, other - FLOOR) for other in others)


def _of_today(now: ActorHour, day: Sequence[ActorHour], habits: Habits, *, is_learning: bool) -> list[Evidence]:
    evidence = [_volume(now, day, habits)]
    evidence += [_count(name, day, habits, 1.0, "in a day") for name in COUNTS]
    if not is_learning:
        evidence += [_new_datasets(day, habits, 1.0), _odd_hours(day, habits, 1.0)]
    return evidence


def _of_days(recent: Sequence[ActorHour], habits: Habits) -> list[Evidence]:
    days = len({row.hour.date() for row in recent})
    words = f"on {days} days"
    counted = [_count(name, recent, habits, days, words) for name in COUNTS]
    return [*counted, _new_datasets(recent, habits, days), _odd_hours(recent, habits, days)]


def _volume(now: ActorHour, day: Sequence[ActorHour], habits: Habits) -> Evidence:
    """Records of the hour, or of two or three in a row: their deviations add up (Stouffer 1949)."""
    total, surprise = 0.0, 0.0
    in_a_row = [row for row in reversed(day) if row.hour > now.hour - 4 * _HOUR][:3]
    for number, row in enumerate(in_a_row, 1):
        total += (math.log1p(row.records) - habits.volume) / habits.spread
        surprise = max(surprise, normal_surprise(total / math.sqrt(number * (1 + (number - 1) * _ALIKE))))
    until = now.hour + _HOUR
    low, high = habits.usual
    return Evidence(
        "records",
        now.records,
        f"{low:,} to {high:,}",
        surprise,
        f"read {now.records:,} records between {now.hour:%H:%M} and {until:%H:%M} UTC; usual {low:,} to {high:,}",
    )


def _count(name: str, rows: Sequence[ActorHour], habits: Habits, days: float, span: str) -> Evidence:
    seen, mean = sum(getattr(row, name) for row in rows), _mean(name, habits, days)
    return Evidence(
        name,
        seen,
        f"{mean:.1f}",
        count_surprise(seen, mean, _size(name, habits, mean)),
        f"{seen:,} {name} {span}; usual {mean:.1f}",
    )


def _mean(name: str, habits: Habits, days: float) -> float:
    return max(habits.rates[name], _LEAST.get(name, _LEAST_OF_ANYTHING)) * days


def _size(name: str, habits: Habits, mean: float) -> float:
    """Less regular than it will turn out to be, as long as little is known of it; burstier than ``mean`` by a bound."""
    known = habits.days / (habits.days + 5)
    return max(0.1 + known * (_SIZES[name] - 0.1), mean / _BURSTS.get(name, 30.0))


def _new_datasets(rows: Sequence[ActorHour], habits: Habits, days: float) -> Evidence:
    new = len(frozenset().union(*(row.datasets for row in rows)) - habits.known)
    mean = _mean("datasets", habits, days)
    span = "in a day" if days <= 1 else f"on {days:.0f} days"
    return Evidence(
        "datasets",
        new,
        f"{mean:.1f}",
        count_surprise(new, mean, _size("datasets", habits, mean)),
        f"touched {new} datasets for the first time {span}; usual {mean:.1f}",
    )


def _odd_hours(rows: Sequence[ActorHour], habits: Habits, days: float) -> Evidence:
    """Hours of the day at which it was never active before, and read about as much as it usually does."""
    if habits.weeks < _SHIFTS:
        return Evidence("odd hours", 0, "", 0.0, "")
    least = math.expm1(max(0.0, habits.volume - _MUCH))
    read = [row for row in rows if row.records >= least]
    found = [_odder(read, habits, reach, mean * days) for reach, mean in _ODD.get(habits.kind, _ODD_OF_PEOPLE)]
    return max(found, key=lambda one: one.surprise)


def _odder(rows: Sequence[ActorHour], habits: Habits, reach: int, mean: float) -> Evidence:
    odd = [row for row in rows if habits.is_odd(row, reach)]
    times = ", ".join(f"{hour:02}:00" for hour in sorted({row.hour.hour for row in odd})[:4])
    return Evidence(
        "odd hours",
        len(odd),
        f"{mean:.1f}",
        count_surprise(len(odd), mean, _size("odd hours", habits, mean)),
        f"active in {len(odd)} hours at which it usually is not ({times} UTC)",
    )
