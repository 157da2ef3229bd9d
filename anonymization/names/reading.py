"""From labels of words to spans: joins words, looks a second time for people already met, adds what rules find."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from anonymization.detectors.base import Span
from anonymization.names import rules
from anonymization.names.base import DATE_TIME, PERSON
from anonymization.names.lexicon import Kind, Lexicon
from anonymization.names.tokens import ADDRESS, Line

RECOGNIZER: Final = "names-crf"

#: A word of a name met before is the same person again, a little less surely.
_MET_BEFORE: Final = 0.6
#: How sure a person must be for its words to be looked for elsewhere in the text.
_SURE: Final = 0.6
_SHORTEST: Final = 3
_SURE_DATE: Final = 0.75
#: Kinds of words that names are made of.
_NAMING: Final = (
    Kind.FIRST | Kind.LAST | Kind.NAME_PART | Kind.CITY | Kind.COUNTRY | Kind.REGION | Kind.STREET | Kind.ORG_NAME
)
#: So many changes between letters and digits, and digits, no word of a name has ("B2B" has one digit).
_CODE_TURNS: Final = 2
_CODE_DIGITS: Final = 3


@dataclass(slots=True)
class Reading:
    """A line with, for each word, its entity type ("" for none), whether a name begins there, and how sure that is."""

    line: Line
    kinds: list[str]
    begins: list[bool]
    sure: list[float]


def spans_of(text: str, readings: Sequence[Reading], lexicon: Lexicon, nations: frozenset[str]) -> list[Span]:
    """All spans of a text, by place and without overlaps: learned names first, except inside a clear date."""
    lines = [reading.line for reading in readings]
    found_dates = rules.dates(text, lines)
    clear = [span for span in found_dates if span.score >= _SURE_DATE]
    names: list[Span] = []
    if readings:
        _look_again(readings, lexicon)
        names = [span for reading in readings if any(reading.kinds) for span in _joined(reading, lexicon)]
    if clear:
        names = [span for span in rules.without_overlaps(clear, names) if span.entity_type != DATE_TIME]
    others = [*found_dates, *rules.ages(text), *rules.nationalities(text, lines, nations), *rules.titles(text, names)]
    return rules.without_overlaps(names, others)


def _joined(reading: Reading, lexicon: Lexicon) -> Iterator[Span]:
    place, kinds = 0, reading.kinds
    while place < len(kinds):
        end = place + 1
        if kinds[place]:
            while end < len(kinds) and kinds[end] == kinds[place] and not reading.begins[end]:
                end += 1
            yield from _trimmed(reading, place, end, lexicon)
        place = end


def _trimmed(reading: Reading, first: int, after: int, lexicon: Lexicon) -> Iterator[Span]:
    """The span of some words that is borne out, without signs at its edges that belong to the sentence."""
    words = reading.line.words
    while first < after and not words[first][0].isalnum():
        first += 1
    while after > first and not words[after - 1][0].isalnum() and not _is_initial_dot(words, after - 1):
        after -= 1
    if first < after and not any(map(_is_code, words[first:after])) and _is_borne_out(words, first, after, lexicon):
        sure = sum(reading.sure[first:after]) / (after - first)
        start, end = reading.line.places[first][0], reading.line.places[after - 1][1]
        yield Span(start, end, reading.kinds[first], round(sure, 2), RECOGNIZER)


def _is_borne_out(words: Sequence[str], first: int, after: int, lexicon: Lexicon) -> bool:
    """Whether a sentence, capital letters or a word list speak for a name.

    What the model takes from words around a name it has learned from sentences: a value of one word has none.
    """
    if "_" in (*words[:first][-1:], *words[after : after + 1]):
        return False  # part of an identifier
    name = words[first:after]
    known = sum(bool(lexicon.kinds(word.lower()) & _NAMING) for word in name)
    if any(word.isalpha() for word in (*words[:first], *words[after:])):
        return bool(known) or any(word[0].isupper() for word in name)
    capitals = sum(word[0].isupper() and not word.isupper() for word in name)
    return capitals > 1 or (capitals == 1 and known > 0) or known > 1


def _is_code(word: str) -> bool:
    """Whether letters and digits take turns as in a random identifier, and in no name."""
    turns = sum(before.isdigit() != after.isdigit() for before, after in pairwise(word) if (before + after).isalnum())
    return turns >= _CODE_TURNS and sum(map(str.isdigit, word)) >= _CODE_DIGITS


def _is_initial_dot(words: Sequence[str], place: int) -> bool:
    return words[place] == "." and place > 0 and len(words[place - 1]) == 1


def _look_again(readings: Sequence[Reading], lexicon: Lexicon) -> None:
    """Marks words that are part of a person's name elsewhere in the text and were not taken for a name here."""
    met = set(_words_of_people(readings, lexicon))
    if not met:
        return
    for reading in readings:
        for place, word in enumerate(reading.line.words):
            if word in met and not reading.kinds[place]:
                is_inside = place > 0 and reading.kinds[place - 1] == PERSON and not reading.line.is_lower
                reading.kinds[place] = PERSON
                reading.begins[place] = not is_inside
                reading.sure[place] = _MET_BEFORE


def _words_of_people(readings: Iterable[Reading], lexicon: Lexicon) -> Iterator[str]:
    for reading in (one for one in readings if PERSON in one.kinds):
        for word, kind, sure in zip(reading.line.words, reading.kinds, reading.sure, strict=True):
            if kind == PERSON and sure >= _SURE and _is_telling(word, lexicon):
                yield word


def _is_telling(word: str, lexicon: Lexicon) -> bool:
    """Whether a word is a name wherever it stands: long enough, with a capital, and no ordinary word."""
    if len(word) < _SHORTEST or not word[0].isupper() or word == ADDRESS:
        return False
    return not lexicon.kinds(word.lower()) & (Kind.COMMON | Kind.MONTH | Kind.TITLE | Kind.ORG_WORD | Kind.NATION)
