"""The JSON syntax of filters: ``{"score": {"gte": 4}, "or": [{"kind": "chat"}, {"/data/x y": {"exists": true}}]}``."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from anonymization.findings import escape_token
from datasets.errors.query import InvalidFilter
from datasets.query.ast import (
    MAX_COMPARISONS,
    MAX_DEPTH,
    And,
    BrokenRuleError,
    Comparison,
    Node,
    Not,
    Operator,
    Or,
    compare,
    comparisons,
    parse_path,
)

_JOINS: Final[dict[str, Callable[[tuple[Node, ...]], Node]]] = {"and": And, "or": Or}
_OPERATORS: Final = frozenset(Operator)


def parse_json(content: Any) -> Node | None:
    """The filter that this JSON value describes; None for an empty object, which every record meets.

    The members of an object all have to hold. ``and`` and ``or`` take lists of filters, ``not`` a filter; every other
    member is a path with an object of operators, or with a scalar that it must equal. Raises InvalidFilter.
    """
    if content == {}:
        return None
    node = _parsed(content, "", MAX_DEPTH)
    if sum(1 for _ in comparisons(node)) > MAX_COMPARISONS:
        raise InvalidFilter(f"a filter has at most {MAX_COMPARISONS} comparisons")
    return node


def _parsed(content: Any, pointer: str, depth: int) -> Node:
    if not isinstance(content, dict) or not content:
        raise InvalidFilter("a filter is an object with at least one member", pointer=pointer)
    if not depth:
        raise InvalidFilter(f"a filter nests at most {MAX_DEPTH} deep", pointer=pointer)
    return _joined(
        part
        for name, value in content.items()
        for part in _member(name, value, f"{pointer}/{escape_token(name)[:200]}", depth)
    )


def _joined(parts: Iterator[Node]) -> Node:
    found = tuple(parts)
    return found[0] if len(found) == 1 else And(found)


def _member(name: str, value: Any, pointer: str, depth: int) -> Iterator[Node]:
    if name in _JOINS:
        yield _list(_JOINS[name], value, pointer, depth)
    elif name == "not":
        yield Not(_parsed(value, pointer, depth - 1))
    else:
        yield from _compared(name, value, pointer)


def _list(join: Callable[[tuple[Node, ...]], Node], value: Any, pointer: str, depth: int) -> Node:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_COMPARISONS:
        raise InvalidFilter(f"and, or: a list of 1 to {MAX_COMPARISONS} filters", pointer=pointer)
    parts = tuple(_parsed(part, f"{pointer}/{index}", depth - 1) for index, part in enumerate(value))
    return parts[0] if len(parts) == 1 else join(parts)


def _compared(name: str, value: Any, pointer: str) -> Iterator[Comparison]:
    try:
        path = parse_path(name)
        if not isinstance(value, dict):
            yield compare(path, Operator.EQ, value)
            return
    except BrokenRuleError as broken:
        raise InvalidFilter(str(broken), pointer=pointer) from None
    if not value:
        raise InvalidFilter("a path needs an operator", pointer=pointer)
    for word, operand in value.items():
        place = f"{pointer}/{escape_token(word)[:200]}"
        if word not in _OPERATORS:
            raise InvalidFilter(f"the operators are {', '.join(Operator)}", pointer=place)
        try:
            yield compare(path, Operator(word), operand)
        except BrokenRuleError as broken:
            raise InvalidFilter(str(broken), pointer=place) from None


def as_json(node: Node | None) -> dict[str, Any]:
    """The filter in the syntax that ``parse_json`` reads, with pointers for paths."""
    if node is None:
        return {}
    if isinstance(node, Comparison):
        operand = list(node.operand) if isinstance(node.operand, tuple) else node.operand
        return {node.path.pointer: {str(node.operator): operand}}
    if isinstance(node, Not):
        return {"not": as_json(node.part)}
    return {"and" if isinstance(node, And) else "or": list(map(as_json, node.parts))}
