"""What statistics and the release ledger cost, each against the least that must be done."""

import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import orjson

from anonymization.privacy.signatures import Promise, Released, Rows, collect, find_breach, segments_of
from datasets.query.ast import parse_path
from datasets.services.statistics.measures import measure_for
from datasets.services.statistics.request import parse_request
from datasets.services.statistics.rows import SubjectKeys, SubjectRows
from tests.benchmarks.figures import Figure, Plan, interleaved, timed

RELEASES, CLASS = 4, 20
_QUERIES: list[dict[str, Any]] = [
    {"type": "count", "epsilon": "0.1"},
    {"type": "mean", "field": "age", "bounds": [0, 100], "epsilon": "0.1"},
    {"type": "histogram", "field": "city", "keys": ["a", "b", "c"], "epsilon": "0.1"},
    {"type": "quantile", "field": "age", "bounds": [0, 100], "epsilon": "0.1"},
]


def measure_privacy(plan: Plan) -> list[Figure]:
    """``statistics_us``: four queries, a record; ``release_check_us``: four releases joined, a subject."""
    return [*_statistics(plan), *_releases(plan)]


def _statistics(plan: Plan) -> list[Figure]:
    rng = random.Random(plan.seed)
    lines = [_line(rng, number) for number in range(plan.records)]
    read, whole = interleaved(plan.rounds, timed(_read, lines), timed(_answer, lines))
    note = "hashing and bounding subjects, four queries with their noise; baseline: parsing the records"
    each = 1e6 / len(lines)
    return [Figure("statistics_us", whole.cpu * each, "us/record", read.cpu * each, len(lines), plan.seed, note)]


def _line(rng: random.Random, number: int) -> bytes:
    data = {"person": f"person-{number // 2}", "age": rng.randrange(18, 90), "city": rng.choice("abcd")}
    return orjson.dumps({"id": str(number), "data": data, "metadata": {}})


def _read(lines: list[bytes]) -> None:
    for line in lines:
        orjson.loads(line)


def _answer(lines: list[bytes]) -> None:
    request = parse_request(subject="person", queries=_QUERIES)
    measures = [measure_for(query) for query in request.queries]
    keys, rows, path = SubjectKeys(), SubjectRows([1] * len(measures)), parse_path("person")
    for line in lines:
        record = orjson.loads(line)
        key = keys.of(record, path)
        if key is not None:
            rows.add(key, [measure.give(record) for measure in measures])
    for measure, values in zip(measures, rows.counted(), strict=True):
        measure.add(values)
        measure.answer()


def _releases(plan: Plan) -> list[Figure]:
    rng = random.Random(plan.seed)
    subjects = [rng.randbytes(16) for _ in range(plan.records)]
    rows = [collect(_classes(subjects, number), key=bytes(32)) for number in range(RELEASES)]
    releases = [Released(Promise(1, 1), len(part), _segments(part)) for part in rows]
    collecting, checking = interleaved(
        plan.rounds,
        timed(lambda: collect(_classes(subjects, 0), key=bytes(32))),
        timed(find_breach, releases),
    )
    note = f"{RELEASES} releases in classes of {CLASS}; baseline: making the signature of one"
    each = 1e6 / len(subjects)
    return [
        Figure(
            "release_check_us", checking.cpu * each, "us/subject", collecting.cpu * each, len(subjects), plan.seed, note
        )
    ]


def _classes(subjects: list[bytes], shift: int) -> Iterator[tuple[bytes, bytes, list[bytes]]]:
    for number, subject in enumerate(subjects):
        yield subject, b"class %d" % ((number + shift) // CLASS), [b"value %d" % (number % 7)]


def _segments(rows: Rows) -> Callable[[], Iterator[Rows]]:
    return partial(segments_of, rows)
