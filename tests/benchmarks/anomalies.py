"""How many attacks the watch finds in simulated tenants it was not tuned on, and how often it is wrong."""

from tests.audit.anomalies.generator import KINDS, live
from tests.audit.anomalies.measuring import Outcome, best_threshold, globally_scored, judged
from tests.benchmarks.figures import Figure, Plan

#: Seeds that nobody has tuned anything on.
HELD_OUT = range(201, 209)
_MANY = 10_000
#: A tenant as small as this has few programs: not every seed has one of each habit.
_SMALL = range(11, 12)


def measure_anomalies(plan: Plan) -> list[Figure]:
    """``anomaly_recall`` (also by kind of attack) and ``anomaly_false_week``, beside a global z-score's at its best."""
    is_small = plan.records < _MANY
    seeds = _SMALL if is_small else HELD_OUT
    size = {"principals": 60, "learning_weeks": 4, "watched_weeks": 3} if is_small else {}
    lives = [live(seed, **size) for seed in seeds]
    outcome = Outcome()
    for life in lives:
        outcome.add(life, judged(life))
    plain = best_threshold(lives, [globally_scored(life) for life in lives])
    hours = sum(len(life.hours) for life in lives)
    note = f"seeds {seeds[0]} to {seeds[-1]}, {len(lives)} tenants, {outcome.weeks:.0f} weeks; against a global z-score"
    figures = [
        Figure("anomaly_recall", round(outcome.recall, 3), "share", round(plain.recall, 3), hours, seeds[0], note),
        Figure(
            "anomaly_false_week",
            round(outcome.false_a_week, 2),
            "alerts",
            round(plain.false_a_week, 2),
            hours,
            seeds[0],
            "false alerts a tenant and week; the z-score's threshold was chosen on the same data",
        ),
    ]
    return figures + [_of_kind(kind, outcome, plain, seeds[0]) for kind in KINDS]


def _of_kind(kind: str, outcome: Outcome, plain: Outcome, seed: int) -> Figure:
    number = outcome.attacks[kind]
    found, theirs = outcome.found[kind] / number, plain.found[kind] / number
    note = f"{outcome.found[kind]} of {number} attacks"
    return Figure(f"anomaly_recall/{kind}", round(found, 3), "share", round(theirs, 3), number, seed, note)
