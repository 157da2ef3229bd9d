"""Seeded activity of a tenant over weeks, hour by hour, with seven kinds of attack in it.

What it yields is what the rollups yield of a real tenant (``ActorHour``), and which hours were an attack. It was
written, with its sizes, before the detector. The distributions, for whoever doubts a figure:

- **People** (four in five). Ten teams of 8 to 14 datasets; each person works on 2 to 7 of the own team's. Operations
  an hour: lognormal, median 8 across people (sigma 0.6), 0.5 within one. Records an operation: lognormal, median 40
  across people (sigma 0.9), 1.1 within one. Three in five hours of a working day of 8 hours; one in five works in a
  zone 5 hours later, one in five 5 hours earlier. One in ten works rotating shifts. One in eight is at it some
  evenings or weekends. A twentieth of all weeks is a holiday; two days belong to nobody; one in twenty is hired, one
  in twenty leaves, during the weeks.
- **Programs** (one in five): half of them run at one to three fixed hours a night and read the same datasets
  (2,000 to 200,000 records, sigma 0.25), growing by 2% a week, late once in thirty nights and double after a failed
  night; the others serve all day with a daily rhythm.
- **What looks like an attack and is none**: unannounced large jobs (3 to 8 times a usual busy hour, one principal in
  a hundred each week), a change of project (3 to 6 new datasets within a week, one in a hundred), exploring (a new
  dataset of the own team each second week), a night on call (one engineer in fifty each week, few records), mistyped
  permissions (3 to 12 denials within an hour, one person in fifty each week), three days of quarter end in which half
  of the teams do 2.5 times as much and export more, weekly reports (5 times the usual on the same weekday and hour).
- **Attacks** (drawn for different principals, each somewhere in the watched weeks):
  ``bulk``: 8 to 60 times a busy hour (log-uniform) for one to three hours, half of it on datasets of other teams.
  ``slow``: 2 to 4 datasets never touched before on each of 8 to 12 working days, at usual volume.
  ``stolen``: 2 to 4 nights of one to three hours at 0.7 to 3 times the usual daily rate, a third on new datasets.
  ``probing``: 15 to 80 denials an hour for one to four hours, or (one in three) 5 to 12 an hour for 10 to 20 hours.
  ``detokenizing``: 40 to 300 an hour for two to six hours by somebody who usually does 0 to 12, or (one in three)
  15 to 40 by somebody who never did.
  ``departure``: 8 to 30 exports within one to five days at working hours, records 2 to 8 times the usual.
  ``service``: a program at 4 to 10 hours a day in which it never ran, at 0.3 to 1 of its usual rate, a third of it on
  new datasets, for two days.
"""

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from audit.rollups.selectors import ActorHour

