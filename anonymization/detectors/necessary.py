"""Necessary conditions: from any pattern, a weaker one without look-around that a linear-time engine can run.

Text is given to that engine as one byte a code point: ASCII as it is, everything else as ``OTHER``. So the offsets of
both agree, and no engine's idea of Unicode has to agree with another's. Wherever the pattern matches, the condition
matches with the same end; the converse need not hold.
"""

import codecs
import re
import warnings
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any, Final, NamedTuple

# The parser of patterns has no public name, and no types.
op: Final[Any] = import_module("re._constants")
parser: Final[Any] = import_module("re._parser")

#: Stands for any code point outside ASCII.
OTHER: Final = 0x80

_ASCII: Final = frozenset(range(OTHER))
_ANYTHING: Final = _ASCII | {OTHER}
#: Sides of an assertion, as the parser numbers them.
_BEHIND: Final = -1
_AHEAD: Final = 1
_WORD: Final = frozenset(b"0123456789_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_DIGIT: Final = frozenset(b"0123456789")
#: What every engine and what any engine calls white space.
_SPACE: Final = frozenset(b"\t\n\v\f\r ")
_PERHAPS_SPACE: Final = _SPACE | frozenset(range(0x1C, 0x20))
#: Letters that case-insensitive matching also takes for a letter outside ASCII (\u0130, \u0131, \u017f, KELVIN SIGN).
_TWINNED: Final = frozenset(b"iIkKsS")

#: Larger counts are weakened: they cost the engine memory and add little.
_MOST_REPEATS: Final = 20
_FEWEST_REPEATS: Final = 32

#: Syntax of the ``regex`` package that the parser would read as something else.
_OTHER_SYNTAX: Final = re.compile(r"\[:\^?[a-z]+:\]|\{[a-z<>=~:]|\\[pPNXRhHKGLmM]")
_KEEP: Final = re.compile(r"((?:^|[^\\])(?:\\\\)*)\\K")


class Unweakened(ValueError):
    """No condition can be derived from the pattern: it has to run everywhere."""


class _Never(Exception):
    """This part of a pattern cannot match the text the condition is for."""


def one_byte_a_code_point(text: str) -> bytes:
    """The text as the conditions read it."""
    return text.encode("ascii") if text.isascii() else text.encode("ascii", "vault-other")


class Expression(NamedTuple):
    """A pattern of the ``regex`` package with its flags."""

    pattern: str
    flags: int


class Conditions(NamedTuple):
    """Patterns over bytes in the syntax common to RE2 and Hyperscan; None where no such text can match at all.

    ``ascii_text`` is narrower, and holds for texts that are ASCII throughout.
    """

    ascii_text: bytes | None
    any_text: bytes | None


@lru_cache(maxsize=4096)
def necessary_conditions(pattern: str, flags: int) -> Conditions:
    """The conditions for a pattern of the ``regex`` package with its DOTALL, MULTILINE and IGNORECASE flags.

    Raises Unweakened.
    """
    parsed = _parsed(pattern, flags)
    ignore_case = bool(parsed.state.flags & re.IGNORECASE)
    return Conditions(*(_weakened(parsed, ignore_case, ascii_only=ascii_only) for ascii_only in (True, False)))


def _parsed(pattern: str, flags: int) -> Any:
    pattern = _KEEP.sub(r"\1", pattern)
    if _OTHER_SYNTAX.search(pattern):
        raise Unweakened("It uses syntax beyond Python's own")
    try:
        with warnings.catch_warnings(action="error"):
            parsed = parser.parse(pattern, flags & (re.IGNORECASE | re.MULTILINE | re.DOTALL | re.VERBOSE))
    except (re.error, Warning, RecursionError, OverflowError) as failure:
        raise Unweakened("Python's own parser does not read it") from failure
    if not parsed.getwidth()[0]:
        raise Unweakened("It matches the empty text")
    return parsed


def _weakened(parsed: Any, ignore_case: bool, *, ascii_only: bool) -> bytes | None:
    try:
        return _Weakener(ascii_only=ascii_only).whole(list(parsed), ignore_case)
    except _Never:
        return None


class Window(NamedTuple):
    """Where in a text the matches of a pattern can lie: in runs of the bytes of an alphabet that the condition meets.

    ``reach`` is how many code points behind a match the pattern looks at.
    """

    condition: bytes
    alphabet: bytes
    reach: int


#: Patterns that look further have no window.
_FURTHEST: Final = 64
#: A pattern whose matches reach over spaces has a window only with a smaller alphabet: its runs would be too long.
_MOST_LETTERS: Final = 100


def window(pattern: str, flags: int) -> Window | None:
    """Where its matches can lie; None for patterns that look far ahead, know lines, or match nearly anything."""
    parsed = _parsed(pattern, flags)
    reach = _reach(parsed)
    if r"\K" in pattern or reach > _FURTHEST:
        return None
    weakener = _Weakener(ascii_only=False)
    condition = weakener.sequence(parsed, bool(parsed.state.flags & re.IGNORECASE))
    alphabet = bytes(sorted(weakener.used))
    is_short = b" " not in alphabet or len(alphabet) <= _MOST_LETTERS
    return Window(condition, alphabet, reach) if is_short else None


def _reach(items: Any) -> int:
    """How many code points behind a match a pattern looks at; too many where it asks for the end of a line or text."""
    furthest = 1
    for kind, value in items:
        if kind is op.AT and value not in (op.AT_BOUNDARY, op.AT_NON_BOUNDARY):
            return _FURTHEST + 1
        if kind in (op.ASSERT, op.ASSERT_NOT) and value[0] == _AHEAD:
            furthest = max(furthest, value[1].getwidth()[1] + 1)
        inner = [part for part in _parts(value) if isinstance(part, parser.SubPattern)]
        furthest = max([furthest, *map(_reach, inner)])
    return furthest


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple | list):
        for part in value:
            yield from _parts(part)
    else:
        yield value


