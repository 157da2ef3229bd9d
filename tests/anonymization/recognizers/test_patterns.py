import time

import pytest
import regex
from presidio_analyzer import AnalyzerEngine, PatternRecognizer, RecognizerRegistry
from presidio_analyzer.nlp_engine import NoOpNlpEngine

from anonymization.detectors.offline import keep_tldextract_offline
from anonymization.detectors.recognizers.catalogue import build_recognizers, label_demanding_recognizers

_STOCK = "presidio_analyzer."
_RECOGNIZERS = [one for one in build_recognizers() if isinstance(one, PatternRecognizer)]
_OURS = [
    pytest.param(recognizer, pattern, id=f"{recognizer.name}: {pattern.name}")
    for recognizer in _RECOGNIZERS
    if not type(recognizer).__module__.startswith(_STOCK)
    or recognizer.name not in dir(__import__("presidio_analyzer").predefined_recognizers)
    for pattern in recognizer.patterns
]
_SIZE = 100_000
_HOSTILE = [
    unit * (_SIZE // len(unit))
    for unit in (
        "a",
        "1",
        "A1",
        "1 ",
        "1-",
        "password ",
        "account number ",
        "a.",
        "call me ",
        "is is ",
        "Aa ",
        "(1",
        '"a": ',
        "x@",
    )
]
#: A pattern may take this many times as long as a plain scan for words, and this long in any case.
_TIMES_A_SCAN = 400
_SECONDS_ALLOWED = 1.5


def _seconds(pattern, text):
    started = time.process_time()
    for _ in pattern.finditer(text):
        pass
    return time.process_time() - started


@pytest.mark.parametrize(("recognizer", "pattern"), _OURS)
def test_a_pattern_scans_hostile_text_in_linear_time(recognizer, pattern):
    compiled = regex.compile(pattern.regex, recognizer.global_regex_flags)
    plain = regex.compile(r"[^\W_]+")
    for text in _HOSTILE:
        allowed = max(_SECONDS_ALLOWED, _TIMES_A_SCAN * _seconds(plain, text))
        assert _seconds(compiled, text) < allowed, text[:12]


def test_recognizers_and_their_patterns_have_names_of_their_own():
    names = [recognizer.name for recognizer in build_recognizers()]
    assert len(set(names)) == len(names)
    for recognizer in _RECOGNIZERS:
        assert all(pattern.name for pattern in recognizer.patterns), recognizer.name
    assert {one.name for one in label_demanding_recognizers()} < set(names)


def test_every_recognizer_works_in_the_analyzer_engine_of_presidio():
    keep_tldextract_offline()
    registry = RecognizerRegistry(build_recognizers(), supported_languages=["en"])
    nlp = NoOpNlpEngine(models=[{"lang_code": "en", "model_name": "no_op"}])
    engine = AnalyzerEngine(registry, nlp, supported_languages=["en"])
    text = "my passport number is X4829103, NINO AB123456C, password: hunter2, call me at 415-555-0132"
    found = {(result.entity_type, text[result.start : result.end]) for result in engine.analyze(text, "en")}
    assert {
        ("PASSPORT_NUMBER", "X4829103"),
        ("UK_NINO", "AB123456C"),
        ("PASSWORD", "hunter2"),
        ("PHONE_NUMBER", "415-555-0132"),
    } <= found
