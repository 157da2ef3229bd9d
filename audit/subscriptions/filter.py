"""What a filter of events is once it has been read: a tree that says whether it holds for an event."""

import math
import operator
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

from audit.catalog.aliases import names_of

Value = str | int | float

#: Members of an event that a filter may name; below ``metadata`` it may name any, since each type has its own.
FIELDS: Final = (
    "event_type",
    "severity",
    "actor.type",
    "actor.id",
    "resource.type",
    "resource.id",
    "resource.dataset_id",
    "resource.dataset_name",
    "resource.classification",
    "resource.version",
    "action.operation",
    "action.status",
    "action.failure_reason",
    "context.purpose",
    "context.policy_evaluated",
    "context.obligations",
    "context.request_id",
    "context.compliance_tags",
)
_METADATA: Final = re.compile(r"metadata(\.[A-Za-z_][A-Za-z0-9_]*){1,4}")


class Relation(Enum):
    """How a field compares with a value."""

    EQUAL = "="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="
    BEGINS = "^="


class Subject:
    """An event as filters see it, by its body (as stored): whatever they ask, a member is looked up once."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self._body = body
        self._found: dict[str, tuple[Any, ...]] = {}

    def values_of(self, field: str) -> tuple[Any, ...]:
        """The values of a field, none when the event has no such member; a type has every name it goes by."""
        found = self._found.get(field)
        if found is None:
            found = self._found[field] = _values_of(self._body, field)
        return found


class Filter(ABC):
    """A condition on events. ``comparisons`` is how many it makes at most: what it costs to ask it."""

    @abstractmethod
    def holds(self, subject: Subject) -> bool:
        """Whether it holds for the event. Never raises, whatever the body is like."""

    @property
    @abstractmethod
    def comparisons(self) -> int: ...


@dataclass(frozen=True)
class All(Filter):
    """Every part holds; without parts it holds always."""

    parts: tuple[Filter, ...]

    def holds(self, subject: Subject) -> bool:
        return all(part.holds(subject) for part in self.parts)

    @property
    def comparisons(self) -> int:
        return sum(part.comparisons for part in self.parts)


@dataclass(frozen=True)
class Either(Filter):
    """One part holds at least."""

    parts: tuple[Filter, ...]

    def holds(self, subject: Subject) -> bool:
        return any(part.holds(subject) for part in self.parts)

    @property
    def comparisons(self) -> int:
        return sum(part.comparisons for part in self.parts)


@dataclass(frozen=True)
class Not(Filter):
    part: Filter

    def holds(self, subject: Subject) -> bool:
        return not self.part.holds(subject)

    @property
    def comparisons(self) -> int:
        return self.part.comparisons


@dataclass(frozen=True)
class Comparison(Filter):
    """A field's values against one value."""

    field: str
    relation: Relation
    value: Value

    comparisons = 1

    def holds(self, subject: Subject) -> bool:
        found = subject.values_of(self.field)
        if self.relation is Relation.UNEQUAL:
            return not any(_is_equal(value, self.value) for value in found)
        compare = _COMPARE[self.relation]
        return any(compare(value, self.value) for value in found)


@dataclass(frozen=True)
class Among(Filter):
    """A field has one of several values, however many: they are looked up, not gone through."""

    field: str
    values: frozenset[Value]

    comparisons = 1

    def holds(self, subject: Subject) -> bool:
        return any(_comparable(value) in self.values for value in subject.values_of(self.field))


def is_field(name: str) -> bool:
    return name in FIELDS or _METADATA.fullmatch(name) is not None


def _values_of(body: Mapping[str, Any], field: str) -> tuple[Any, ...]:
    if field == "event_type":
        return names_of(str(body.get("event_type")), str(body.get("action", {}).get("operation")))
    value: Any = body
    for name in field.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list) else (value,)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_equal(value: object, given: Value) -> bool:
    return _comparable(value) == given


def _comparable(value: object) -> Value:
    """Text equals text, numbers equal numbers; true and false are compared as those words, and nothing else equals."""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str | int | float) else math.nan


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """A comparison of numbers with numbers and of text with text, false for all else."""

    def compared(value: Any, given: Any) -> bool:
        is_alike = (_is_number(value) and _is_number(given)) or (isinstance(value, str) and isinstance(given, str))
        return is_alike and compare(value, given)

    return compared


def _begins(value: object, given: Value) -> bool:
    return isinstance(value, str) and isinstance(given, str) and value.startswith(given)


_COMPARE: Final[Mapping[Relation, Callable[[Any, Any], bool]]] = MappingProxyType(
    {
        Relation.EQUAL: _is_equal,
        Relation.LESS: _ordered(operator.lt),
        Relation.AT_MOST: _ordered(operator.le),
        Relation.GREATER: _ordered(operator.gt),
        Relation.AT_LEAST: _ordered(operator.ge),
        Relation.BEGINS: _begins,
    }
)
