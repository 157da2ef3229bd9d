"""Strict JSON: what is accepted can be written back in canonical form without losing or inventing anything.

Refused beyond RFC 8259: duplicate keys, NaN and infinities, lone surrogates, integers outside -2^63 .. 2^64-1 (what
orjson writes exactly), numbers with a fraction or exponent whose nearest double has other digits, nesting deeper than
128, and a top level that is not an object. ``reference`` says so with the standard library alone; ``parse_canonical``
is the fast way, which takes a line only where it can prove that the reference would give the same object.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from math import isinf
from typing import Any, Final, NoReturn

import orjson

from datasets.errors import MalformedRecord
from datasets.formats.lines import encoding_problem

MAX_DEPTH: Final = 128
MIN_INTEGER: Final = -(2**63)
MAX_INTEGER: Final = 2**64 - 1

_CANONICAL: Final = orjson.OPT_SORT_KEYS
_INTEGER_CHARACTERS: Final = 20
_FLOAT_CHARACTERS: Final = 4096
#: A whole string (possessive, so that a missing end costs one pass, not one per quote) or one bracket.
_BRACKETS: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)|([\[{])|[\]}]', re.DOTALL)
_escaped_colon: Final = re.compile(rb"\\u003[aA]").search
_SURROGATES: Final = re.compile("[\ud800-\udfff]")


class _BrokenRuleError(ValueError):
    """Inside a decoding hook: which rule was broken; the line is added outside."""

    def __init__(self, reason: str, rule: str) -> None:
        super().__init__(rule)
        self.reason = reason
        self.rule = rule


def parse_object(line: bytes, number: int = 1) -> dict[str, Any]:
    """The JSON object that is this whole line. Raises what ``parse_canonical`` raises."""
    return parse_canonical(line, number)[0]


def parse_canonical(line: bytes, number: int = 1) -> tuple[dict[str, Any], bytes]:
    r"""The JSON object that is this whole line, and its canonical bytes (orjson, sorted keys).

    ``number`` is the line's number in the file, for the error. Raises MalformedRecord with the reason ``syntax``,
    ``duplicate-key``, ``not-finite``, ``integer-range``, ``inexact-number``, ``lone-surrogate``, ``too-deep`` or
    ``not-an-object``; WrongEncoding when the bytes are not UTF-8. Messages never quote the line.

    The fast way is sound because: orjson refuses bad syntax, bad UTF-8, NaN and surrogates itself; a value without
    floats lost no digits, since orjson turns integers out of range into floats; and a colon stands once for each key,
    or inside a string. Strings keep their colons when written again unless a colon was escaped (\u003a), so a line with
    no such escape has as many colons as its canonical form exactly when no key was dropped as a duplicate.
    """
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return reference(line, number)
    if type(value) is dict and not _escaped_colon(line) and _is_plain(value, MAX_DEPTH):
        canonical = orjson.dumps(value, option=_CANONICAL)
        if canonical.count(b":") == line.count(b":"):
            return value, canonical
    return reference(line, number)


def reference(line: bytes, number: int = 1) -> tuple[dict[str, Any], bytes]:
    """The same by the standard library's decoder with a hook for each rule: the definition of what is accepted."""
    problem = encoding_problem(line, number)
    if problem is not None:
        raise problem
    try:
        _check_depth(line)
        value = _decoded(line.decode())
    except _BrokenRuleError as broken:
        raise MalformedRecord(broken.rule, reason=broken.reason, line=number) from None
    return value, orjson.dumps(value, option=_CANONICAL)


def _decoded(text: str) -> dict[str, Any]:
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        rule = f"the line is not valid JSON (column {error.colno})"
        raise _BrokenRuleError("syntax", rule) from None
    if not isinstance(value, dict):
        raise _BrokenRuleError("not-an-object", "the line is not a JSON object")
    if "\\u" in text and _SURROGATES.search(json.dumps(value, ensure_ascii=False)):
        raise _BrokenRuleError("lone-surrogate", "a string holds half of a surrogate pair")
    return value


def _is_plain(value: dict[str, Any] | list[Any], depth: int) -> bool:
    """Whether the value has no float inside and at most ``depth`` levels."""
    if not depth:
        return False
    for member in value.values() if isinstance(value, dict) else value:
        kind = type(member)
        if kind is str:
            continue
        if kind is float or ((kind is dict or kind is list) and not _is_plain(member, depth - 1)):
            return False
    return True


def _check_depth(line: bytes) -> None:
    if line.count(b"{") + line.count(b"[") <= MAX_DEPTH:
        return
    depth = 0
    for match in _BRACKETS.finditer(line):
        if match.lastindex:
            depth += 1
            if depth > MAX_DEPTH:
                raise _BrokenRuleError("too-deep", f"the value nests deeper than {MAX_DEPTH}")
        elif match[0] in b"]}":
            depth -= 1


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _BrokenRuleError("duplicate-key", "an object has the same key twice")
    return members


def _exact_integer(text: str) -> int:
    if len(text) <= _INTEGER_CHARACTERS and MIN_INTEGER <= (value := int(text)) <= MAX_INTEGER:
        return value
    raise _BrokenRuleError("integer-range", "an integer is outside -2^63 .. 2^64-1")


def _exact_float(text: str) -> float:
    """The double that prints as the same decimal number: 0.10 passes, 0.1000000000000000055 and 1e999 do not."""
    value = float(text) if len(text) <= _FLOAT_CHARACTERS else float("inf")
    try:
        if not isinf(value) and Decimal(text) == Decimal(repr(value)):
            return value
    except InvalidOperation:
        pass
    raise _BrokenRuleError("inexact-number", "a number has more digits or range than a double holds")


def _refused_constant(_name: str) -> NoReturn:
    raise _BrokenRuleError("not-finite", "NaN and infinities are not JSON")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique_members,
    parse_int=_exact_integer,
    parse_float=_exact_float,
    parse_constant=_refused_constant,
)
