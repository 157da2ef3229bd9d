"""Places in records by pattern: a pointer in which ``*`` is any one step and ``**`` any number of them."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import re2

from anonymization.detectors.walk import number_text
from anonymization.findings import escape_token, unescape_token


@cache
def compiled(pattern: str) -> "re2._Regexp[str]":
    """Matches the pointers of the place and of everything below it, in linear time."""
    steps = [_step(token) for token in pattern.split("/")[1:]]
    return re2.compile("(?s)" + "".join(steps) + "(?:/.*)?")


def _step(token: str) -> str:
    if token == "**":  # noqa: S105 - a wildcard
        return "(?:/[^/]*)*"
    return "/[^/]*" if token == "*" else "/" + re2.escape(token)  # noqa: S105 - a wildcard


def is_within(pointer: str, patterns: Iterable[str]) -> bool:
    """Whether a place is one of the patterns' or lies below one."""
    return any(compiled(pattern).fullmatch(pointer) for pattern in patterns)


def values_below(record: Any, pattern: str) -> Iterator[tuple[str, int]]:
    """Pointer and length of text of each string and number at a place (``*``: every element) or below it."""
    yield from _values(record, pattern.split("/")[1:], "")


def _values(value: Any, steps: list[str], pointer: str) -> Iterator[tuple[str, int]]:
    if steps and steps[0] != "*":
        name = unescape_token(steps[0])
        if isinstance(value, dict) and name in value:
            yield from _values(value[name], steps[1:], f"{pointer}/{steps[0]}")
    elif isinstance(value, dict) and not steps:
        for name, inner in value.items():
            yield from _values(inner, steps, f"{pointer}/{escape_token(name)}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _values(inner, steps[1:], f"{pointer}/{index}")
    elif isinstance(value, str) and value and not steps:
        yield pointer, len(value)
    elif isinstance(value, int | float) and not isinstance(value, bool) and not steps:
        yield pointer, len(number_text(value))
