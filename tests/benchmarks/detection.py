"""Our detector against presidio-analyzer as it comes, with names and without."""

import gzip
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.pool import Pool
from typing import Any

import orjson
from presidio_analyzer import AnalyzerEngine

from anonymization.detectors.base import Detector
from anonymization.detectors.presidio import PresidioDetector
from anonymization.detectors.walk import scan_records
from anonymization.findings import ACT_FROM
from anonymization.services.detect import active_detector
from tests.benchmarks.figures import Cost, Figure, Plan, cost_of, interleaved, timed
from tests.benchmarks.inputs import texts
from tests.benchmarks.parity_texts import clean_200, fuzz, texts_200, texts_2000
from tests.benchmarks.spacy_ner import baseline_pipeline
from tests.benchmarks.stock import stock_analyzer

#: Rounds of the baseline, whose best one counts: what disturbs it must not flatter us.
_ROUNDS = 5
#: How many times the faster side scans the texts in one round, so that its cost can be measured.
_TIMES = 4


def measure_parity(plan: Plan) -> list[Figure]:
    """``pattern_parity_diffs``: texts in which spans or types differ from stock presidio's at threshold 0.4."""
    stock, ours = stock_analyzer(), PresidioDetector()
    sample = parity_texts(plan)
    found = differing = scored = 0
    for text in sample:
        theirs, own = _stock_findings(stock, text), _own_findings(ours, text)
        found += len(theirs)
        differing += {one[:3] for one in theirs} != {one[:3] for one in own}
        scored += theirs != own
    note = f"presidio-analyzer over blank tokens with lower-case lemmas; {found:,} findings; scores differ in {scored}"
    return [
        Figure("pattern_parity_diffs", differing, "texts", 0, len(sample), plan.seed, note),
        Figure("pattern_parity_texts", len(sample), "texts", None, len(sample), plan.seed, note),
    ]