class _Weakener:
    """Writes a parsed pattern anew without what a linear-time engine cannot do."""

    def __init__(self, *, ascii_only: bool) -> None:
        self._ascii_only = ascii_only
        self._groups: dict[int, bytes] = {}
        #: Every byte that some part of the pattern matches.
        self.used: set[int] = set()

    def whole(self, items: list[tuple[Any, Any]], ignore_case: bool) -> bytes:
        """A pattern that may begin with what must stand before the match and end with what must stand after it."""
        before, after = _leading(items, _BEHIND), len(items) - _leading(items[::-1], _AHEAD)
        seen = [inner for _, (_, inner) in items[:before]], [inner for _, (_, inner) in items[max(before, after) :]]
        parts = (*seen[0], items[before:after], *seen[1])
        return b"".join(self.sequence(part, ignore_case) for part in parts)

    def sequence(self, items: Iterable[tuple[Any, Any]], ignore_case: bool) -> bytes:
        return b"".join(self._item(kind, value, ignore_case) for kind, value in items)

    def _item(self, kind: Any, value: Any, ignore_case: bool) -> bytes:  # noqa: C901, PLR0911 - one line a construct
        if kind in _CHARACTERS:
            return self._written(_characters(kind, value, ignore_case))
        if kind is op.SUBPATTERN:
            group, added, removed, inner = value
            inside = (ignore_case or bool(added & re.IGNORECASE)) and not removed & re.IGNORECASE
            return self._remembered(group, self.sequence(inner, inside))
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            least, most, inner = value
            return self._repeated(least, most, inner, ignore_case)
        if kind is op.BRANCH:
            return self._either(value[1], ignore_case)
        if kind is op.ATOMIC_GROUP:
            return b"(?:" + self.sequence(value, ignore_case) + b")"
        if kind is op.AT:
            return self._place(value)
        if kind in (op.ASSERT, op.ASSERT_NOT):
            return b""
        if kind is op.GROUPREF:
            self.used |= _ANYTHING if value not in self._groups else frozenset()
            return self._groups.get(value, b"[\\x00-\\x80]*")
        if kind is op.GROUPREF_EXISTS:
            return self._either([branch for branch in value[1:] if branch is not None] or [[]], ignore_case) + b"?"
        if kind is not op.FAILURE:
            raise Unweakened(f"It uses {kind}")
        raise _Never

    def _remembered(self, group: int | None, written: bytes) -> bytes:
        if group is not None:
            self._groups[group] = b"(?:" + written + b")?"
        return b"(?:" + written + b")"

    def _repeated(self, least: int, most: Any, inner: Any, ignore_case: bool) -> bytes:
        try:
            written = b"(?:" + self.sequence(inner, ignore_case) + b")"
        except _Never:
            if least:
                raise
            return b""
        if most is op.MAXREPEAT or most > _MOST_REPEATS:
            return written + {0: b"*", 1: b"+"}.get(least, b"{%d,}" % min(least, _FEWEST_REPEATS))
        return written + b"{%d,%d}" % (least, most) if most else b""

    def _either(self, branches: Iterable[Any], ignore_case: bool) -> bytes:
        written = []
        for branch in branches:
            try:
                written.append(self.sequence(branch, ignore_case))
            except _Never:
                continue
        if not written:
            raise _Never
        return b"(?:" + b"|".join(written) + b")"

    def _place(self, place: Any) -> bytes:
        if self._ascii_only and place in (op.AT_BOUNDARY, op.AT_NON_BOUNDARY):
            return b"\\b" if place is op.AT_BOUNDARY else b"\\B"
        return b""

    def _written(self, characters: frozenset[int]) -> bytes:
        kept = characters - {OTHER} if self._ascii_only else characters
        if not kept:
            raise _Never
        self.used |= kept
        return _class(kept)


