"""The shipped finder of names: how fast, and how well it finds names in text it was not made from."""

from collections.abc import Iterator
from pathlib import Path

from anonymization.names.crf import SHIPPED, CrfNameFinder
from anonymization.names.training.corpora import read_columns, read_court_decisions
from anonymization.names.training.examples import Example
from anonymization.names.training.generate import generate, read_templates
from anonymization.names.training.measure import measure
from tests.benchmarks.detection import stock_analyzer
from tests.benchmarks.figures import Figure, Plan, interleaved, timed

HELD_OUT = Path(__file__).resolve().parents[1] / "anonymization/names/held_out"
#: Public labelled text that a developer may keep beside the checkout; read only to be measured.
BESIDE = Path(__file__).resolve().parents[3] / "shared/data/pii"

_TYPES = ("PERSON", "LOCATION", "ORGANIZATION")
_CHARACTERS = 200


def measure_names(plan: Plan) -> list[Figure]:
    """``names_per_s``, ``names_speed_ratio``, ``names_model_mb``, and F2 by type on each labelled set."""
    finder = CrfNameFinder()
    return [*_speed(finder, plan), *_quality(finder, plan)]


def _speed(finder: CrfNameFinder, plan: Plan) -> list[Figure]:
    texts = _texts(plan)
    stock = stock_analyzer()
    stock.analyze(texts[0], language="en")
    finder.find(texts[:1])
    theirs, own = interleaved(
        plan.rounds,
        timed(lambda: [stock.analyze(text, language="en") for text in texts]),
        timed(finder.find, texts),
    )
    note = (
        f"processor time, texts of {_CHARACTERS} characters made from held-out templates, median of {plan.rounds} "
        "interleaved rounds; baseline: AnalyzerEngine with predefined recognizers and a blank tokenizer, no names"
    )
    size = SHIPPED.stat().st_size / 1e6
    return [
        Figure("names_per_s", len(texts) / own.cpu, "texts/s", len(texts) / theirs.cpu, len(texts), plan.seed, note),
        Figure("names_speed_ratio", theirs.cpu / own.cpu, "ratio", None, len(texts), plan.seed, note),
        Figure("names_model_mb", size, "MB", None, 1, None, "size of the shipped model file"),
    ]


def _quality(finder: CrfNameFinder, plan: Plan) -> Iterator[Figure]:
    for suffix, examples in _sets(plan):
        quality = measure(finder, examples, _TYPES)
        for kind in _TYPES:
            one = quality[kind]
            note = f"F2, spans of half the union or more; precision {one.precision:.3f}, recall {one.recall:.3f}"
            name = f"names_{kind.lower()}_f2{suffix}"
            yield Figure(name, one.f2, "F2", None, max(1, one.count), None if suffix else plan.seed, note)


def _sets(plan: Plan) -> Iterator[tuple[str, list[Example]]]:
    yield "", generate(read_templates(HELD_OUT), plan.texts, seed=plan.seed)
    if BESIDE.is_dir() and plan.own_processes:
        yield "/web-and-mail", read_columns(BESIDE / "uner_en_ewt/dev.iob2", word=1, tag=2)
        yield "/court", read_court_decisions(BESIDE / "tab144/tab_train_92.jsonl.gz")


def _texts(plan: Plan) -> list[str]:
    running = " ".join(one.text for one in generate(read_templates(HELD_OUT), plan.texts * 2, seed=plan.seed))
    starts = range(0, min(len(running), plan.texts * _CHARACTERS), _CHARACTERS)
    return [running[start : start + _CHARACTERS] for start in starts]
