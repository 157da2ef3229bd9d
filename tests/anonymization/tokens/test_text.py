"""Tokens say what they are, and no detector takes them for personal data."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymization.findings import ACT_FROM
from anonymization.services.detect import detect_text
from anonymization.tokens.text import PREFIX, RESERVED, is_prefix, is_token, make_token, read_token

SENTENCES = (
    "{}",
    "customer {} called about the order",
    "name: {}, phone: {}",
    '{{"email": "{}", "card_number": "{}"}}',
    "please use {} and {} from now on",
)


def test_tokens_do_not_meet():
    tokens = {make_token("tok", 1) for _ in range(50_000)}
    assert len(tokens) == 50_000


@given(st.from_regex(PREFIX, fullmatch=True).filter(is_prefix), st.integers(1, 32767))
def test_a_token_tells_its_prefix_and_generation(prefix, generation):
    token = make_token(prefix, generation)
    read = read_token(token)
    assert (read.prefix, read.generation) == (prefix, generation)
    assert re.fullmatch(r"\w+", token, re.ASCII), "one word, so that no pattern begins inside"


@given(st.data())
def test_what_was_mistyped_is_no_token(data):
    token = make_token("tok", 7)
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("0123456789abcXYZ_ -"))
    changed = token[:place] + letter + token[place + 1 :]
    assert is_token(changed) == (changed == token)
    assert not is_token(token[:place])
    assert not is_token(token + letter)


@pytest.mark.parametrize("prefix", [*sorted(RESERVED), "", "a", "A1", "1a", "a_b", "x" * 17, "tok\n"])
def test_prefixes_of_other_services_are_refused(prefix):
    assert not is_prefix(prefix)


def test_a_scanner_takes_no_token_for_personal_data():
    found = [
        (sentence, span.entity_type)
        for sentence in SENTENCES
        for _ in range(20)
        for span in detect_text(sentence.format(make_token("tok", 1), make_token("person", 12)))
        if span.score >= ACT_FROM
    ]
    assert found == []
