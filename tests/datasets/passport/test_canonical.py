"""Rules of a passport's bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.passport import verify
from datasets.passport.canonical import canonical

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
DOCUMENTS = st.dictionaries(
    TEXT,
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
        max_leaves=12,
    ),
    max_size=6,
)


@given(DOCUMENTS)
def test_the_verifier_writes_the_bytes_that_the_vault_signs(document):
    assert verify.canonical(document) == canonical(document)


def test_members_are_in_order_of_their_utf_16_units():
    document = {"\ufb33": 1, "\U0001f600": 2, "a": 3}
    assert list(document) == ["\ufb33", "\U0001f600", "a"]
    assert canonical(document) == '{"a":3,"\U0001f600":2,"\ufb33":1}'.encode()
    assert verify.canonical(document) == canonical(document)


@pytest.mark.parametrize("value", [0.5, [1.0], {"deep": [{"x": 2.5}]}])
def test_a_fraction_has_no_place_in_it(value):
    with pytest.raises(ValueError, match="fractions"):
        canonical({"value": value})
    with pytest.raises(verify.Mismatch):
        verify.canonical({"value": value})
