"""Cuts text into the words and lines that the model reads."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

#: Stands for an address of mail or web, or a handle: their letters are no names in running text.
ADDRESS: Final = "\x01"

_TOKEN: Final = re.compile(
    r"""
    \n
    | (?P<address>[\w.+-]+@[\w-]+(?:\.[\w-]+)+ | https?://[^\s<>"']+ | www\.[^\s<>"']+ | (?<!\w)[@\#]\w+)
    | \d+(?:[.,:/]\d+)*(?![^\W_])
    | ['’]s\b
    | [^\W_]+(?:['’](?!s\b)[^\W_]+)*
    | [^\w\s] | _+
    """,
    re.VERBOSE,
)
_DIGIT: Final = re.compile(r"\d")
_SENTENCE_ENDS: Final = frozenset(".?!;")
#: A line is read in pieces of about this many tokens, cut at the end of a sentence where there is one.
_LONG: Final = 60
_LONGEST: Final = 120


@dataclass(slots=True)
class Line:
    """A run of tokens read together: the words as the model knows them, and where they stand in the text.

    ``is_lower`` says that the whole text has no capital letter.
    """

    words: list[str]
    starts: list[int]
    ends: list[int]
    is_lower: bool = False


def lines_of(text: str) -> Iterator[Line]:
    """The lines of a text, long ones in pieces; a line break is a boundary no name crosses."""
    is_lower = text == text.lower()
    line = Line([], [], [], is_lower)
    for match in _TOKEN.finditer(text):
        word = match.group()
        if word == "\n":
            if line.words:
                yield line
                line = Line([], [], [], is_lower)
            continue
        line.words.append(_known_form(word, is_address=match.lastgroup is not None))
        line.starts.append(match.start())
        line.ends.append(match.end())
        if len(line.words) >= _LONG and (word in _SENTENCE_ENDS or len(line.words) >= _LONGEST):
            yield line
            line = Line([], [], [], is_lower)
    if line.words:
        yield line


def _known_form(word: str, *, is_address: bool) -> str:
    """What of a token matters: of numbers only how they look, so that a model cannot memorize one."""
    if is_address:
        return ADDRESS
    if "0" <= word[0] <= "9" and not word.isalpha():
        return _DIGIT.sub("0", word)[:8]
    return word
