"""The shipped finder: its contract, and how well it finds names in text that no model was trained on."""

import socket
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from pathlib import Path
from threading import Barrier

import pytest

from anonymization.names.base import ENTITY_TYPES
from anonymization.names.crf import SHIPPED, CrfNameFinder
from anonymization.names.emissions import Emissions
from anonymization.names.errors import NameModelMalformed, NameModelMissing
from anonymization.names.training.generate import generate, read_templates
from anonymization.names.training.measure import measure

HELD_OUT = Path(__file__).parent / "held_out"
LEARNED = ("PERSON", "LOCATION", "ORGANIZATION")
LETTER = (
    "Dear Ms. Okonkwo,\n\nyour brother Tunde Okonkwo, 41 years old, moved from Lagos to Rotterdam on 3 March 2019 to "
    "work for Siemens. The Dutch authorities have written to Okonkwo twice.\n\nKind regards,\nHelga Brandt"
)


@cache
def finder() -> CrfNameFinder:
    return CrfNameFinder()


@cache
def held_out():
    return generate(read_templates(HELD_OUT), 300, seed=4711)


def found(text: str, *, strict: bool = False) -> list[tuple[str, str]]:
    return [(text[span.start : span.end], span.entity_type) for span in finder().find([text], strict=strict)[0]]


def test_a_letter():
    spans = found(LETTER)
    for expected in (
        ("Tunde Okonkwo", "PERSON"), ("41", "AGE"), ("Lagos", "LOCATION"), ("Rotterdam", "LOCATION"),
        ("3 March 2019", "DATE_TIME"), ("Siemens", "ORGANIZATION"), ("Dutch", "NRP"), ("Helga Brandt", "PERSON"),
        ("Ms.", "TITLE"),
    ):  # fmt: skip
        assert expected in spans
    assert spans.count(("Okonkwo", "PERSON")) == 2


def test_spans_are_sorted_apart_and_of_known_types():
    for strict in (False, True):
        for example, spans in zip(
            held_out(), finder().find([one.text for one in held_out()], strict=strict), strict=True
        ):
            assert all(0 <= span.start < span.end <= len(example.text) for span in spans)
            assert all(before.end <= after.start for before, after in pairwise(spans))
            assert all(span.entity_type in ENTITY_TYPES and 0 <= span.score <= 1 for span in spans)


def test_texts_are_judged_independently():
    texts = [one.text for one in held_out()[:60]]
    assert finder().find(texts) == [finder().find([text])[0] for text in texts]


@pytest.mark.parametrize(
    "text", ["", "\n\n", " ", "...", "\x00\x01\x02\x03\x04 a", "\ud800", "😀" * 50, "田中さん", "a" * 50_000]
)
def test_any_text_can_be_read(text):
    assert all(span.end <= len(text) for span in finder().find([text, "Call Maria Gonzalez."])[0])


def test_offsets_count_code_points():
    text = "😀🏳️‍🌈 Write to Maria Gonzalez in Madrid"
    assert ("Maria Gonzalez", "PERSON") in found(text)


def test_quality_on_held_out_templates():
    """Floors a little under what the shipped model reaches; a worse model must not ship."""
    quality = measure(finder(), held_out(), LEARNED)
    assert quality["PERSON"].f2 > 0.87
    assert quality["LOCATION"].f2 > 0.85
    assert quality["ORGANIZATION"].f2 > 0.80
    assert min(quality[kind].precision for kind in LEARNED) > 0.80


def test_ordinary_text_has_few_names():
    quiet = generate(read_templates(HELD_OUT / "quiet"), 8, seed=3)
    reported = [span for spans in finder().find([one.text for one in quiet]) for span in spans]
    assert len([span for span in reported if span.entity_type in LEARNED]) <= 5


def test_strict_mode_finds_more():
    texts = [one.text for one in held_out()]
    usual, strict = (
        measure(finder(), held_out(), LEARNED)["all"],
        measure(finder(), held_out(), LEARNED, strict=True)["all"],
    )
    assert strict.recall > usual.recall
    for default, wider in zip(finder().find(texts), finder().find(texts, strict=True), strict=True):
        assert _characters(default) <= _characters(wider)


def _characters(spans) -> set[int]:
    return {place for span in spans if span.entity_type in LEARNED for place in range(span.start, span.end)}


def test_the_hash_is_that_of_the_model_file(tmp_path):
    copy = tmp_path / "copy.names"
    copy.write_bytes(SHIPPED.read_bytes())
    assert CrfNameFinder(copy).content_hash == finder().content_hash
    assert len(finder().content_hash) == 32


def test_several_threads_get_the_same_answers():
    texts = [one.text for one in held_out()]
    parts = [texts[start::5] for start in range(5)]
    expected = [finder().find(part) for part in parts]
    fresh = CrfNameFinder()
    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(fresh.find, parts)) == expected


def test_threads_that_meet_the_same_new_words_learn_them_once():
    """Who waited while another learnt them has nothing left to learn."""
    emissions = Emissions(finder()._model)
    meet = Barrier(4)

    def learn(turn: int) -> list[float]:
        words = [f"Word{turn}x{number}" for number in range(2_000)]
        meet.wait()
        return list(emissions.of([words], [""])[0].sum(axis=1))

    for turn in range(5):
        with ThreadPoolExecutor(4) as pool:
            first, *others = pool.map(learn, [turn] * 4)
        assert all(other == first for other in others)


def test_forgetting_words_changes_nothing(monkeypatch):
    texts = [one.text for one in held_out()]
    expected = finder().find(texts)
    monkeypatch.setattr("anonymization.names.emissions.KEPT", 4_000)
    small = CrfNameFinder()
    assert [small.find([text])[0] for text in texts] == expected
    assert len(small._emissions._rows.of) <= 4_000


def test_more_words_at_once_than_are_kept(monkeypatch):
    expected = finder().find([LETTER])
    monkeypatch.setattr("anonymization.names.emissions.KEPT", 10)
    assert CrfNameFinder().find([LETTER]) == expected


def test_no_connection_is_opened(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert CrfNameFinder().find([LETTER])[0]


def test_the_model_is_small_and_english():
    assert SHIPPED.stat().st_size < 6_000_000
    assert finder().language == "en"


def test_a_missing_model_is_said_to_be_missing(tmp_path):
    with pytest.raises(NameModelMissing):
        CrfNameFinder(tmp_path / "none.names")


@pytest.mark.parametrize(
    "damage", [lambda _: b"", lambda b: b"PK" + b, lambda b: b[:-200], lambda b: b[:2000] + b"x" + b[2001:]]
)
def test_a_damaged_model_is_refused(tmp_path, damage):
    path = tmp_path / "damaged.names"
    path.write_bytes(damage(SHIPPED.read_bytes()))
    with pytest.raises(NameModelMalformed):
        CrfNameFinder(path)


def test_emissions_of_nothing():
    model = finder()._model
    scores, starts = Emissions(model).of([], [])
    assert len(scores) == 2
    assert len(starts) == 0
