"""What a filter is made of: comparisons of one place in a record with constants, joined by and, or and not."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import Final, TypeAlias

from anonymization.findings import escape_token, unescape_token

MAX_DEPTH: Final = 16
MAX_COMPARISONS: Final = 200
MAX_LISTED: Final = 1000
MAX_STRING: Final = 4096
MAX_TOKENS: Final = 32
MAX_PATH: Final = 1024

#: What a path begins with. A path that begins otherwise leads into data.
ROOTS: Final = frozenset({"id", "data", "metadata"})

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[_-][A-Za-z0-9]+)*")
_STEP: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[_-][A-Za-z0-9]+)*|0|[1-9][0-9]{0,8}")
_POINTER: Final = re.compile(r"(?:/(?:[^/~\x00-\x1f\x7f\ud800-\udfff]|~[01])*)+")

Scalar: TypeAlias = str | int | float | bool | None
Operand: TypeAlias = Scalar | tuple[Scalar, ...]


class Operator(StrEnum):
    EQ = "eq"
    NE = "ne"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    IN = "in"
    CONTAINS = "contains"
    PREFIX = "prefix"
    EXISTS = "exists"


ORDERING: Final = frozenset({Operator.GT, Operator.GTE, Operator.LT, Operator.LTE})


class BrokenRuleError(ValueError):
    """Which rule a part of a query breaks; the parser that reads it knows the place."""


@dataclass(frozen=True, slots=True)
class Path:
    """A place in the record ``{"id", "data", "metadata"}`` by the tokens of its pointer, unescaped."""

    tokens: tuple[str, ...]

    @property
    def pointer(self) -> str:
        """RFC 6901."""
        return "".join(f"/{escape_token(token)}" for token in self.tokens)

    def __str__(self) -> str:
        """The path as people write it: dotted where every member has a plain name, a pointer elsewhere."""
        tokens = self.tokens
        if not all(_NAME.fullmatch(token) or (index and _STEP.fullmatch(token)) for index, token in enumerate(tokens)):
            return self.pointer
        is_short = tokens[0] == "data" and len(tokens) > 1 and tokens[1] not in ROOTS and _NAME.fullmatch(tokens[1])
        return ".".join(tokens[1:] if is_short else tokens)


@dataclass(frozen=True, slots=True)
class Comparison:
    path: Path
    operator: Operator
    operand: Operand


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: "Node"


Node: TypeAlias = Comparison | And | Or | Not


def parse_path(text: str) -> Path:
    """A pointer that starts with /id, /data or /metadata, or names joined by dots. Raises BrokenRuleError.

    ``a.b`` is /data/a/b, ``metadata.a`` is /metadata/a, ``data.a`` is /data/a and ``id`` is /id. A name has ASCII
    letters, digits and single ``_`` or ``-`` between them; a number after a dot is the place in an array. Members
    with other names are reached by a pointer.
    """
    if len(text) > MAX_PATH:
        raise BrokenRuleError(f"a path has at most {MAX_PATH} characters")
    tokens = _pointer_tokens(text) if text.startswith("/") else _name_tokens(text)
    if len(tokens) > MAX_TOKENS:
        raise BrokenRuleError(f"a path has at most {MAX_TOKENS} steps")
    if tokens[0] == "id" and len(tokens) > 1:
        raise BrokenRuleError("an id has no members")
    return Path(tokens)


def _pointer_tokens(text: str) -> tuple[str, ...]:
    if not _POINTER.fullmatch(text):
        raise BrokenRuleError("this is no JSON pointer")
    tokens = tuple(unescape_token(token) for token in text.split("/")[1:])
    if tokens[0] not in ROOTS:
        raise BrokenRuleError("a pointer starts with /id, /data or /metadata")
    return tokens


def _name_tokens(text: str) -> tuple[str, ...]:
    first, *others = text.split(".")
    if not _NAME.fullmatch(first) or not all(map(_STEP.fullmatch, others)):
        rule = "a name has ASCII letters, digits and single _ or - between them; other members take a JSON pointer"
        raise BrokenRuleError(rule)
    return (first, *others) if first in ROOTS else ("data", first, *others)


def compare(path: Path, operator: Operator, operand: object) -> Comparison:
    """A comparison whose operand fits its operator. Raises BrokenRuleError."""
    if operator is Operator.IN:
        return Comparison(path, operator, _listed(operand))
    value = _scalar(operand)
    if operator in ORDERING and (value is None or isinstance(value, bool)):
        raise BrokenRuleError(f"{operator} compares with a string or a number")
    if operator is Operator.PREFIX and not isinstance(value, str):
        raise BrokenRuleError("prefix compares with a string")
    if operator is Operator.EXISTS and not isinstance(value, bool):
        raise BrokenRuleError("exists takes true or false")
    return Comparison(path, operator, value)


def _listed(operand: object) -> tuple[Scalar, ...]:
    if not isinstance(operand, list | tuple) or not 0 < len(operand) <= MAX_LISTED:
        raise BrokenRuleError(f"in takes a list of 1 to {MAX_LISTED} values")
    return tuple(map(_scalar, operand))


def _scalar(value: object) -> Scalar:
    if isinstance(value, str):
        if len(value) > MAX_STRING:
            raise BrokenRuleError(f"a value has at most {MAX_STRING} characters")
        return value
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and isfinite(value):
        return value
    raise BrokenRuleError("a value is a string, a number, true, false or null")


def comparisons(node: Node) -> Iterator[Comparison]:
    """Every comparison of a filter, in the order they are written."""
    if isinstance(node, Comparison):
        yield node
    elif isinstance(node, Not):
        yield from comparisons(node.part)
    else:
        for part in node.parts:
            yield from comparisons(part)


def shape(node: Node | None) -> str:
    """The filter without paths and operands, such as ``and(eq,not(gt))``: what the audit may know of it."""
    if node is None:
        return ""
    if isinstance(node, Comparison):
        return str(node.operator)
    if isinstance(node, Not):
        return f"not({shape(node.part)})"
    return f"{'and' if isinstance(node, And) else 'or'}({','.join(map(shape, node.parts))})"
