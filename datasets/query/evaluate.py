"""Whether a record meets a filter: values are compared with values of their own type, and with no others."""

import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from datasets.query.ast import And, Comparison, Node, Not, Operator, Path, Scalar

#: What a path leads to where the record has nothing.
MISSING: Final = object()

Record: TypeAlias = Mapping[str, Any]
Predicate: TypeAlias = Callable[[Record], bool]
_Test: TypeAlias = Callable[[Any], bool]

_ORDERED: Final[Mapping[Operator, Callable[[Any, Any], bool]]] = MappingProxyType(
    {Operator.GT: operator.gt, Operator.GTE: operator.ge, Operator.LT: operator.lt, Operator.LTE: operator.le}
)


def value_at(record: Record, path: Path) -> Any:
    """The value a pointer leads to (RFC 6901), or MISSING."""
    value: Any = record
    for token in path.tokens:
        if isinstance(value, dict):
            value = value.get(token, MISSING)
        elif isinstance(value, list):
            value = _element(value, token)
        else:
            return MISSING
    return value


def _element(values: list[Any], token: str) -> Any:
    is_index = token.isascii() and token.isdecimal() and (token == "0" or token[0] != "0") and len(token) <= 9  # noqa: PLR2004, S105
    return values[int(token)] if is_index and int(token) < len(values) else MISSING


def is_number(value: Any) -> bool:
    """In JSON true and false are no numbers."""
    return type(value) is int or type(value) is float


def predicate(node: Node) -> Predicate:
    """The filter as one function of the record ``{"id", "data", "metadata"}``."""
    if isinstance(node, Comparison):
        return _compared(node)
    if isinstance(node, Not):
        inner = predicate(node.part)
        return lambda record: not inner(record)
    parts = tuple(map(predicate, node.parts))
    if isinstance(node, And):
        return lambda record: all(part(record) for part in parts)
    return lambda record: any(part(record) for part in parts)


def _compared(comparison: Comparison) -> Predicate:
    path, test = comparison.path, _test_of(comparison)
    return lambda record: test(value_at(record, path))


def _test_of(comparison: Comparison) -> _Test:
    wanted: Any = comparison.operand
    if comparison.operator in _ORDERED:
        return _ordered(_ORDERED[comparison.operator], wanted)
    return _TESTS[comparison.operator](wanted)


def _among(wanted: tuple[Scalar, ...]) -> _Test:
    strings = frozenset(value for value in wanted if isinstance(value, str))
    numbers = frozenset(value for value in wanted if is_number(value))
    words = tuple(value for value in wanted if value is None or isinstance(value, bool))

    def test(value: Any) -> bool:
        if type(value) is str:
            return value in strings
        if is_number(value):
            return value in numbers
        return any(value is word for word in words)

    return test


def _other_than(wanted: Scalar) -> _Test:
    if wanted is None:
        return lambda value: value is not None and value is not MISSING
    if is_number(wanted):
        return lambda value: is_number(value) and value != wanted
    kind = type(wanted)
    return lambda value: type(value) is kind and value != wanted


def _containing(wanted: Scalar) -> _Test:
    is_wanted = _among((wanted,))

    def test(value: Any) -> bool:
        if type(value) is str:
            return isinstance(wanted, str) and wanted in value
        return isinstance(value, list) and any(map(is_wanted, value))

    return test


def _ordered(holds: Callable[[Any, Any], bool], wanted: Any) -> _Test:
    if isinstance(wanted, str):
        return lambda value: type(value) is str and holds(value, wanted)
    return lambda value: is_number(value) and holds(value, wanted)


_TESTS: Final[Mapping[Operator, Callable[[Any], _Test]]] = MappingProxyType(
    {
        Operator.EQ: lambda wanted: _among((wanted,)),
        Operator.NE: _other_than,
        Operator.IN: _among,
        Operator.CONTAINS: _containing,
        Operator.PREFIX: lambda wanted: lambda value: type(value) is str and value.startswith(wanted),
        Operator.EXISTS: lambda wanted: lambda value: (value is not MISSING) is wanted,
    }
)
