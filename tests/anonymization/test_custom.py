import time

import pytest

from anonymization.detectors.custom import CustomPattern, compile_custom
from anonymization.detectors.engine import VaultDetector
from anonymization.detectors.errors import PatternRefused
from anonymization.findings import ACT_FROM

BADGE = {"name": "badge", "regex": r"\bB-\d{6}\b", "entity_type": "BADGE", "context": ["badge"], "score": 0.3}


def found(text, *patterns):
    [spans] = VaultDetector(custom=patterns).detect_texts([text])
    return {(span.entity_type, text[span.start : span.end]) for span in spans if span.score >= ACT_FROM}


def test_a_pattern_as_data_finds_and_its_words_support_it():
    assert ("BADGE", "B-204417") in found("my badge is B-204417", BADGE)
    assert ("BADGE", "B-204417") not in found("the part B-204417", BADGE)


def test_findings_tell_pattern_word_and_path():
    [spans] = VaultDetector(custom=[BADGE]).detect_texts(["my badge is B-204417"])
    [span] = [span for span in spans if span.entity_type == "BADGE"]
    assert (span.recognizer, span.pattern, span.context) == ("badge", "badge", "badge")
    assert span.path == ("base:0.3", "supported:+0.35")


def test_a_check_and_a_named_group_narrow_the_match():
    card = {"name": "loyalty", "regex": r"loyalty (?P<value>\d{16})", "entity_type": "LOYALTY", "check": "luhn"}
    assert ("LOYALTY", "4111111111111111") in found("loyalty 4111111111111111", card)
    assert ("LOYALTY", "4111111111111112") not in found("loyalty 4111111111111112", card)


def test_offsets_count_code_points():
    text = "\U0001f600\u00e9 my badge is B-204417"
    assert ("BADGE", "B-204417") in found(text, BADGE)


def test_flags_apply():
    anycase = {"name": "code", "regex": "^secret-[a-f]{4}", "entity_type": "CODE", "flags": "im"}
    assert ("CODE", "SECRET-ABCD") in found("x\nSECRET-ABCD", anycase)


@pytest.mark.parametrize(
    ("regex", "construct"),
    [
        (r"(?=a)b", "lookahead"),
        (r"(?!a)b", "negative lookahead"),
        (r"(?<=a)b", "lookbehind"),
        (r"(?<!a)b", "negative lookbehind"),
        (r"(a)\1", "backreference"),
        (r"(?P<x>a)(?P=x)", "backreference"),
        (r"(?>a)b", "atomic group"),
        (r"a++b", "possessive"),
        (r"a\Kb", r"\K"),
        (r"(a)?(?(1)b|c)", "conditional"),
        (r"a*", "empty text"),
        (r"(", "RE2"),
        (r"a{1001}", "RE2"),
        ("a" * 3000, "characters"),
    ],
)
def test_what_cannot_run_in_linear_time_is_refused_by_name(regex, construct):
    with pytest.raises(PatternRefused) as refused:
        compile_custom([{"name": "x", "regex": regex, "entity_type": "X"}])
    assert construct in str(refused.value)
    assert refused.value.code == "VAULT_ANON_6120"
    assert [problem.field for problem in refused.value.errors] == ["regex"]


@pytest.mark.parametrize("regex", [r"[(?=]x", r"\(\?=x", r"[\]+]+x", r"a\+\+"])
def test_signs_that_only_look_like_constructs_are_allowed(regex):
    assert compile_custom([{"name": "x", "regex": regex, "entity_type": "X"}])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"entity_type": "badge"}, "entity_type"),
        ({"score": 0}, "score"),
        ({"score": 1.5}, "score"),
        ({"check": "magic"}, "check"),
        ({"flags": "x"}, "flags"),
    ],
)
def test_other_members_are_checked(change, field):
    with pytest.raises(PatternRefused) as refused:
        compile_custom([{**BADGE, **change}])
    assert [problem.field for problem in refused.value.errors] == [field]


def test_unknown_members_are_refused():
    with pytest.raises(PatternRefused):
        compile_custom([{**BADGE, "run": "x"}])


def test_a_pattern_that_would_explode_elsewhere_runs_in_linear_time():
    detector = VaultDetector(custom=[{"name": "nested", "regex": r"(?:(?:a|aa)+)+;", "entity_type": "X"}])
    started = time.process_time()
    detector.detect_texts(["a" * 20_000 + "!"])
    assert time.process_time() - started < 10


def test_patterns_are_part_of_the_content_hash():
    hashes = {
        VaultDetector(custom=custom).content_hash
        for custom in ([], [BADGE], [{**BADGE, "score": 0.4}], [{**BADGE, "context": []}], [{**BADGE, "check": "luhn"}])
    }
    assert len(hashes) == 5
    assert VaultDetector(custom=[CustomPattern(**{**BADGE, "context": ("badge",)})]).content_hash in hashes
