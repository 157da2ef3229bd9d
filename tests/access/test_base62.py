"""Base 62 and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.auth import base62


@given(st.sampled_from([4, 16, 32]).flatmap(lambda size: st.binary(min_size=size, max_size=size)))
def test_every_value_returns_with_a_fixed_width(data: bytes) -> None:
    text = base62.encode(data)
    assert len(text) == base62.width(len(data))
    assert text.isascii()
    assert text.isalnum()
    assert base62.decode(text, len(data)) == data


def test_the_widths_are_those_of_the_format() -> None:
    assert [base62.width(size) for size in (4, 16, 32)] == [6, 22, 43]


@pytest.mark.parametrize("text", ["", "0" * 21, "0" * 23, "0" * 21 + "-", "0" * 21 + "é", "z" * 22])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"length|base 62|range"):
        base62.decode(text, 16)
