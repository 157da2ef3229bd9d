from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from anonymization.detectors.engine import VaultDetector
from anonymization.findings import ACT_FROM
from tests.anonymization.hard_negatives.generator import TEMPLATES, negatives

_CURATED = [
    line.replace("\\n", "\n")
    for line in (Path(__file__).parent / "curated.txt").read_text().splitlines()
    if line and not line.startswith("# ")
]
#: Texts, and the share of them that may raise a false alarm.
_COUNT = 20_400
_ALLOWED = 0.001


@cache
def detector():
    return VaultDetector()


@pytest.mark.parametrize("text", _CURATED)
def test_a_curated_text_raises_no_alarm(text):
    [spans] = detector().detect_texts([text])
    assert [(s.entity_type, text[s.start : s.end], s.path) for s in spans if s.score >= ACT_FROM] == []


def test_generated_texts_raise_less_than_one_alarm_in_a_thousand():
    pairs = list(negatives(20261122, _COUNT))
    alarms: Counter[tuple[str, str]] = Counter()
    alarmed = 0
    for (kind, _), spans in zip(pairs, detector().detect_texts([text for _, text in pairs]), strict=True):
        acted_on = [span for span in spans if span.score >= ACT_FROM]
        alarmed += bool(acted_on)
        alarms.update((kind, span.entity_type) for span in acted_on)
    assert {kind for kind, _ in pairs} == set(TEMPLATES)
    assert alarmed < _ALLOWED * _COUNT, alarms.most_common(5)


def test_the_generator_repeats_itself():
    assert list(negatives(3, 200)) == list(negatives(3, 200))
    assert list(negatives(3, 200)) != list(negatives(4, 200))
