"""Precision, recall, F1 and F2 of a finder on labelled text."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from anonymization.names.base import NameFinder
from anonymization.names.training.examples import Example


@dataclass(frozen=True, slots=True)
class Quality:
    """How well one entity type is found: a span counts when it covers at least half of the union with a true one."""

    precision: float
    recall: float
    f1: float
    f2: float
    count: int


def measure(
    finder: NameFinder, examples: Sequence[Example], types: Sequence[str], *, strict: bool = False
) -> dict[str, Quality]:
    """The quality by entity type, and over all of them under ``all`` (types must agree there too)."""
    hits: Counter[str] = Counter()
    reported: Counter[str] = Counter()
    true: Counter[str] = Counter()
    for example, spans in zip(examples, finder.find([one.text for one in examples], strict=strict), strict=True):
        for kind in types:
            wanted = [(label.start, label.end) for label in example.labels if label.entity_type == kind]
            given = [(span.start, span.end) for span in spans if span.entity_type == kind]
            true[kind] += len(wanted)
            reported[kind] += len(given)
            hits[kind] += _matches(wanted, given)
    for counts in (hits, reported, true):
        counts["all"] = sum(counts[kind] for kind in types)
    return {kind: _quality(hits[kind], reported[kind], true[kind]) for kind in (*types, "all")}


def _matches(wanted: list[tuple[int, int]], given: list[tuple[int, int]]) -> int:
    free = set(given)
    count = 0
    for start, end in wanted:
        for span in sorted(free):
            common = min(end, span[1]) - max(start, span[0])
            if common > 0 and 2 * common >= max(end, span[1]) - min(start, span[0]):
                free.remove(span)
                count += 1
                break
    return count


def _quality(hits: int, reported: int, true: int) -> Quality:
    precision, recall = hits / reported if reported else 0.0, hits / true if true else 0.0
    return Quality(precision, recall, _f(precision, recall, 1), _f(precision, recall, 2), true)


def _f(precision: float, recall: float, beta: float) -> float:
    weighted = beta * beta * precision + recall
    return (1 + beta * beta) * precision * recall / weighted if weighted else 0.0
