"""The words around a span that make it more or less likely to be personal data."""

from collections.abc import Collection
from functools import lru_cache
from typing import Final

import regex

#: How far back a supporting word may stand, in words that carry meaning and in code points.
WORDS_BEFORE: Final = 5
REACH: Final = 160
#: A supporting word adds this to the score, and lifts it to at least MIN_SUPPORTED (the defaults of presidio-analyzer).
BOOST: Final = 0.35
MIN_SUPPORTED: Final = 0.4

#: Words of up to this length must match whole: "pan" must not be found in "panel".
_WHOLE_UP_TO: Final = 4

_WORD: Final = regex.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_LETTER_CASE: Final = regex.compile(r"(?<=[a-z0-9])(?=[A-Z])")

#: Words that say nothing by themselves, so they do not use up the five.
_FILLERS: Final = frozenset(
    """
    a an and are as at be been by can do does for from had has have he her here his i in is it its me my new no not
    nr num number numbers of old on or our please she so that the their them these they this to was we were will
    with would you your
    """.split()  # noqa: SIM905 - a table of words reads better than a list
)

#: A bare run of digits after one of these is an identifier of a thing, not of a person.
_THING_WORDS: Final = frozenset(
    """
    order orders invoice ticket tracking shipment parcel sku isbn issn ean upc barcode timestamp epoch unix millis
    milliseconds nanoseconds ts build commit revision version serial part product item offset seed hash checksum
    transaction batch bug issue pr page row line bytes count total size
    """.split()  # noqa: SIM905 - a table of words reads better than a list
)


def words_of(text: str) -> list[str]:
    """The words of a text or field name in lower case; ``cardNumber`` and ``card_number`` both give card, number."""
    return [word.lower() for word in _WORD.findall(_LETTER_CASE.sub(" ", text))]


def words_before(text: str, start: int) -> list[str]:
    """The up to five telling words before a span, nearest first, in lower case."""
    words = [word for word in words_of(text[max(0, start - REACH) : start]) if word not in _FILLERS]
    return words[: -WORDS_BEFORE - 1 : -1]


def is_supported(words: Collection[str], context: Collection[str]) -> bool:
    """Whether one of the ``words`` is, or begins with, one of the ``context`` words."""
    return bool(supporting_word(words, context))


def supporting_word(words: Collection[str], context: Collection[str]) -> str:
    """The first of the ``context`` words that one of the ``words`` is or begins with; empty without one."""
    whole, beginnings = _forms(context if isinstance(context, frozenset) else tuple(context))
    for word in words:
        if word in whole or word.startswith(beginnings):
            return next(root for root in context if _is_form_of(word, root))
    return ""


@lru_cache(maxsize=1024)
def _forms(context: "frozenset[str] | tuple[str, ...]") -> tuple[frozenset[str], tuple[str, ...]]:
    """The words that support as they are, and those that support whatever follows."""
    whole = frozenset(form for root in context if len(root) <= _WHOLE_UP_TO for form in (root, f"{root}s"))
    return whole, tuple(root for root in context if len(root) > _WHOLE_UP_TO)


def names_a_thing(words: list[str]) -> bool:
    """Whether the two nearest words before a span say that it numbers a thing; ``words`` as words_before gives them."""
    return any(word in _THING_WORDS for word in words[:2])


def supported_score(score: float) -> float:
    """The score of a span that a context word supports."""
    return min(max(score + BOOST, MIN_SUPPORTED), 1.0)


def _is_form_of(word: str, root: str) -> bool:
    if len(root) <= _WHOLE_UP_TO:
        return word in (root, f"{root}s")
    return word.startswith(root)
