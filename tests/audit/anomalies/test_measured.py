"""The watch measured on a small simulated tenant; tests/benchmarks/anomalies.py measures it on large ones."""

from tests.audit.anomalies.generator import KINDS, live
from tests.audit.anomalies.measuring import Outcome, Told, judged

SMALL = {"principals": 60, "learning_weeks": 4, "watched_weeks": 3}


def test_most_attacks_are_found_and_false_alerts_are_few() -> None:
    outcome = Outcome()
    for seed in (11, 12):
        life = live(seed, **SMALL)
        outcome.add(life, judged(life))
    assert outcome.attacks.total() == 2 * len(KINDS)
    assert outcome.recall >= 0.7
    assert outcome.false_a_week <= 1


def test_the_same_seed_is_the_same_life() -> None:
    one, other = (live(11, **SMALL) for _ in range(2))
    assert one.hours == other.hours
    assert one.attacks == other.attacks
    assert {attack.kind for attack in one.attacks} == set(KINDS)


def test_what_is_told_of_an_attack_is_not_false_and_a_day_of_false_alerts_is_one() -> None:
    life = live(11, **SMALL)
    attack, outcome = life.attacks[0], Outcome()
    quiet = next(row.actor_id for row in life.hours if row.actor_id not in {one.actor_id for one in life.attacks})
    times = [life.watched.replace(hour=number) for number in (8, 9, 15)]
    outcome.add(life, [Told(attack.actor_id, attack.start, 9.0), *(Told(quiet, time, 9.0) for time in times)])
    assert (outcome.found.total(), outcome.false_alerts, outcome.weeks) == (1, 1, 3)