def _leading(items: list[tuple[Any, Any]], direction: int) -> int:
    """How many items at the beginning ask for something on that side of the match; one at most can be written out."""
    return int(bool(items) and items[0][0] is op.ASSERT and items[0][1][0] == direction)


@lru_cache(maxsize=1024)
def _class(characters: frozenset[int]) -> bytes:
    """The shortest writing of one of these bytes."""
    if len(characters) == 1:
        return re.escape(bytes(characters))
    runs: list[list[int]] = []
    for code in sorted(characters):
        if runs and runs[-1][1] == code - 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return b"[" + b"".join(_code(a) if a == b else _code(a) + b"-" + _code(b) for a, b in runs) + b"]"


def _code(code: int) -> bytes:
    return bytes([code]) if code in _WORD else b"\\x%02x" % code


@lru_cache(maxsize=1024)
def _literal(code: int, ignore_case: bool) -> frozenset[int]:
    if code >= OTHER:
        # Another script's letter; case-insensitively it may stand for an ASCII one.
        twins = {0x130: b"iI", 0x131: b"iI", 0x17F: b"sS", 0x212A: b"kK"}.get(code, b"") if ignore_case else b""
        return frozenset({OTHER, *twins})
    if not ignore_case:
        return frozenset({code})
    both = frozenset(bytes([code]).lower() + bytes([code]).upper())
    return both | {OTHER} if both & _TWINNED else both


def _not_literal(code: int) -> frozenset[int]:
    return _ANYTHING - {code} if code < OTHER else _ANYTHING


def _characters(kind: Any, value: Any, ignore_case: bool) -> frozenset[int]:
    """What an item that stands for one character may stand for."""
    if kind is op.LITERAL:
        return _literal(value, ignore_case)
    if kind is op.NOT_LITERAL:
        return _not_literal(value)
    return _set(value, ignore_case) if kind is op.IN else _ANYTHING


def _set(items: list[tuple[Any, Any]], ignore_case: bool) -> frozenset[int]:
    if items and items[0][0] is op.NEGATE:
        excluded = frozenset[int]().union(*(_surely(kind, value) for kind, value in items[1:]))
        return _ANYTHING - excluded
    return frozenset[int]().union(*(_perhaps(kind, value, ignore_case) for kind, value in items))


def _perhaps(kind: Any, value: Any, ignore_case: bool) -> frozenset[int]:
    """Every character that this member of a class may stand for."""
    if kind is op.LITERAL:
        return _literal(value, ignore_case)
    if kind is op.RANGE:
        first, last = value
        inside = frozenset[int]().union(*(_literal(code, ignore_case) for code in range(first, min(last, 0x7F) + 1)))
        return inside | ({OTHER} if last >= OTHER else frozenset())
    if kind is op.CATEGORY:
        return _CATEGORIES[value][0] | {OTHER}
    raise Unweakened(f"It uses {kind} in a class")


def _surely(kind: Any, value: Any) -> frozenset[int]:
    """Characters that this member of a class stands for in any engine."""
    if kind is op.LITERAL:
        return frozenset({value}) & _ASCII
    if kind is op.RANGE:
        return frozenset(range(value[0], value[1] + 1)) & _ASCII if value[0] < OTHER else frozenset()
    if kind is op.CATEGORY:
        return _CATEGORIES[value][1]
    raise Unweakened(f"It uses {kind} in a class")


#: For each escape, the ASCII characters that it may and that it surely does stand for.
_CATEGORIES: Final = {
    op.CATEGORY_DIGIT: (_DIGIT, _DIGIT),
    op.CATEGORY_NOT_DIGIT: (_ASCII - _DIGIT, _ASCII - _DIGIT),
    op.CATEGORY_SPACE: (_PERHAPS_SPACE, _SPACE),
    op.CATEGORY_NOT_SPACE: (_ASCII - _SPACE, _ASCII - _PERHAPS_SPACE),
    op.CATEGORY_WORD: (_WORD, _WORD),
    op.CATEGORY_NOT_WORD: (_ASCII - _WORD, _ASCII - _WORD),
}
_CHARACTERS: Final = frozenset({op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN})


def _as_other(failure: UnicodeError) -> tuple[bytes, int]:
    assert isinstance(failure, UnicodeEncodeError)
    return bytes([OTHER]) * (failure.end - failure.start), failure.end


codecs.register_error("vault-other", _as_other)
