"""Rules of judging an hour by its principal's habits."""

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from audit.anomalies.habits import Peers, habits_of, peers_of
from audit.anomalies.judge import THRESHOLD, Judgement, judge, known_of
from audit.anomalies.surprise import MOST, count_surprise, normal_surprise
from audit.rollups.selectors import ActorHour

ADA = UUID(int=1)
KNOWN = tuple(UUID(int=100 + number) for number in range(3))
MONDAY = datetime(2026, 9, 7, tzinfo=UTC)
PEERS = Peers(volume=5.0, spread=1.5, rates={"denials": 0.1, "detokenizations": 0.5, "exports": 0.2, "datasets": 0.1})


def hour(moment: datetime, **changed) -> ActorHour:
    facts = {
        "actor_id": ADA,
        "actor_kind": "user",
        "hour": moment,
        "operations": 5,
        "records": 100,
        "bytes": 70_000,
        "denials": 0,
        "detokenizations": 0,
        "exports": 0,
        "datasets": KNOWN,
    }
    return ActorHour(**(facts | changed))


def ordinary(days: int, seed: int = 1) -> list[ActorHour]:
    """Working days from eight to four, some hundred records an hour."""
    dice = Random(seed)
    moments = [MONDAY - timedelta(days=days - day) + timedelta(hours=at) for day in range(days) for at in range(8, 16)]
    return [hour(one, records=round(100 * dice.lognormvariate(0, 0.6))) for one in moments if one.weekday() < 5]


def judged(*rows: ActorHour, days: int = 35, history: list[ActorHour] | None = None) -> Judgement:
    before = ordinary(days) if history is None else history
    today = rows[-1].hour.replace(hour=0)
    recent = [row for row in before if row.hour > rows[-1].hour - timedelta(days=10)]
    older = [row for row in (*before, *rows) if row.hour < today]
    return judge([*recent, *rows], known_of(older or list(rows), today, PEERS))


def at(number: int, **changed) -> ActorHour:
    return hour(MONDAY + timedelta(hours=number), **changed)


NEW = tuple(UUID(int=500 + number) for number in range(12))
STRANGE = {
    "records": [at(10, records=30_000), at(11, records=30_000)],
    "odd hours": [at(2), at(3, records=200)],
    "datasets": [at(10, datasets=NEW)],
    "denials": [at(10, denials=40)],
    "detokenizations": [at(10, detokenizations=60)],
    "exports": [at(10, exports=9)],
}


@pytest.mark.parametrize("name", STRANGE)
def test_each_kind_of_evidence_alone_tells_of_what_never_was(name) -> None:
    found = judged(*STRANGE[name])
    assert found.score >= found.asked or name == "odd hours", found
    assert found.evidence[0].name == name
    assert found.evidence[0].surprise > 3


def test_an_ordinary_day_is_not_told_of() -> None:
    day = [
        at(number, records=records)
        for number, records in zip(range(8, 16), (90, 250, 40, 0, 180, 60, 300, 120), strict=True)
    ]
    for number in range(1, len(day) + 1):
        found = judged(*day[:number])
        assert found.score < found.asked, found


def test_what_is_slow_adds_up_over_days() -> None:
    days = [MONDAY + timedelta(days=day, hours=10) for day in range(5)]
    rows = [hour(one, datasets=NEW[2 * number : 2 * number + 2]) for number, one in enumerate(days)]
    assert judged(rows[0]).score < THRESHOLD
    found = judged(*rows)
    assert found.score >= found.asked
    assert (found.evidence[0].name, found.evidence[0].seen) == ("datasets", 10)
    assert found.span == timedelta(days=10)


def test_little_of_several_kinds_counts_for_more_than_of_one() -> None:
    one = judged(at(10, records=2_500))
    several = judged(at(10, records=2_500, exports=2, datasets=NEW[:2]))
    assert one.score < one.asked <= several.score


def test_it_says_what_was_seen_and_what_is_usual() -> None:
    words = judged(at(10, records=48_000)).evidence[0].words
    assert words.startswith("read 48,000 records between 10:00 and 11:00 UTC; usual ")


def test_a_new_principal_is_compared_with_its_peers_and_more_is_asked() -> None:
    young = ordinary(3)
    found = judged(at(10, records=800), history=young)
    assert found.is_learning
    assert found.asked > THRESHOLD
    assert found.score < found.asked
    assert judged(at(10, records=10**6, denials=60), history=young).score >= found.asked
    first = judged(at(10, records=800), history=[])
    assert first.is_learning
    assert first.score < first.asked


def test_a_night_on_call_that_reads_next_to_nothing_is_not_odd() -> None:
    found = judged(at(2, records=4))
    assert next(one for one in found.evidence if one.name == "odd hours").seen == 0


def test_shifts_are_no_odd_hours() -> None:
    moments = [MONDAY - timedelta(days=35 - day) for day in range(35)]
    history = [
        hour(day + timedelta(hours=8 * (number // 7 % 3) + at), records=100)
        for number, day in enumerate(moments)
        for at in range(8)
    ]
    found = judged(at(2), at(3), at(4), history=history)
    assert found.score < found.asked


def test_habits_shrink_to_the_peers_while_they_are_few() -> None:
    rows = [hour(MONDAY + timedelta(hours=number), records=10_000) for number in range(200)]
    few, many = habits_of(rows[:2], PEERS), habits_of(rows, PEERS)
    assert PEERS.volume < few.volume < many.volume < 9.22
    assert many.spread >= 0.5, "however regular: within two thirds nothing is unusual"


def test_peers_are_what_most_do() -> None:
    usual = [ordinary(20, seed) for seed in range(20)]
    loud = [[hour(row.hour, exports=500) for row in ordinary(20)]]
    assert peers_of([*usual, *loud]).rates["exports"] == 0
    assert peers_of([]) == Peers()


def test_surprise_grows_with_what_is_seen_and_never_beyond_its_bound() -> None:
    counts = [count_surprise(count, 0.5, 1.0) for count in range(40)]
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert count_surprise(10**9, 0.1, 3.0) == MOST
    assert count_surprise(3, 5.0, 1.0) == 0
    assert [round(normal_surprise(z), 2) for z in (-1, 0, 1.2816, 3.0902)] == [0, 0, 1.0, 3.0]
    assert normal_surprise(60) == MOST


def test_the_chance_of_a_count_is_the_negative_binomials() -> None:
    """Against a simulation of counts whose rates differ by a gamma distribution."""
    dice = Random(7)
    size, mean, least, rounds = 1.5, 2.0, 9, 40_000
    counts = [_poisson(dice, dice.gammavariate(size, mean / size)) for _ in range(rounds)]
    share = sum(one >= least for one in counts) / rounds
    assert 10 ** -count_surprise(least, mean, size) == pytest.approx(share, rel=0.35)


def _poisson(dice: Random, rate: float) -> int:
    count, left = 0, dice.expovariate(1)
    while left < rate:
        count, left = count + 1, left + dice.expovariate(1)
    return count
