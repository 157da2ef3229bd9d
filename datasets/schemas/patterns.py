"""Regular expressions of schemas: a subset of ECMA-262 that is read alike everywhere, run against the clock.

No expression, however it was written, holds a worker for longer than MATCH_SECONDS a string: a backtracking matcher
can be led into exponential work by both the pattern and the text, and no check of the pattern alone finds all of it.
"""

import re
from functools import lru_cache
from typing import Any, Final

import regex

MATCH_SECONDS: Final = 0.1
MAX_PATTERN: Final = 1000
#: Longer texts are refused where a pattern is asked of them.
MAX_TEXT: Final = 64 * 1024

_PIECE: Final = re.compile(
    r"""(?P<escape>\\(?:[dDwWsSbBtnrfv]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|[^\x00-\x7fA-Za-z0-9]|[^A-Za-z0-9\s]))
      | (?P<set>\[\^?(?:[^\]\[\\]|\\(?:[dDwWsStnrfv]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|[^A-Za-z0-9\s]))+\])
      | (?P<group>\((?:\?:)?(?!\?))
      | (?P<count>\{[0-9]{1,4}(?:,[0-9]{0,4})?\}\??)
      | (?P<sign>[|).^$]|[*+?]\??)
      | (?P<plain>[^\\\[\](){}|.^$*+?])
    """,
    re.VERBOSE | re.DOTALL,
)


class SlowPatternError(Exception):
    """A pattern did not come to an end on a text in its time, or the text is too long for it."""


def pattern_fault(pattern: str) -> str | None:
    """Why ``pattern`` may not stand in a schema, or None."""
    if len(pattern) > MAX_PATTERN:
        return f"has more than {MAX_PATTERN} characters"
    try:
        _compiled(pattern)
    except (ValueError, regex.error, OverflowError):
        return (
            "is no regular expression of the supported kind: literals, sets, groups, alternatives and counts; "
            "no lookaround, back references, named groups or flags"
        )
    return None


def found_in(pattern: str, text: str) -> bool:
    """Whether ``pattern`` matches anywhere in ``text``. Raises SlowPatternError."""
    if len(text) > MAX_TEXT:
        raise SlowPatternError
    try:
        return _compiled(pattern).search(text, timeout=MATCH_SECONDS) is not None
    except TimeoutError:
        raise SlowPatternError from None


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    return regex.compile(_translated(pattern), regex.VERSION0 | regex.ASCII)


def _translated(pattern: str) -> str:
    r"""The pattern piece by piece; ``$`` means the very end, where Python's would let a line feed follow."""
    pieces: list[str] = []
    start = 0
    while start < len(pattern):
        piece = _PIECE.match(pattern, start)
        if piece is None:
            raise ValueError(start)
        pieces.append(r"\Z" if piece[0] == "$" else piece[0])
        start = piece.end()
    return "".join(pieces)
