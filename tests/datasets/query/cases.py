"""Strategies for records and filters, and what a filter means in the plainest words."""

from typing import Any

from hypothesis import strategies as st

from datasets.query.ast import And, Comparison, Node, Not, Operator, Or, Path

NAMES = ("a", "b", "kind", "x y", "a/b", "~", "0", "é", "and", "data", "not")
TEXTS = st.sampled_from(
    ["", "a", "ab", "abc", "b", "x'y", 'x"y', "é", "2024-01-01", "z" * 30, "z" * 30 + "a", "\U0001f600"]
)
NUMBERS = st.one_of(
    st.integers(-3, 3), st.sampled_from([0.5, 1.0, -2.5, 1e300, 2**63, 2**64 - 1, -(2**63), 2**53 + 1, 1e-7])
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)),
    max_leaves=6,
)
DATA = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5)
RECORDS = st.builds(lambda data, metadata: {"id": "r1", "data": data, "metadata": metadata}, DATA, DATA)
PATHS = st.one_of(
    st.just(Path(("id",))),
    st.builds(
        lambda root, steps: Path((root, *steps)),
        st.sampled_from(["data", "data", "metadata"]),
        st.lists(st.sampled_from(NAMES), max_size=3),
    ),
)
MISSING = object()


def _comparison(path: Path, operator: Operator, scalar: Any, *others: Any) -> Comparison:
    listed, text, number = others
    operand: Any = scalar
    if operator is Operator.IN:
        operand = tuple(listed)
    elif operator is Operator.EXISTS:
        operand = bool(scalar)
    elif operator is Operator.PREFIX:
        operand = text
    elif operator in {Operator.GT, Operator.GTE, Operator.LT, Operator.LTE}:
        operand = text if isinstance(scalar, str) else number
    return Comparison(path, operator, operand)


COMPARISONS = st.builds(
    _comparison, PATHS, st.sampled_from(Operator), SCALARS, st.lists(SCALARS, min_size=1, max_size=4), TEXTS, NUMBERS
)
FILTERS = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(lambda parts: And(tuple(parts)), st.lists(inner, min_size=2, max_size=3)),
        st.builds(lambda parts: Or(tuple(parts)), st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=6,
)


def kind_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    return {int: "number", float: "number", str: "string", list: "array", dict: "object"}[type(value)]


def found(record: dict[str, Any], path: Path) -> Any:
    value: Any = record
    for token in path.tokens:
        if isinstance(value, dict) and token in value:
            value = value[token]
        elif isinstance(value, list) and token in {str(index) for index in range(len(value))}:
            value = value[int(token)]
        else:
            return MISSING
    return value


def is_met(node: Node, record: dict[str, Any]) -> bool:  # noqa: PLR0911
    """The reference: what the documentation says, case by case."""
    if isinstance(node, And):
        return all(is_met(part, record) for part in node.parts)
    if isinstance(node, Or):
        return any(is_met(part, record) for part in node.parts)
    if isinstance(node, Not):
        return not is_met(node.part, record)
    value, wanted = found(record, node.path), node.operand
    if node.operator is Operator.EXISTS:
        return (value is not MISSING) == wanted
    if value is MISSING:
        return False
    if node.operator is Operator.IN:
        return any(equals(value, one) for one in wanted)
    if node.operator is Operator.CONTAINS:
        inside = isinstance(value, str) and isinstance(wanted, str) and wanted in value
        return inside or (isinstance(value, list) and any(equals(one, wanted) for one in value))
    if node.operator is Operator.NE and wanted is None:
        return value is not None
    if kind_of(value) != kind_of(wanted):
        return False
    return {
        Operator.EQ: lambda: value == wanted,
        Operator.NE: lambda: value != wanted,
        Operator.GT: lambda: value > wanted,
        Operator.GTE: lambda: value >= wanted,
        Operator.LT: lambda: value < wanted,
        Operator.LTE: lambda: value <= wanted,
        Operator.PREFIX: lambda: value.startswith(wanted),
    }[node.operator]()


def equals(value: Any, wanted: Any) -> bool:
    return kind_of(value) == kind_of(wanted) and value == wanted
