from functools import cache

import pytest

from anonymization.detectors.engine import VaultDetector
from anonymization.findings import ACT_FROM
from tests.anonymization.recognizers.templates import KINDS, sentences

_COUNT = 60
_COVERED = 0.9
#: Kinds known by form alone, or made by Faker with names of streets that no city has: lower floors, the rest .97.
_FLOORS = {
    "US address": 0.9,
    "UK address": 0.9,
    "German address": 0.8,
    "French address": 0.9,
    "postcode": 0.75,
    "phone, bare": 0.7,
}
_FLOOR = 0.95


@cache
def detector():
    return VaultDetector()


def recall(kind, templates):
    texts = list(sentences(kind, templates, seed=11, count=_COUNT))
    found = detector().detect_texts([text for text, _, _ in texts])
    hits = 0
    for (_, start, end), spans in zip(texts, found, strict=True):
        hits += any(
            span.score >= ACT_FROM
            and span.entity_type in kind.entity_types
            and min(span.end, end) - max(span.start, start) >= _COVERED * (end - start)
            for span in spans
        )
    return hits / _COUNT


@pytest.mark.parametrize("name", sorted(KINDS))
def test_values_are_found_in_the_sentences_developed_with(name):
    assert recall(KINDS[name], KINDS[name].train) >= _FLOORS.get(name, _FLOOR)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_values_are_found_in_sentences_held_out(name):
    assert recall(KINDS[name], KINDS[name].held_out) >= _FLOORS.get(name, _FLOOR) - 0.15


@pytest.mark.parametrize("name", sorted(KINDS))
def test_no_sentence_serves_both(name):
    assert not set(KINDS[name].train) & set(KINDS[name].held_out)