def parity_texts(plan: Plan) -> list[str]:
    """Mostly glued numbers, then prose; five times as many texts as the other figures take."""
    count = plan.texts
    return [
        *fuzz(plan.seed, count * 7 // 2),
        *texts_200(plan.seed, count),
        *clean_200(plan.seed, count // 2),
        *texts_2000(plan.seed, max(1, count // 10)),
    ]


def measure_patterns(plan: Plan) -> list[Figure]:
    """``pattern_speed_*``: how many times faster the same findings are made on texts of a kind."""
    stock, ours = stock_analyzer(), PresidioDetector()
    count = max(4, plan.texts // 5)
    kinds: dict[str, list[str]] = {
        "200": texts_200(plan.seed, count),
        "2000": texts_2000(plan.seed, max(2, count // 8)),
        "clean": clean_200(plan.seed, count),
    }
    return [_speed(plan, f"pattern_speed_{kind}", stock, ours, sample) for kind, sample in kinds.items()]


def measure_detection(plan: Plan) -> list[Figure]:
    """``detector_speed_ratio``: the whole detector, names included, against presidio with a small spaCy model."""
    trained, what = baseline_pipeline(plan.seed)
    sample = texts_200(plan.seed + 1, max(4, plan.texts // 5))
    figure = _speed(plan, "detector_speed_ratio", stock_analyzer(trained), active_detector(), sample)
    everyday = texts(plan.seed, max(4, plan.texts // 5))
    plain = _speed(plan, "detect_ratio_vs_stock", stock_analyzer(), active_detector(), everyday)
    return [Figure(**{**vars(figure), "note": f"{figure.note}; {what}"}), plain]


def _speed(plan: Plan, name: str, stock: AnalyzerEngine, ours: Detector, sample: Sequence[str]) -> Figure:
    def theirs() -> None:
        for text in sample:
            stock.analyze(text, language="en", score_threshold=ACT_FROM)

    def own() -> None:
        for _ in range(_TIMES):
            ours.detect_texts(sample)

    theirs(), own()  # what is compiled and cached on first use
    costs: list[tuple[Cost, Cost]] = []
    for _ in range(max(plan.rounds, _ROUNDS) if plan.own_processes else 1):
        first = cost_of(theirs)
        costs.append((first, cost_of(own)))
    baseline, best = min(cost.cpu for cost, _ in costs), min(cost.cpu for _, cost in costs) / _TIMES
    note = (
        f"processor time, the best of {len(costs)} interleaved rounds on either side; baseline in texts/s; ours "
        f"{len(sample) / best:,.0f} texts/s, {sum(map(len, sample)) / 1e6 / best:.2f} MB/s; n counts texts"
    )
    return Figure(name, baseline / best, "ratio", len(sample) / baseline, len(sample), plan.seed, note)


def _stock_findings(stock: AnalyzerEngine, text: str) -> set[tuple[int, int, str, float]]:
    results = stock.analyze(text, language="en", score_threshold=ACT_FROM)
    return {(one.start, one.end, one.entity_type, round(one.score, 6)) for one in results}


def _own_findings(ours: Detector, text: str) -> set[tuple[int, int, str, float]]:
    [spans] = ours.detect_texts([text])
    return {(one.start, one.end, one.entity_type, round(one.score, 6)) for one in spans if one.score >= ACT_FROM}


def measure_detector_start(plan: Plan) -> list[Figure]:
    """``worker_start_s``, ``worker_rss_mb``: a process of its own that detects once."""
    rounds = [_started() for _ in range(plan.rounds)]
    wall, cpu, peak, loaded = min(rounds)
    note = (
        f"the best of {plan.rounds} processes: Django, detector, first texts; {cpu:.2f} s of processor time; {loaded}"
    )
    return [
        Figure("worker_start_s", wall, "s", None, plan.rounds, None, note),
        Figure("worker_rss_mb", peak, "MB", None, plan.rounds, None, f"largest resident set; {note}"),
    ]


def _started() -> tuple[float, float, float, str]:
    command = [sys.executable, "-m", "tests.benchmarks.starting"]
    told = orjson.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return told["wall"], told["cpu"], told["peak_mb"], f"spaCy is {'loaded' if told['has_spacy'] else 'not loaded'}"


@dataclass(frozen=True)
class _Records:
    suffix: str
    records: list[dict[str, Any]]
    megabytes: float


def measure_records(plan: Plan) -> list[Figure]:
    """``detector_mb_s``: records scanned per second of processor time, all leaves; and what two processes gain."""
    detector = active_detector()
    figures = []
    for source in _records(plan):
        records = source.records
        scan_records(records[: len(records) // 4 + 1], detector)
        [cost] = interleaved(1 if len(records) > 1000 else plan.rounds, timed(_scan, records))
        note = f"all leaves, names included, in batches of 256 records; {len(records) / cost.cpu:,.0f} records/s"
        value = source.megabytes / cost.cpu
        figures.append(Figure(f"detector_mb_s{source.suffix}", value, "MB/s", None, len(records), plan.seed, note))
    return [*figures, _scaling(plan)]


def _scan(records: Sequence[dict[str, Any]]) -> None:
    for start in range(0, len(records), 256):
        scan_records(records[start : start + 256], active_detector())


def _records(plan: Plan) -> Iterator[_Records]:
    sample = [{"data": {"text": text}} for text in texts(plan.seed, plan.texts)]
    yield _Records("", sample, sum(len(one["data"]["text"]) for one in sample) / 1e6)
    for path in plan.files:
        lines = gzip.decompress(path.read_bytes()).splitlines()[: plan.texts]
        yield _Records(
            f"/{path.name.split('.')[0]}", [{"data": orjson.loads(line)} for line in lines], sum(map(len, lines)) / 1e6
        )


def _scaling(plan: Plan) -> Figure:
    """``detector_scaling``: texts per second of two processes over those of one, by the clock."""
    sample = texts_200(plan.seed, max(8, plan.texts // 4))
    context = get_context("spawn")
    rates = {}
    for size in (1, 2):
        with context.Pool(size, initializer=_warm) as pool:
            pool.map(_detect, [sample[:8]] * size)
            rates[size] = max(_rate(pool, sample, size) for _ in range(plan.rounds))
    note = f"by the clock, best of {plan.rounds}; baseline: one process, texts/s; two: {rates[2]:,.0f}"
    return Figure("detector_scaling", rates[2] / rates[1], "ratio", rates[1], len(sample), plan.seed, note)


def _rate(pool: Pool, sample: list[str], size: int) -> float:
    run: Callable[[], object] = lambda: pool.map(_detect, [sample] * size)  # noqa: E731 - one use
    return size * len(sample) / cost_of(run).wall


def _warm() -> None:
    import django

    django.setup()
    active_detector().detect_texts(["warm: ada@example.com"])


def _detect(sample: list[str]) -> int:
    return sum(map(len, active_detector().detect_texts(sample)))
