"""Patterns that people write, on a linear engine: RE2, bounded in length and cost, no look-around."""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import re2
import regex

from anonymization.errors import DetectionFailed
from anonymization.trust.errors import InvalidRule
from vaultsite.kernel.errors import FieldProblem

#: Longest pattern, code points; largest compiled program, RE2 instructions (``\\p{L}+`` has 1,201).
MAX_LENGTH: Final = 500
MAX_PROGRAM: Final = 5_000
_PATTERN_MEMORY: Final = 8 * 1024 * 1024
_SET_MEMORY: Final = 256 * 1024 * 1024
#: Pasted behind every text that a set looks through: a set that does not see it has given up, and says so only so.
_CANARY: Final = "\n\uf8ff\uf8fevault\uf8fe\uf8ff"

_NOT_SUPPORTED: Final = (
    (
        regex.compile(r"(?<!\\)(?:\\\\)*\(\?<?[=!]"),
        "look-around, (?=..) (?!..) (?<=..) (?<!..), is not supported: patterns run in linear time",
    ),
    (
        regex.compile(r"(?<!\\)(?:\\\\)*(?:\\[1-9]|\(\?P=)"),
        "back references, \\1 or (?P=name), are not supported: patterns run in linear time",
    ),
    (
        regex.compile(r"(?<!\\)(?:\\\\)*(?:\\[AzZ]|\(\?[a-zA-Z]*-[a-zA-Z]*m)"),
        "\\A, \\z and switching off the flag m are not supported: use ^ and $",
    ),
)
_SURROGATE: Final = regex.compile("[\ud800-\udfff]")
#: So unlike each other that a pattern which matches most of them says nothing about a value.
_PROBES: Final = (
    "jane.roe@example.org",
    "+49 170 1234567",
    "Jane Roe",
    "4111-1111-1111-1111",
    "q7",
    "DE89370400440532",
)
_PROBES_MOST: Final = 3

#: A number is looked for with any separators between its digits, from so many digits on.
_DIGITS_FROM: Final = 6
_SEPARATORS: Final = frozenset(" -./")

Pattern = Any  # google-re2 has no types


def compile_pattern(source: str, *, member: str = "pattern") -> Pattern:
    """The compiled pattern. Raises InvalidRule, naming ``member``, with what to write instead."""
    reason = _reason_against(source)
    if reason:
        raise InvalidRule(errors=[FieldProblem(field=f"/{member}", detail=reason)])
    return _compiled(source)


def refuse_all_embracing(source: str, *, member: str = "pattern") -> None:
    """Raises InvalidRule for a pattern that takes in whatever is found: it would switch detection off."""
    matched = sum(_compiled(source).fullmatch(probe) is not None for probe in _PROBES)
    if matched > _PROBES_MOST:
        detail = "matches values of every kind; use a field rule or a threshold instead"
        raise InvalidRule(errors=[FieldProblem(field=f"/{member}", detail=detail)])


def _reason_against(source: str) -> str:
    if not source or len(source) > MAX_LENGTH:
        return f"1 to {MAX_LENGTH} characters"
    for construct, reason in _NOT_SUPPORTED:
        if construct.search(source):
            return reason
    try:
        compiled = _compiled(source)
    except (re2.error, UnicodeEncodeError):
        return "not a pattern RE2 understands (github.com/google/re2/wiki/Syntax)"
    if compiled.programsize > MAX_PROGRAM:
        return "too large once compiled: use smaller repetitions or classes"
    return "matches the empty text" if compiled.search("") else ""


@lru_cache(maxsize=4096)
def _compiled(source: str) -> Pattern:
    return re2.compile(source, _options(_PATTERN_MEMORY))


def _options(memory: int) -> Any:
    options = re2.Options()
    options.max_mem = memory
    options.log_errors = False
    return options


def value_pattern(value: str) -> str:
    """The source of a pattern that finds a value as it is written in texts.

    Letter case and the width of spaces do not matter, nor do separators within a number. Words are found whole.
    """
    normal = " ".join(unicodedata.normalize("NFKC", value).split())
    kept = [char for char in normal if char not in _SEPARATORS]
    if len(kept) >= _DIGITS_FROM and all(char.isascii() and char.isdigit() for char in kept):
        return rf"\b{'[ ./-]?'.join(kept)}\b"
    words: str = r"\s+".join(re2.escape(word) for word in normal.split(" "))
    return f"(?i){_edge(normal[0])}{words}{_edge(normal[-1])}"


def _edge(char: str) -> str:
    return r"\b" if char.isascii() and (char.isalnum() or char == "_") else ""


def scannable(text: str) -> str:
    """The text as RE2 can read it: half surrogates become U+FFFD, so offsets stay."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return str(_SURROGATE.sub("\ufffd", text))
    return text


class PatternSet:
    """Many patterns in one pass: which of them occur in a text at all."""

    def __init__(self, sources: Sequence[str]) -> None:
        self._set = re2.Set.SearchSet(_options(_SET_MEMORY))
        for source in sources:
            self._set.Add(f"(?m:{source})" if not source.startswith("(?i)") else f"(?im:{source[4:]})")
        self._canary = self._set.Add(re2.escape(_CANARY))
        self._set.Compile()
        self.occurring("")  # a set too large to run must not be found out at the first record

    def occurring(self, text: str) -> list[int]:
        """The indexes of the patterns that occur. Raises DetectionFailed when the set ran out of memory."""
        found: list[int] = self._set.Match(text + _CANARY) or []
        if self._canary not in found:
            raise DetectionFailed("The list of patterns is too large to run")
        return sorted(index for index in found if index != self._canary)


class FullPatternSet:
    """Many patterns in one pass: which of them match a text from end to end. Where memory runs out: none."""

    def __init__(self, sources: Sequence[str]) -> None:
        self._set = re2.Set.FullMatchSet(_options(_SET_MEMORY))
        for source in sources:
            self._set.Add(source)
        self._set.Compile()

    def matching(self, text: str) -> list[int]:
        return sorted(self._set.Match(text) or ())
