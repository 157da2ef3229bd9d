"""A parsed filter, ready to judge records."""

from functools import cached_property
from typing import Any

from datasets.errors.query import InvalidFilter
from datasets.query.ast import Node, shape
from datasets.query.evaluate import Predicate, Record, predicate
from datasets.query.json_syntax import as_json, parse_json
from datasets.query.prune import may_match
from datasets.query.text_syntax import as_text, parse_text
from datasets.tree.statistics import ChunkStatistics


def _anything(_: Record) -> bool:
    return True


class Filter:
    """What records must meet. Both syntaxes give the same; a filter without ``node`` is met by every record."""

    def __init__(self, node: Node | None = None) -> None:
        self.node = node

    @cached_property
    def matches(self) -> Predicate:
        """Whether the record ``{"id", "data", "metadata"}`` meets the filter; give it the reader's view."""
        return _anything if self.node is None else predicate(self.node)

    def keeps(self, statistics: ChunkStatistics) -> bool:
        """Whether a chunk may hold a record that meets the filter. For readers of raw data alone: the statistics are
        of what is stored, and what they spare would tell a reader of masked data about it.
        """
        return self.node is None or may_match(self.node, statistics)

    @property
    def shape(self) -> str:
        """Operators without paths and operands: what the audit may know."""
        return shape(self.node)

    def as_json(self) -> dict[str, Any]:
        return as_json(self.node)

    def __str__(self) -> str:
        return as_text(self.node)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Filter) and self.node == other.node

    def __hash__(self) -> int:
        return hash(self.node)


def parse_expression(text: str) -> Filter:
    """The filter of the text syntax, as in ``kind = 'chat' AND score >= 4``. Raises InvalidFilter with a position."""
    return Filter(parse_text(text))


def parse_filter(content: Any) -> Filter:
    """The filter of the JSON syntax, or of the text syntax when ``content`` is a string; None is no filter.

    Raises InvalidFilter with the pointer or the position of what is wrong.
    """
    if content is None:
        return Filter()
    if isinstance(content, str):
        return parse_expression(content)
    if not isinstance(content, dict):
        raise InvalidFilter("a filter is an object or an expression in text")
    return Filter(parse_json(content))
