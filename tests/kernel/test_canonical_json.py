"""Canonical JSON, whoever writes it, against the library that follows RFC 8785 letter by letter."""

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from vaultsite.kernel.canonical_json import SAFE_INTEGER, canonical_json

texts = st.text(st.characters(codec="utf-8"), max_size=12)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-SAFE_INTEGER, SAFE_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=20)
plain = st.text(st.characters(max_codepoint=127), max_size=12)
plain_values = st.recursive(
    st.none() | st.booleans() | st.integers(-SAFE_INTEGER, SAFE_INTEGER) | plain,
    lambda inner: st.lists(inner) | st.dictionaries(plain, inner),
    max_leaves=20,
)


@given(values | plain_values)
def test_the_bytes_are_those_of_the_standard(value):
    assert canonical_json(value) == rfc8785.dumps(value)


def test_every_control_character_is_written_as_the_standard_says():
    text = "".join(map(chr, range(128)))
    assert canonical_json({text: text}) == rfc8785.dumps({text: text})


def test_names_are_sorted_by_utf_16():
    assert canonical_json({"\ufb33": 1, "\U0001f600": 2}).decode() == '{"\U0001f600":2,"\ufb33":1}'


@pytest.mark.parametrize("value", [SAFE_INTEGER + 1, -SAFE_INTEGER - 1, float("nan"), float("inf"), "\ud800"])
def test_what_has_no_spelling_is_refused(value):
    with pytest.raises(rfc8785.CanonicalizationError):
        canonical_json({"a": [value]})
