"""Whether a chunk can hold a record that meets a filter, by what is known of the chunk: never a no that is wrong."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from datasets.query.ast import And, Comparison, Node, Not, Operator, Or
from datasets.query.evaluate import is_number
from datasets.tree.statistics import ChunkStatistics, MemberStatistics


def may_match(node: Node, statistics: ChunkStatistics) -> bool:
    """False only when no record of the chunk meets the filter."""
    if isinstance(node, Comparison):
        return _may_hold(node, statistics)
    if isinstance(node, Not):
        return may_fail(node.part, statistics)
    parts = (may_match(part, statistics) for part in node.parts)
    return all(parts) if isinstance(node, And) else any(parts)


def may_fail(node: Node, statistics: ChunkStatistics) -> bool:
    """False only when every record of the chunk meets the filter."""
    if isinstance(node, Comparison):
        is_existence = node.operator is Operator.EXISTS
        return not is_existence or _may_hold(Comparison(node.path, node.operator, not node.operand), statistics)
    if isinstance(node, Not):
        return may_match(node.part, statistics)
    parts = (may_fail(part, statistics) for part in node.parts)
    return all(parts) if isinstance(node, Or) else any(parts)


def _may_hold(comparison: Comparison, statistics: ChunkStatistics) -> bool:
    tokens = comparison.path.tokens
    if tokens[0] != "data" or len(tokens) == 1:
        return True
    known = statistics.member(tokens[1])
    if known is None:
        return True
    if comparison.operator is Operator.EXISTS and not comparison.operand:
        return len(tokens) > 2 or known.missing > 0  # noqa: PLR2004 - below a member, anything may be missing
    if len(tokens) > 2:  # noqa: PLR2004
        return known.has_other
    if comparison.operator is Operator.EXISTS:
        return known.missing < statistics.count
    return _TESTS[comparison.operator](known, comparison.operand)


def _may_differ(known: MemberStatistics, value: Any) -> bool:
    if value is None:
        return known.has_other or known.has_true or known.has_false or _has_plain(known)
    if isinstance(value, bool):
        return known.has_false if value else known.has_true
    bounds: tuple[Any, Any] | None = known.numbers if is_number(value) else known.texts
    return bounds is not None and not (bounds[0] == value == bounds[1] and (is_number(value) or not known.is_cut))


def _has_plain(known: MemberStatistics) -> bool:
    return known.numbers is not None or known.texts is not None


def _may_contain(known: MemberStatistics, value: Any) -> bool:
    return known.has_other or (isinstance(value, str) and known.texts is not None)


_TESTS: Final[Mapping[Operator, Callable[[MemberStatistics, Any], bool]]] = MappingProxyType(
    {
        Operator.EQ: lambda known, value: known.can_equal(value),
        Operator.NE: _may_differ,
        Operator.GT: lambda known, value: known.can_be_above(value),
        Operator.GTE: lambda known, value: known.can_be_above(value, or_equal=True),
        Operator.LT: lambda known, value: known.can_be_below(value),
        Operator.LTE: lambda known, value: known.can_be_below(value, or_equal=True),
        Operator.IN: lambda known, values: any(map(known.can_equal, values)),
        Operator.CONTAINS: _may_contain,
        Operator.PREFIX: lambda known, value: known.can_begin_with(value),
    }
)
