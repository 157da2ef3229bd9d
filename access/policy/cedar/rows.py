"""Sets of rows of datasets, and how they combine with Cedar's own meaning of and, or and not."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db.models import Q

ALL: Final = ~Q(pk__in=[])
NONE: Final = Q(pk__in=[])


@dataclass(frozen=True)
class Columns:
    """Where rows keep the attributes of datasets. ``fields`` has no entry for what no row knows.

    ``may_lack`` are attributes that an empty text stands for when they are not known; ``tagged`` gives the rows that
    have a tag. ``beside`` gives the rows that have one of some values of an attribute which every row has, and which
    is kept in no column of theirs.
    """

    fields: Mapping[str, str]
    may_lack: frozenset[str]
    tagged: Callable[[str], Q]
    beside: Mapping[str, Callable[[Sequence[str]], Q]] = field(default_factory=dict)


@dataclass(frozen=True)
class Rows:
    """The rows for which an expression is true, and those for which it fails."""

    true: Q
    failing: Q = NONE

    @property
    def false(self) -> Q:
        return none_of(either_of(self.true, self.failing))


def both_of(left: Q, right: Q) -> Q:
    """The rows of both, said in as few words as it takes: each one is work for every list."""
    if left is NONE or right is ALL:
        return left
    return right if left is ALL or right is NONE else left & right


def either_of(left: Q, right: Q) -> Q:
    """The rows of one or the other."""
    if left is ALL or right is NONE:
        return left
    return right if left is NONE or right is ALL else left | right


def none_of(rows: Q) -> Q:
    """All the other rows."""
    if rows is NONE:
        return ALL
    return NONE if rows is ALL else ~rows


def all_hold(left: Rows, right: Rows) -> Rows:
    return Rows(both_of(left.true, right.true), either_of(left.failing, both_of(left.true, right.failing)))


def one_holds(left: Rows, right: Rows) -> Rows:
    return Rows(
        either_of(left.true, both_of(left.false, right.true)),
        either_of(left.failing, both_of(left.false, right.failing)),
    )


def fails_to_hold(rows: Rows) -> Rows:
    return Rows(rows.false, rows.failing)


def constant(*, is_true: bool) -> Rows:
    return Rows(ALL if is_true else NONE)
