"""What the model sees of a word: its letters, shape and what the lexicon knows, alone and beside its neighbours.

Everything is a function of one word and of the manner of its line, so that it is computed once for each word and kept.
Pairs of neighbours are seen through a coarse class of each word.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from anonymization.names.lexicon import Kind, Lexicon, codes
from anonymization.names.tokens import ADDRESS, Line

#: How a line is written. Names without capitals, or among capitals only, look different and are learned apart.
USUAL, CAPITALS, LOWER = "", "\x02", "\x03"
MANNERS: Final = (USUAL, CAPITALS, LOWER)
#: The word before the first and after the last of a line.
EDGE: Final = "\x04"
OFFSETS: Final = (-2, -1, 0, 1, 2)

_MOSTLY: Final = 0.7
_SHAPE_LENGTH: Final = 6
_SHORT: Final = 3
_PLACE: Final = Kind.CITY | Kind.COUNTRY | Kind.REGION


def manner_of(line: Line) -> str:
    """How a line is written."""
    if line.is_lower:
        return LOWER
    words = line.words
    upper, lower = sum(map(str.isupper, words)), sum(map(str.islower, words))
    titled = sum(map(str.istitle, words)) if upper > 1 else 0
    return CAPITALS if upper > 1 and upper > _MOSTLY * (upper + lower + titled) else USUAL


@lru_cache(maxsize=4096)
def shape(word: str) -> str:
    """Xxx for Name, XX for UK, 00 for a number: runs shortened, at most six marks."""
    marks = ""
    for char in word:
        mark = "X" if char.isupper() else "x" if char.islower() else "0" if char.isdigit() else char
        if marks[-2:] != mark * 2:
            marks += mark
    return marks[:_SHAPE_LENGTH]


def word_class(word: str, manner: str, kinds: int, frequent: frozenset[str]) -> str:
    """A coarse class: the word itself when it is frequent, else its capitals and the most telling kinds."""
    if word in {ADDRESS, EDGE}:
        return word
    lowered = word.lower()
    if lowered in frequent:
        return f"{lowered}^" if word[0].isupper() and manner == USUAL else lowered
    if not word[0].isalpha():
        return "0" * min(len(word), 5) if word[0].isdigit() else "."
    capital = "u" if len(word) > 1 and word.isupper() else "c" if word[0].isupper() else "l"
    return f"{manner}{capital}{_telling(kinds)}"


@lru_cache(maxsize=4096)
def _telling(kinds: int) -> str:
    marks = "F" * bool(kinds & Kind.FIRST) + "L" * bool(kinds & Kind.LAST) + "P" * bool(kinds & _PLACE)
    for kind, mark in ((Kind.ORG_WORD, "O"), (Kind.TITLE, "T"), (Kind.STREET, "S"), (Kind.NATION, "N")):
        if kinds & kind:
            return mark
    return marks + "c" * bool(kinds & Kind.COMMON)


def own_features(word: str, manner: str, kinds: int, word_class_: str) -> list[str]:
    """Features of the word at its own place."""
    if word in {ADDRESS, EDGE}:
        return [f"w={word}"]
    lowered = word.lower()
    marks = shape(word)
    found = ["b", f"w={lowered}", f"s={manner}{marks}", f"k={word_class_}"]
    if word[0].isalpha():
        found += [f"p{size}={lowered[:size]}" for size in (1, 2, 3, 4) if len(lowered) > size]
        found += [f"u{size}={lowered[-size:]}" for size in (1, 2, 3, 4) if len(lowered) > size]
        found.append(f"n={min(len(word), 12)}{manner}")
    known = codes(kinds)
    capital = "c" if word[0].isupper() else "l"
    found += [f"g={manner}{capital}{code}" for code in known]
    found.append(f"G={manner}{marks[:2]}{''.join(known)}")
    return found


def neighbour_features(word: str, manner: str, kinds: int, word_class_: str, *, is_next: bool) -> list[str]:
    """Features that a word gives to the one beside it; fewer to the one after that."""
    lowered = word.lower()
    found = [f"w={lowered}", f"k={word_class_}"]
    if is_next and word not in {ADDRESS, EDGE}:
        found.append(f"s={manner}{shape(word)}")
        if len(lowered) > _SHORT:
            found.append(f"u3={lowered[-3:]}")
        found += [f"g={code}" for code in codes(kinds)]
    return found


def word_features(word: str, manner: str, lexicon_kinds: int, word_class_: str) -> dict[int, list[str]]:
    """For each offset the features that a word gives to the one that finds it there, named by the offset.

    ``-1:w=mr`` reads: the word before is "mr".
    """
    given: dict[int, list[str]] = {}
    for offset in OFFSETS:
        if offset == 0:
            given[0] = own_features(word, manner, lexicon_kinds, word_class_)
        else:
            features = neighbour_features(word, manner, lexicon_kinds, word_class_, is_next=abs(offset) == 1)
            given[offset] = [f"{offset}:{feature}" for feature in features]
    return given


def phrase_marks(lowered: Sequence[str], lexicon: Lexicon) -> dict[int, str]:
    """Which words are part of a known name of several words: ``m=b`` for its first, ``m=i`` for the others."""
    marks: dict[int, str] = {}
    reached = 0
    for place, word in enumerate(lowered):
        if word in lexicon.longest and place >= reached:
            length = lexicon.phrase_at(lowered, place)
            if length:
                marks[place] = "m=b"
                marks.update(dict.fromkeys(range(place + 1, place + length), "m=i"))
                reached = place + length
    return marks
