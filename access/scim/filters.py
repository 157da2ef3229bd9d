"""Filters of RFC 7644 section 3.4.2.2 as conditions of queries.

scim2-models reads the grammar. What it read compiles through the whitelist of ``access.scim.attributes`` alone: a name
that is not in it ends the request, and values only ever travel as parameters.
"""

from collections.abc import Mapping
from typing import Any, Final

from django.db.models import Exists, F, Q
from django.db.models.expressions import OrderBy
from django.db.models.functions import Lower
from scim2_models import InvalidFilterException, ScimFilter
from scim2_models.path import (
    AttrPath,
    CompareOperator,
    Comparison,
    FilterNode,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
)

from access.scim.attributes import Attribute, Attributes, Collection, Kind
from access.scim.comparisons import NOTHING, compare, present
from access.scim.errors import InvalidFilter, InvalidPath

#: A filter's characters, and the comparisons in it.
LONGEST: Final = 4096
MOST_TERMS: Final = 64


def parse_filter(text: str) -> FilterNode:
    """The tree of a filter. Raises InvalidFilter."""
    if len(text) > LONGEST:
        raise InvalidFilter(f"It has more than {LONGEST} characters")
    try:
        return ScimFilter[Any](text).ast
    except InvalidFilterException as invalid:
        raise InvalidFilter(_place_of(invalid)) from None


def compile_filter(tree: FilterNode, attributes: Attributes, *, beside: Attributes | None = None) -> Q:
    """The condition of a filter. Raises InvalidFilter for what is not served.

    ``beside`` is another resource type that the same filter is asked of: what only that one has is true of no resource
    of this one (RFC 7644 section 3.4.2.1).
    """
    return _Compiler(attributes.plain, attributes, beside).visit(tree)


def compile_order(
    name: str, attributes: Attributes, *, descending: bool, beside: Attributes | None = None
) -> OrderBy | None:
    """The order that ``sortBy`` asks for; what has no value comes last, or first when descending.

    None where only ``beside`` has the attribute. Raises InvalidPath.
    """
    try:
        resolved = _resolve(_path(name), attributes.plain, attributes)
    except _UnknownAttribute as unknown:
        if beside is not None and _is_known(unknown.path, beside):
            return None
        raise InvalidPath(unknown.detail) from None
    found = attributes.sorted_as.get(name.lower()) if isinstance(resolved, Collection) else resolved
    if found is None or found.kind is Kind.CONSTANT:
        raise InvalidPath("Nothing can be sorted by this attribute")
    column = Lower(found.path) if found.kind is Kind.TEXT else F(found.path)
    return OrderBy(column, descending=descending, nulls_first=descending or None, nulls_last=not descending or None)


class _UnknownAttribute(InvalidFilter):
    """Of the resource type asked about; names of attributes are no personal data."""

    def __init__(self, path: AttrPath) -> None:
        super().__init__(f"{path} is no attribute that can be asked for")
        self.path = path


class _Compiler(FilterVisitor[Q]):
    """Compiles names among ``plain``; inside a value path there is nothing else."""

    def __init__(
        self, plain: Mapping[str, Attribute], attributes: Attributes | None, beside: Attributes | None = None
    ) -> None:
        self._plain, self._attributes, self._beside = plain, attributes, beside
        self._terms = 0

    def visit(self, node: FilterNode) -> Q:
        self._terms += 1
        if self._terms > MOST_TERMS:
            raise InvalidFilter(f"It has more than {MOST_TERMS} terms")
        try:
            return super().visit(node)
        except _UnknownAttribute as unknown:
            if self._beside is None or not _is_known(unknown.path, self._beside):
                raise
            return NOTHING

    def visit_not(self, node: Not) -> Q:
        return ~self.visit(node.expr)

    def visit_logical_expr(self, node: LogicalExpr) -> Q:
        compiled, *more = (self.visit(term) for term in node.terms)
        for term in more:
            compiled = compiled & term if node.op is LogicalOperator.and_ else compiled | term
        return compiled

    def visit_present(self, node: Present) -> Q:
        found = _resolve(node.attr_path, self._plain, self._attributes)
        if isinstance(found, Attribute):
            return present(found)
        rows = found.of_outer()
        if node.attr_path.sub_attr is None:
            return Q(Exists(rows))
        return Q(Exists(rows.filter(present(_member(found, node.attr_path.sub_attr)))))

    def visit_comparison(self, node: Comparison) -> Q:
        found = _resolve(node.attr_path, self._plain, self._attributes)
        if isinstance(found, Attribute):
            return compare(found, node.op, node.value, str(node.attr_path))
        member = _member(found, node.attr_path.sub_attr or found.default)
        # Any value may match; that one differs says that none is equal.
        is_negated = node.op is CompareOperator.ne
        compared = compare(member, CompareOperator.eq if is_negated else node.op, node.value, str(node.attr_path))
        matching = Q(Exists(found.of_outer().filter(compared)))
        return ~matching if is_negated else matching

    def visit_value_path(self, node: ValuePath) -> Q:
        found = _resolve(node.attr_path, self._plain, self._attributes)
        if isinstance(found, Attribute):
            raise InvalidFilter(f"{node.attr_path} has one value: nothing can be selected from it")
        inner = _Compiler(found.members, None)
        inner._terms = self._terms
        selected = inner.visit(node.val_filter)
        self._terms = inner._terms
        return Q(Exists(found.of_outer().filter(selected)))


def _resolve(path: AttrPath, plain: Mapping[str, Attribute], attributes: Attributes | None) -> Attribute | Collection:
    name, sub_name = path.attr.lower(), (path.sub_attr or "").lower()
    full = f"{name}.{sub_name}" if sub_name else name
    schema = (path.uri or "").lower()
    if attributes is not None and schema in attributes.extensions:
        found: Attribute | Collection | None = attributes.extensions[schema].get(full)
    elif schema and (attributes is None or schema != attributes.schema):
        found = None
    else:
        found = plain.get(full) or (attributes.collections.get(name) if attributes else None)
    if found is None:
        raise _UnknownAttribute(path)
    return found


def _is_known(path: AttrPath, attributes: Attributes) -> bool:
    try:
        _resolve(path, attributes.plain, attributes)
    except _UnknownAttribute:
        return False
    return True


def _member(collection: Collection, name: str) -> Attribute:
    found = collection.members.get(name.lower())
    if found is None:
        raise InvalidFilter(f"{name} is no attribute that can be asked for")
    return found


def _path(name: str) -> AttrPath:
    """An attribute's name as a filter writes it. Raises InvalidPath."""
    try:
        tree = parse_filter(f"{name} pr")
    except InvalidFilter:
        raise InvalidPath from None
    if not isinstance(tree, Present):
        raise InvalidPath
    return tree.attr_path


def _place_of(invalid: InvalidFilterException) -> str:
    """Where the grammar gave up; other messages quote the filter, which holds personal data."""
    return str(invalid) if str(invalid).startswith("invalid syntax at column ") else ""