#: A Monday.
BEGIN: Final = datetime(2026, 8, 3, tzinfo=UTC)
NEVER: Final = datetime(2100, 1, 1, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(weeks=1)
KINDS: Final = ("bulk", "slow", "stolen", "probing", "detokenizing", "departure", "service")
_TEAMS: Final = 10
_RECORD_BYTES: Final = 700


@dataclass(frozen=True)
class Attack:
    """Who was attacked, or attacked, and from when to when (excluded)."""

    kind: str
    actor_id: UUID
    start: datetime
    end: datetime


@dataclass
class Doing:
    """What somebody does in an hour; what is added to it is done as well."""

    operations: int = 0
    records: int = 0
    denials: int = 0
    detokenizations: int = 0
    exports: int = 0
    datasets: set[UUID] = field(default_factory=set)

    def add(self, other: "Doing") -> None:
        for name in ("operations", "records", "denials", "detokenizations", "exports"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.datasets |= other.datasets


@dataclass
class Actor:
    """A principal and its habits; ``rhythm`` tells how busy it is at an hour, 0 for not at all."""

    id: UUID
    kind: str
    team: int
    datasets: list[UUID]
    rate: float
    volume: float
    rhythm: Callable[[datetime], float]
    is_engineer: bool = False
    detokenizes: float = 0.0
    exports: float = 0.0
    zone: int = 0
    begins: datetime = BEGIN
    ends: datetime = NEVER
    spread: float = 1.1
    report: tuple[int, int] | None = None


@dataclass(frozen=True)
class Life:
    """All that happened, by hour; what is to be watched begins at ``watched``."""

    hours: list[ActorHour]
    attacks: list[Attack]
    watched: datetime
    end: datetime


def live(seed: int, *, principals: int = 200, learning_weeks: int = 4, watched_weeks: int = 4) -> Life:
    """The same for the same seed. One attack of each kind falls into the watched weeks."""
    return _World(random.Random(seed), principals, learning_weeks, watched_weeks).life()


class _World:
    def __init__(self, dice: random.Random, principals: int, learning: int, watched: int) -> None:
        self.dice = dice
        self.watched = BEGIN + learning * WEEK
        self.end = self.watched + watched * WEEK
        self.days = [BEGIN + number * DAY for number in range((learning + watched) * 7)]
        self.teams = [[self.uuid() for _ in range(dice.randint(8, 14))] for _ in range(_TEAMS)]
        self.free_days = set(dice.sample(self.days, 2))
        quarter_end = self.watched + dice.randrange(watched * 5) * DAY
        self.peak = {(quarter_end + number * DAY).date() for number in range(3)}
        self.peak_teams = set(dice.sample(range(_TEAMS), _TEAMS // 2))
        programs = principals // 5
        self.actors = [self.person() for _ in range(principals - programs)]
        self.actors += [self.program(number) for number in range(programs)]
        self.kinds = {actor.id: actor.kind for actor in self.actors}
        self.done: dict[tuple[UUID, datetime], Doing] = {}

    def uuid(self) -> UUID:
        return UUID(int=self.dice.getrandbits(128), version=4)

    def lognormal(self, median: float, sigma: float) -> float:
        return median * math.exp(self.dice.gauss(0, sigma))

    def between(self, low: float, high: float) -> float:
        """Log-uniform."""
        return math.exp(self.dice.uniform(math.log(low), math.log(high)))

    # Who there is

    def person(self) -> Actor:
        dice, team = self.dice, self.dice.randrange(_TEAMS)
        zone = dice.choice((0, 0, 0, 5, -5))
        actor = Actor(
            id=self.uuid(),
            kind="user",
            team=team,
            datasets=dice.sample(self.teams[team], dice.randint(2, 7)),
            rate=self.lognormal(8, 0.6),
            volume=self.lognormal(40, 0.9),
            rhythm=self.office(zone),
            is_engineer=dice.random() < 0.4,
            detokenizes=dice.choice((0,) * 7 + (1, 3, 6)),
            exports=dice.choice((0, 0, 0, 0.01, 0.02, 0.05)),
            zone=zone,
        )
        if dice.random() < 0.1:
            actor.rhythm = self.shifts()
        if dice.random() < 0.05:
            actor.begins = BEGIN + dice.randrange(len(self.days)) * DAY
        if dice.random() < 0.05:
            actor.ends = BEGIN + dice.randrange(len(self.days) // 2, len(self.days)) * DAY
        if dice.random() < 0.08:
            actor.report = (dice.randrange(5), dice.randint(9, 15))
        return actor

    def office(self, zone: int) -> Callable[[datetime], float]:
        dice = self.dice
        starts = min(11, max(6, round(dice.gauss(8.5, 1)))) - zone
        evenings = 0.06 if dice.random() < 0.125 else 0.004
        away = {week for week in range(len(self.days) // 7) if dice.random() < 0.05}

        def rhythm(moment: datetime) -> float:
            day = moment.replace(hour=0)
            at = (moment.hour - starts) % 24
            if (moment - BEGIN) // WEEK in away or day in self.free_days:
                return 0
            if moment.weekday() < 5 and at < 9:
                return 0.3 if at == 4 else 0.65
            return evenings if at < 15 else evenings / 20

        return rhythm

    def shifts(self) -> Callable[[datetime], float]:
        first = self.dice.randrange(3)

        def rhythm(moment: datetime) -> float:
            shift = (first + (moment - BEGIN) // WEEK) % 3
            return 0.65 if moment.weekday() < 5 and moment.hour // 8 == shift else 0

        return rhythm

    def program(self, number: int) -> Actor:
        dice, team = self.dice, self.dice.randrange(_TEAMS)
        facts = {"id": self.uuid(), "kind": "service", "team": team}
        datasets = dice.sample(self.teams[team], dice.randint(1, 4))
        if number % 2:
            hours = set(dice.sample(range(24), dice.randint(1, 3)))
            rate = self.between(5, 60)
            return Actor(
                **facts, datasets=datasets, rate=rate, volume=self.between(2_000, 200_000) / rate, spread=0.25,
                rhythm=lambda moment: 1 if moment.hour in hours else 0,
            )  # fmt: skip
        busiest = dice.randrange(24)
        return Actor(
            **facts,
            datasets=datasets,
            rate=self.between(20, 400),
            volume=self.between(1, 60),
            spread=0.3,
            rhythm=lambda moment: 1.2 + math.cos((moment.hour - busiest) * math.pi / 12),
            detokenizes=dice.choice((0, 0, 0, 0, 40)),
        )

    # What they do

    def life(self) -> Life:
        for actor in self.actors:
            for day in self.days:
                if actor.begins <= day < actor.ends:
                    self.live_day(actor, day)
            self.surprise(actor)
        attacks = list(self.attack())
        hours = [self.row(actor_id, hour, doing) for (actor_id, hour), doing in self.done.items() if doing.operations]
        hours.sort(key=lambda one: (one.hour, one.actor_id))
        return Life(hours, attacks, self.watched, self.end)

    def row(self, actor_id: UUID, hour: datetime, doing: Doing) -> ActorHour:
        return ActorHour(
            actor_id=actor_id,
            actor_kind=self.kinds[actor_id],
            hour=hour,
            operations=doing.operations,
            records=doing.records,
            bytes=doing.records * _RECORD_BYTES,
            denials=doing.denials,
            detokenizations=doing.detokenizations,
            exports=doing.exports,
            datasets=tuple(sorted(doing.datasets)),
        )

    def live_day(self, actor: Actor, day: datetime) -> None:
        scale = 2.5 if day.date() in self.peak and actor.team in self.peak_teams and actor.kind == "user" else 1.0
        if actor.kind == "service":
            scale *= 1.02 ** ((day - BEGIN) // WEEK)
            late = self.dice.randint(1, 3) if self.dice.random() < 1 / 30 else 0
            if self.dice.random() < 0.01:
                return
            scale *= 2 if self.dice.random() < 0.01 else 1
        else:
            late = 0
        for number in range(24):
            moment = day + number * HOUR
            busy = actor.rhythm(moment)
            is_there = busy > 0 if actor.kind == "service" else self.dice.random() < busy
            if is_there:
                self.do(actor, moment + late * HOUR, self.usual(actor, scale * (max(1, busy))))
            if actor.report == (day.weekday(), number) and is_there:
                self.do(actor, moment, Doing(operations=3, records=round(5 * actor.rate * actor.volume)))

    def usual(self, actor: Actor, scale: float = 1.0, datasets: list[UUID] | None = None) -> Doing:
        """An hour of somebody's work."""
        dice = self.dice
        operations = max(1, round(self.lognormal(actor.rate * scale, 0.2 if actor.kind == "service" else 0.5)))
        chosen = datasets or dice.sample(actor.datasets, min(len(actor.datasets), dice.randint(1, 3)))
        refused = 0.0 if actor.kind == "service" else 0.008
        return Doing(
            operations=operations,
            records=round(operations * self.lognormal(actor.volume, actor.spread)),
            denials=sum(dice.random() < refused for _ in range(min(operations, 50))),
            detokenizations=round(self.lognormal(actor.detokenizes, 0.6)) if actor.detokenizes else 0,
            exports=int(dice.random() < actor.exports * scale),
            datasets=set(chosen),
        )

    def do(self, actor: Actor, moment: datetime, doing: Doing) -> None:
        if moment < self.end:
            self.done.setdefault((actor.id, moment), Doing()).add(doing)

    # What looks like an attack and is none

    def surprise(self, actor: Actor) -> None:
        dice = self.dice
        for week in range(len(self.days) // 7):
            monday = BEGIN + week * WEEK
            if actor.kind == "user" and dice.random() < 0.5:
                self.explore(actor, dice.choice(self.teams[actor.team]), monday)
            if dice.random() < 0.01:
                self.do_at_work(actor, monday, self.large(actor, dice.uniform(3, 8), actor.datasets))
            if actor.kind == "user" and dice.random() < 0.01:
                for dataset in dice.sample(self.teams[dice.randrange(_TEAMS)], dice.randint(3, 6)):
                    self.explore(actor, dataset, monday)
                    actor.datasets.append(dataset)
            if actor.is_engineer and dice.random() < 0.02:
                night = monday + dice.randrange(5) * DAY + (dice.randint(1, 3) - actor.zone) % 24 * HOUR
                self.do(actor, night, Doing(dice.randint(2, 9), dice.randint(0, 40), datasets={actor.datasets[0]}))
            if actor.kind == "user" and dice.random() < 0.02:
                denied = dice.randint(3, 12)
                self.do_at_work(actor, monday, Doing(operations=denied, denials=denied))

    def explore(self, actor: Actor, dataset: UUID, monday: datetime) -> None:
        self.do_at_work(actor, monday, self.usual(actor, 0.3, [dataset]))

    def large(self, actor: Actor, times: float, datasets: list[UUID]) -> Doing:
        """An hour of ``times`` a busy one."""
        return Doing(operations=round(actor.rate * 2), records=round(times * self.busy(actor)), datasets=set(datasets))

    def busy(self, actor: Actor) -> float:
        """The records of one busy hour in ten."""
        return actor.rate * actor.volume * math.exp(1.28 * math.hypot(actor.spread, 0.5))

    def do_at_work(self, actor: Actor, since: datetime, doing: Doing, *, within: int = 7) -> bool:
        """Do it in one of the hours in which the actor is at it anyway; False where there is none."""
        hours = self.working(actor, since, since + within * DAY)
        if hours:
            self.do(actor, self.dice.choice(hours), doing)
        return bool(hours)

    def working(self, actor: Actor, since: datetime, until: datetime) -> list[datetime]:
        count = int((until - since) / HOUR)
        return [moment for number in range(count) if (actor.id, moment := since + number * HOUR) in self.done]

    # Attacks

    def attack(self) -> Iterator[Attack]:
        used: set[UUID] = set()
        for kind in KINDS:
            while True:
                actor = self.dice.choice(self.actors)
                begin = self.watched + self.dice.randrange((self.end - self.watched).days - 13) * DAY
                is_program = actor.kind == "service"
                fits = is_program == (kind == "service") and actor.id not in used
                if not fits or len(self.working(actor, BEGIN, begin)) < 60 or actor.ends < begin + 15 * DAY:
                    continue
                found: list[datetime] = getattr(self, f"attack_{kind}")(actor, begin)
                if found:
                    used.add(actor.id)
                    yield Attack(kind, actor.id, min(found), max(found) + HOUR)
                    break

    def strange(self, actor: Actor, number: int) -> list[UUID]:
        """Datasets of other teams."""
        others = [dataset for team, held in enumerate(self.teams) if team != actor.team for dataset in held]
        return self.dice.sample([one for one in others if one not in actor.datasets], number)

    def attack_bulk(self, actor: Actor, begin: datetime) -> list[datetime]:
        at_work = self.working(actor, begin, begin + 7 * DAY)
        if not at_work:
            return []
        first = self.dice.choice(at_work)
        hours = [first + number * HOUR for number in range(self.dice.randint(1, 3))]
        times, datasets = self.between(8, 60), [*actor.datasets, *self.strange(actor, self.dice.randint(0, 4))]
        for hour in hours:
            self.do(actor, hour, self.large(actor, times, datasets))
        return hours

    def attack_slow(self, actor: Actor, begin: datetime) -> list[datetime]:
        if actor.kind != "user":
            return []
        hours = []
        for number in range(self.dice.randint(8, 12)):
            at_work = self.working(actor, begin + number * DAY, begin + (number + 1) * DAY)
            for dataset in self.strange(actor, self.dice.randint(2, 4)) if at_work else ():
                hours.append(self.dice.choice(at_work))
                self.do(actor, hours[-1], self.usual(actor, 0.5, [dataset]))
        return hours

    def attack_stolen(self, actor: Actor, begin: datetime) -> list[datetime]:
        hours, times = [], self.between(0.7, 3)
        first = (self.dice.randint(1, 3) - actor.zone) % 24
        for night in self.dice.sample(range(10), self.dice.randint(2, 4)):
            for number in range(self.dice.randint(1, 3)):
                hour = begin + night * DAY + (first + number) * HOUR
                is_new = self.dice.random() < 1 / 3
                self.do(actor, hour, self.usual(actor, times, self.strange(actor, 2) if is_new else None))
                hours.append(hour)
        return hours

    def attack_probing(self, actor: Actor, begin: datetime) -> list[datetime]:
        at_work = self.working(actor, begin, begin + 7 * DAY)
        is_slow = self.dice.random() < 1 / 3
        hours = at_work[: self.dice.randint(10, 20)] if is_slow else at_work[: self.dice.randint(1, 4)]
        for hour in hours:
            denied = self.dice.randint(5, 12) if is_slow else self.dice.randint(15, 80)
            self.do(actor, hour, Doing(operations=denied, denials=denied, datasets=set(self.strange(actor, 2))))
        return hours

    def attack_detokenizing(self, actor: Actor, begin: datetime) -> list[datetime]:
        never = self.dice.random() < 1 / 3
        if (actor.detokenizes == 0) != never:
            return []
        hours = self.working(actor, begin, begin + 7 * DAY)[: self.dice.randint(2, 6)]
        for hour in hours:
            revealed = self.dice.randint(15, 40) if never else self.dice.randint(40, 300)
            self.do(actor, hour, Doing(operations=revealed, detokenizations=revealed))
        return hours

    def attack_departure(self, actor: Actor, begin: datetime) -> list[datetime]:
        at_work = self.working(actor, begin, begin + self.dice.randint(1, 5) * DAY)
        if not at_work:
            return []
        times = self.between(2, 8)
        hours = [self.dice.choice(at_work) for _ in range(self.dice.randint(8, 30))]
        for hour in hours:
            taken = round(times * actor.rate * actor.volume)
            datasets = {self.dice.choice(actor.datasets)}
            self.do(actor, hour, Doing(operations=2, records=taken, exports=1, datasets=datasets))
        return hours

    def attack_service(self, actor: Actor, begin: datetime) -> list[datetime]:
        free = [hour for hour in range(24) if actor.rhythm(BEGIN + hour * HOUR) == 0]
        if not free:
            return []
        hours = []
        for day in range(2):
            for number in self.dice.sample(free, min(len(free), self.dice.randint(4, 10))):
                hour = begin + day * DAY + number * HOUR
                is_new = self.dice.random() < 1 / 3
                datasets = self.strange(actor, 1) if is_new else None
                self.do(actor, hour, self.usual(actor, self.dice.uniform(0.3, 1), datasets))
                hours.append(hour)
        return hours
