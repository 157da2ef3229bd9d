"""Two texts side by side, cut into pieces where their words differ. Nothing here is markup."""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final, NamedTuple

#: Words of both texts together that are compared; longer ones differ as a whole. Comparing takes quadratic time.
MAX_WORDS: Final = 3_000
#: Characters shown of one text.
MAX_TEXT: Final = 20_000

_WORDS: Final = re.compile(r"\s+|\w+|[^\w\s]")


class Piece(NamedTuple):
    """A stretch of one text; ``is_changed`` when the other text has something else there."""

    text: str
    is_changed: bool


class Sides(NamedTuple):
    """Both texts in pieces; ``is_cut`` when not all of them is shown."""

    before: tuple[Piece, ...]
    after: tuple[Piece, ...]
    is_cut: bool


def compare_words(before: str, after: str) -> Sides:
    """The texts with the words marked that only one of them has."""
    is_cut = len(before) > MAX_TEXT or len(after) > MAX_TEXT
    before, after = before[:MAX_TEXT], after[:MAX_TEXT]
    left, right = _WORDS.findall(before), _WORDS.findall(after)
    if len(left) + len(right) > MAX_WORDS:
        return Sides(_whole(before), _whole(after), is_cut)
    matcher = SequenceMatcher(a=left, b=right, autojunk=False)
    runs = matcher.get_opcodes()
    old = ((left[start:end], tag != "equal") for tag, start, end, _, _ in runs)
    new = ((right[start:end], tag != "equal") for tag, _, _, start, end in runs)
    return Sides(tuple(_pieces(old)), tuple(_pieces(new)), is_cut)


def _whole(text: str) -> tuple[Piece, ...]:
    return (Piece(text, is_changed=True),) if text else ()


def _pieces(runs: Iterator[tuple[Sequence[str], bool]]) -> Iterator[Piece]:
    for words, is_changed in runs:
        if words:
            yield Piece("".join(words), is_changed)
