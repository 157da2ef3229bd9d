"""Word lists: which words are known as given names, surnames, places, parts of organizations' names, and so on."""

from collections.abc import Iterable, Mapping, Sequence
from enum import IntFlag
from typing import Final


class Kind(IntFlag):
    """What a lower-case word is known as; most names are several things at once."""

    FIRST = 1
    LAST = 2
    CITY = 4
    COUNTRY = 8
    REGION = 16
    ORG_WORD = 32
    TITLE = 64
    STREET = 128
    NATION = 256
    MONTH = 512
    COMMON = 1024
    ORG_NAME = 2048
    NAME_PART = 4096


#: Two letters for each kind, as features name them; computed once for each combination.
_CODES: Final = dict(
    zip(Kind, ("fi", "la", "ci", "co", "re", "ow", "ti", "st", "na", "mo", "cw", "on", "np"), strict=True)
)


class Lexicon:
    """Lower-case words with their kinds, and places and organizations of several words."""

    def __init__(self, words: Mapping[str, int], phrases: Iterable[Sequence[str]]) -> None:
        self.words = dict(words)
        self.phrases = frozenset(tuple(phrase) for phrase in phrases)
        #: For the first word of phrases, how many words the longest has.
        self.longest: dict[str, int] = {}
        for phrase in self.phrases:
            self.longest[phrase[0]] = max(len(phrase), self.longest.get(phrase[0], 0))

    def kinds(self, lowered: str) -> int:
        return self.words.get(lowered, 0)

    def phrase_at(self, lowered: Sequence[str], place: int) -> int:
        """How many words from ``place`` on make the longest known name of several words; 0 for none."""
        for length in range(self.longest.get(lowered[place], 0), 1, -1):
            if tuple(lowered[place : place + length]) in self.phrases:
                return length
        return 0


def codes(kinds: int) -> tuple[str, ...]:
    """The names of the kinds in a combination, in a fixed order."""
    return tuple(code for kind, code in _CODES.items() if kinds & kind)
