"""Cuts text into the words and lines that the model reads."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

#: Stands for an address of mail or web, or a handle: their letters are no names in running text.
ADDRESS: Final = "\x01"

_TOKEN: Final = re.compile(
    r"""
    [\w.+-]+@[\w-]+(?:\.[\w-]+)+ | https?://[^\s<>"']+ | www\.[^\s<>"']+ | (?<!\w)[@\#]\w+
    | \d+(?:[.,:/]\d+)*(?![^\W_])
    | ['\u2019]s\b
    | [^\W_]+(?:['\u2019](?!s\b)[^\W_]+)*
    | [^\w\s] | _+
    """,
    re.VERBOSE,
)
#: Without any of these, words are known by their own form.
_UNUSUAL: Final = re.compile(r"[0-9@#]|://|www\.")
#: What only the address of mail or web has in it, of all tokens.
_ADDRESS_SIGNS: Final = re.compile(r"@|://|^www\.")
_DIGIT: Final = re.compile(r"\d")
_SENTENCE_ENDS: Final = frozenset(".?!;")
#: A line is read in pieces of about this many tokens, cut at the end of a sentence where there is one.
_LONG: Final = 60
_LONGEST: Final = 120


@dataclass(slots=True)
class Line:
    """A run of tokens read together: the words as the model knows them, and where they stand in the text.

    ``places`` are start and end, in code points. ``is_lower`` says that the whole text has no capital letter.
    """

    words: list[str]
    places: list[tuple[int, int]]
    is_lower: bool = False


def lines_of(text: str) -> list[Line]:
    """The lines of a text, long ones in pieces; a line break is a boundary no name crosses."""
    is_lower = text == text.lower()
    is_plain = not _UNUSUAL.search(text)
    lines: list[Line] = []
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        places = [match.span() for match in _TOKEN.finditer(text, start, end)]
        words = [text[first:after] for first, after in places]
        if not is_plain:
            words = [_known_form(word) for word in words]
        if len(words) > _LONG:
            lines += [Line(words[cut], places[cut], is_lower) for cut in _cuts(words)]
        elif words:
            lines.append(Line(words, places, is_lower))
        start = end + 1
    return lines


def _cuts(words: list[str]) -> Iterator[slice]:
    """Where to cut a long line: after the end of a sentence, else after the longest that is read at once."""
    start = 0
    for place, word in enumerate(words, 1):
        size = place - start
        if (size >= _LONG and word in _SENTENCE_ENDS) or size >= _LONGEST or place == len(words):
            yield slice(start, place)
            start = place


def _known_form(word: str) -> str:
    """What of a token matters: of numbers only how they look, so that a model cannot memorize one."""
    if "0" <= word[0] <= "9":
        return word if word.isalpha() else _DIGIT.sub("0", word)[:8]
    if len(word) > 1 and (word[0] in "@#" or _ADDRESS_SIGNS.search(word)):
        return ADDRESS
    return word
