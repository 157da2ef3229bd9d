import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from presidio_analyzer import Pattern, PatternRecognizer

from anonymization.detectors.necessary import Expression, Unweakened, one_byte_a_code_point, window
from anonymization.detectors.prefilter import Windows
from anonymization.detectors.recognizers.catalogue import build_recognizers
from anonymization.detectors.scan import patterns_of, rules_of
from tests.anonymization.test_necessary import _PATTERNS, FLAGS

_TEXTS = st.text("aAbBkKsSiI01 _-.@:\u0130\u00e9\u0301\u0664\u00a0\n", max_size=90)


def parts_of(pattern, text, flags=FLAGS):
    return list(Windows(Expression(pattern, flags)).of(one_byte_a_code_point(text)))


def found_in_windows(pattern, text, flags=FLAGS):
    compiled, windows = regex.compile(pattern, flags), Windows(Expression(pattern, flags))
    return [
        match.span()
        for first, last in windows.of(one_byte_a_code_point(text))
        for match in compiled.finditer(text, first, last + windows.reach)
        if match.start() < last and match.group()
    ]


def test_windows_are_runs_of_what_a_pattern_is_made_of():
    text = "see 12-34 there, not 5, and \u0664-99"
    assert [text[first:last] for first, last in parts_of(r"\d+-\d+", text)] == ["12-34", "\u0664-99"]


@pytest.mark.parametrize("pattern", [r"^\d+$", r"a.*b", r"\d(?=.{0,80}x)", r"x\K\d", r"\p{Lu}\d"])
def test_patterns_that_look_far_have_no_window(pattern):
    try:
        assert window(pattern, FLAGS) is None
    except Unweakened:
        assert r"\p" in pattern
    assert parts_of(pattern, "12 ab") == [(0, 5)]


@settings(max_examples=500, deadline=None)
@given(_PATTERNS, _TEXTS)
def test_windows_hold_every_match(pattern, text):
    try:
        compiled = regex.compile(pattern, FLAGS)
    except regex.error:
        return
    everything = [match.span() for match in compiled.finditer(text) if match.group()]
    try:
        narrowed = found_in_windows(pattern, text)
    except Unweakened:
        return
    assert narrowed == everything, (pattern, text)


def test_windows_change_nothing_for_the_shipped_patterns():
    text = (
        "pay 4111 1111 1111 1111 to jane.doe@example.com (SSN 536-22-8726), see https://a.example.co.uk/x?y=1, "
        "2001:db8::1, 10.0.0.1, 00:1a:2b:3c:4d:5e, DE89370400440532013000, +1 415-555-0132, D1234567, 1/31/2024 \u00e9 "
    ) * 3
    windowed = compared = 0
    for recognizer in build_recognizers():
        if not isinstance(recognizer, PatternRecognizer):
            continue
        for pattern in patterns_of(recognizer):
            flags = int(recognizer.global_regex_flags)
            everything = [m.span() for m in regex.compile(pattern.regex, flags).finditer(text) if m.group()]
            assert found_in_windows(pattern.regex, text, flags) == everything, pattern.name
            windowed += parts_of(pattern.regex, text, flags) != [(0, len(text))]
            compared += len(everything)
    assert windowed > 50
    assert compared > 50


def test_what_stands_around_a_window_is_still_seen():
    looking = PatternRecognizer("X", name="Looking", patterns=[Pattern("x", r"(?<!no )\b\d{3}\b(?! no)", 0.5)])
    [rule] = rules_of(looking)
    text = "no 123 and 456 no but 789, " + "x" * 80
    assert [text[one.start : one.end] for one in rule.find(text)] == ["789"]
