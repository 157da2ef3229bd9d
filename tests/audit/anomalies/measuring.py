"""What a detector says of a simulated tenant, counted: attacks found by kind, and false alerts a week."""

import math
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import fmean, pstdev
from uuid import UUID

from audit.anomalies.habits import LOOKBACK, SLOW, Peers, peers_of
from audit.anomalies.judge import judge, known_of
from audit.rollups.selectors import ActorHour
from tests.audit.anomalies.generator import DAY, WEEK, Life

#: An alert is resolved within a day; what is told of the same principal until then is the same alert.
RESOLVED = DAY
#: What a baseline is measured by.
NAMES = ("records", "denials", "detokenizations", "exports")


@dataclass(frozen=True)
class Told:
    """An hour that a detector told of, and how strongly."""

    actor_id: UUID
    hour: datetime
    score: float


@dataclass
class Outcome:
    """Attacks and those found, by kind; false alerts in so many weeks of a tenant."""

    attacks: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    false_alerts: int = 0
    weeks: float = 0

    def add(self, life: Life, told: Iterable[Told]) -> None:
        """An attack is found if it is told of from its begin until a day after its end.

        What is told of its principal in the ten days after it is the same matter; everything else is a false alert.
        """
        told = sorted(told, key=lambda one: one.hour)
        matters = {}
        for attack in life.attacks:
            matters[attack.actor_id] = (attack.start, attack.end + SLOW)
            self.attacks[attack.kind] += 1
            hours = [one.hour for one in told if one.actor_id == attack.actor_id]
            self.found[attack.kind] += any(attack.start <= hour < attack.end + DAY for hour in hours)
        last: dict[UUID, datetime] = {}
        for one in told:
            begin, end = matters.get(one.actor_id, (life.end, life.end))
            if not begin <= one.hour < end and one.hour >= last.get(one.actor_id, life.watched - DAY) + RESOLVED:
                last[one.actor_id] = one.hour
                self.false_alerts += 1
        self.weeks += (life.end - life.watched) / WEEK

    @property
    def recall(self) -> float:
        return self.found.total() / self.attacks.total()

    @property
    def false_a_week(self) -> float:
        return self.false_alerts / self.weeks


def by_actor(hours: Iterable[ActorHour]) -> dict[UUID, list[ActorHour]]:
    found: dict[UUID, list[ActorHour]] = defaultdict(list)
    for row in hours:
        found[row.actor_id].append(row)
    return found


def judged(life: Life) -> Iterator[Told]:
    """What the vault tells of: every hour of every principal, judged as the watch judges it."""
    actors = by_actor(life.hours)
    for week in range(round((life.end - life.watched) / WEEK)):
        since = life.watched + week * WEEK
        peers = {kind: _peers(actors.values(), kind, since) for kind in ("user", "service")}
        for rows in actors.values():
            yield from _judged(rows, peers[rows[0].actor_kind], since, since + WEEK)


def _peers(actors: Iterable[Sequence[ActorHour]], kind: str, until: datetime) -> Peers:
    rows = [[row for row in one if until - LOOKBACK <= row.hour < until] for one in actors if one[0].actor_kind == kind]
    return peers_of(rows)


def _judged(rows: list[ActorHour], peers: Peers, since: datetime, until: datetime) -> Iterator[Told]:
    hours = [row.hour for row in rows]
    today, known = since - DAY, None
    for index in range(bisect_left(hours, since), bisect_left(hours, until)):
        if hours[index].replace(hour=0) != today:
            today = hours[index].replace(hour=0)
            before = rows[bisect_left(hours, today - LOOKBACK) : bisect_left(hours, today)]
            known = known_of(before or rows[index : index + 1], today, peers)
        assert known is not None
        recent = rows[bisect_right(hours, hours[index] - SLOW) : index + 1]
        found = judge(recent, known)
        if found.score >= found.asked:
            yield Told(rows[index].actor_id, hours[index], found.score)


def globally_scored(life: Life) -> list[Told]:
    """A baseline: the greatest z-score of an hour's logarithms over all hours of its kind of principal."""
    learnt = [row for row in life.hours if row.hour < life.watched]
    scales = {
        (kind, name): _scale([math.log1p(getattr(row, name)) for row in learnt if row.actor_kind == kind])
        for kind in ("user", "service")
        for name in NAMES
    }
    return [Told(row.actor_id, row.hour, _z(row, scales)) for row in life.hours if row.hour >= life.watched]


def _scale(values: list[float]) -> tuple[float, float]:
    return fmean(values), pstdev(values) or 1.0


def _z(row: ActorHour, scales: dict[tuple[str, str], tuple[float, float]]) -> float:
    z = []
    for name in NAMES:
        mean, deviation = scales[row.actor_kind, name]
        z.append((math.log1p(getattr(row, name)) - mean) / deviation)
    return max(z)


def best_threshold(lives: Sequence[Life], scored: Sequence[list[Told]], *, false_a_week: float = 1.0) -> Outcome:
    """The outcome of the lowest threshold with so few false alerts, chosen on the measured data: better than it is."""
    low, high = 0.0, 50.0
    for _ in range(20):
        middle = (low + high) / 2
        if _outcome(lives, scored, middle).false_a_week > false_a_week:
            low = middle
        else:
            high = middle
    return _outcome(lives, scored, high)


def _outcome(lives: Sequence[Life], scored: Sequence[list[Told]], threshold: float) -> Outcome:
    outcome = Outcome()
    for life, told in zip(lives, scored, strict=True):
        outcome.add(life, (one for one in told if one.score >= threshold))
    return outcome
