"""What a shape is, and the checks all shapes share."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

_MISSING: Any = object()


class Problem(NamedTuple):
    """One way in which ``data`` breaks its shape.

    ``pointer`` is an RFC 6901 pointer into ``data``, made of the shape's own member names and of indexes, ``reason`` a
    stable word beginning with ``shape-``, ``rule`` the rule in words. None of them holds anything of the record.
    """

    pointer: str
    reason: str
    rule: str


@dataclass(frozen=True, slots=True)
class Shape:
    """``members`` are the top-level members by which a record is taken for this shape; ``problems`` judges it: only its
    first answer counts, what follows may build on there being none.
    """

    members: frozenset[str]
    problems: Callable[[dict[str, Any]], Iterator[Problem]]

    def problem_in(self, data: dict[str, Any]) -> Problem | None:
        """The first thing wrong with ``data``, None when it has the shape."""
        return next(self.problems(data), None)


def text_at(
    parent: Mapping[str, Any], name: str, pointer: str, *, is_required: bool = True, may_be_empty: bool = True
) -> Iterator[Problem]:
    """The problem with a member that must be a string, if there is one. ``pointer`` is the parent's."""
    value = parent.get(name, _MISSING)
    where = f"{pointer}/{name}"
    if value is _MISSING and is_required:
        yield Problem(where, "shape-missing", f"the member {name} is missing")
    elif value is _MISSING or (value is None and not is_required):
        return
    elif not isinstance(value, str):
        yield Problem(where, "shape-type", f"{name} must be a string")
    elif not value and not may_be_empty:
        yield Problem(where, "shape-empty", f"{name} must not be empty")


def objects_at(parent: Mapping[str, Any], name: str, pointer: str) -> Iterator[Problem]:
    """The problem with a member that must be an array of at least one object, if there is one."""
    items = parent.get(name, _MISSING)
    where = f"{pointer}/{name}"
    if items is _MISSING:
        yield Problem(where, "shape-missing", f"the member {name} is missing")
    elif not isinstance(items, list):
        yield Problem(where, "shape-type", f"{name} must be an array")
    elif not items:
        yield Problem(where, "shape-empty", f"{name} must not be empty")
    else:
        for index, item in enumerate(items):
            if not isinstance(item, dict):
                yield Problem(f"{where}/{index}", "shape-type", f"an item of {name} must be an object")
