"""Folding of names: quick on blocks of text, and the same as folding character by character."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.subjects.names import _DIGRAPHS, _LETTERS, fold_name

LETTERS = "aeou äöüß AEOU ÄÖÜ \\n\\t_-.'\u0308\u0301 éñłøж уЖβζ 中 한 ﬁ ٣ ² ½ Ⅳ İ ı ſ"  # noqa: RUF001 - they are meant


def slowly(text):
    """The definition: lower case, composed, letters of other scripts spelled, marks away, ae oe ue as one letter."""
    lowered = unicodedata.normalize("NFC", re.sub(r"\\[ntr]", " ", text).casefold())
    apart = unicodedata.normalize("NFKD", lowered.translate(_DIGRAPHS).translate(_LETTERS))
    bare = "".join(one for one in apart if not unicodedata.combining(one))
    words = re.findall(r"[^\W_]+", re.sub("ae|oe|ue", lambda found: found[0][0], bare))
    return f" {' '.join(words)} "


@given(st.text(st.one_of(st.sampled_from(LETTERS), st.characters()), max_size=60))
def test_blocks_are_folded_as_their_definition_says(text):
    assert fold_name(text) == slowly(text)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Jürgen Müller", " jurgen muller "),
        ("JUERGEN\\nMUELLER", " jurgen muller "),
        ("Ju\u0308rgen_Mu\u0308ller", " jurgen muller "),
        ("Łukasz, Søren & Жанна", " lukasz soren zhanna "),
        ("O'Brien-Smith 2nd", " o brien smith 2nd "),
        ("", "  "),
    ],
)
def test_names_are_compared_in_one_form(written, folded):
    assert fold_name(written) == folded
