"""Counts, extremes and means over records, in groups whose number is bounded."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite
from typing import Any, Final

import orjson

from datasets.errors.query import InvalidQuery, TextTooLong, TooManyGroups
from datasets.query.ast import BrokenRuleError, Path, parse_path
from datasets.query.evaluate import MISSING, Record, is_number, value_at
from vaultsite.kernel.errors import FieldProblem

MAX_AGGREGATES: Final = 16
MAX_GROUPINGS: Final = 4
MAX_FIELDS: Final = 100
MAX_GROUPS: Final = 1000
#: Bytes of the values that tell one group from another.
MAX_GROUP_BYTES: Final = 4096
#: Characters of a text that may be answered as the least or greatest: what a thousand groups hold stays bounded.
MAX_TEXT: Final = 4096

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


class Function(StrEnum):
    COUNT = "count"
    MIN = "min"
    MAX = "max"
    AVG = "avg"


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A function over the values at ``path``; ``count`` without one counts records."""

    function: Function
    path: Path | None
    name: str


def parse_paths(content: Any, member: str, *, most: int) -> tuple[Path, ...]:
    """The paths of a list of strings, or of one string. Raises InvalidQuery with the place in ``member``."""
    texts = [content] if isinstance(content, str) else content
    if not isinstance(texts, list) or len(texts) > most:
        raise _refusal(f"/{member}", f"a list of at most {most} paths")
    return tuple(_path(text, f"/{member}/{index}") for index, text in enumerate(texts))


def parse_aggregates(content: Any) -> tuple[Aggregate, ...]:
    """``["count", {"op": "max", "path": "score", "name": "best"}]``, or one of these alone. Raises InvalidQuery."""
    items = content if isinstance(content, list) else [content]
    if not 0 < len(items) <= MAX_AGGREGATES:
        raise _refusal("/aggregate", f"a list of 1 to {MAX_AGGREGATES} aggregates")
    found = tuple(_aggregate(item, f"/aggregate/{index}") for index, item in enumerate(items))
    if len({aggregate.name for aggregate in found}) < len(found):
        raise _refusal("/aggregate", "two aggregates have the same name")
    return found


def _aggregate(item: Any, pointer: str) -> Aggregate:
    members = {"op": item} if isinstance(item, str) else item
    if not isinstance(members, dict) or not members.keys() <= {"op", "path", "name"}:
        raise _refusal(pointer, "an aggregate has op, path and name, and nothing else")
    if members.get("op") not in list(Function):
        raise _refusal(f"{pointer}/op", f"one of {', '.join(Function)}")
    function = Function(members["op"])
    path = _path(members["path"], f"{pointer}/path") if "path" in members else None
    if path is None and function is not Function.COUNT:
        raise _refusal(f"{pointer}/path", f"{function} needs a path")
    name = members.get("name", f"{function}({path})" if path else str(function))
    if "name" in members and not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise _refusal(f"{pointer}/name", "a name has ASCII letters, digits and _, at most 64")
    return Aggregate(function, path, name)


def _path(text: Any, pointer: str) -> Path:
    if not isinstance(text, str):
        raise _refusal(pointer, "a path is a string")
    try:
        return parse_path(text)
    except BrokenRuleError as broken:
        raise _refusal(pointer, str(broken)) from None


def _refusal(pointer: str, rule: str) -> InvalidQuery:
    return InvalidQuery(rule, errors=[FieldProblem(field=pointer, detail=rule)])


def project(record: Mapping[str, Any], paths: Sequence[Path]) -> dict[str, Any]:
    """The record with its id and what the paths lead to; an array on the way comes whole. No paths: all of it."""
    if not paths:
        return dict(record)
    shown: dict[str, Any] = {"id": record["id"], "data": {}, "metadata": {}}
    for path in paths:
        _copy(record, shown, path.tokens)
    return shown


def _copy(source: Any, target: dict[str, Any], tokens: Sequence[str]) -> None:
    name, rest = tokens[0], tokens[1:]
    if not isinstance(source, Mapping) or name not in source:
        return
    value = source[name]
    if not rest or isinstance(value, list):
        target[name] = value
    elif isinstance(value, dict):
        # What another path has put there whole belongs to the record and stays as it is.
        inner = target.setdefault(name, {})
        if inner is not value:
            _copy(value, inner, rest)


@dataclass(slots=True)
class _Running:
    """One aggregate of one group. Numbers are compared with numbers, texts with texts; numbers come first."""

    count: int = 0
    total: float = 0.0
    lost: float = 0.0
    numbers: tuple[Any, Any] | None = None
    texts: tuple[str, str] | None = None

    def add(self, value: Any) -> None:
        if is_number(value):
            self.count += 1
            self._sum(float(value))
            self.numbers = (min(self.numbers[0], value), max(self.numbers[1], value)) if self.numbers else (value,) * 2
        elif type(value) is str:
            if len(value) > MAX_TEXT:
                raise TextTooLong
            self.texts = (min(self.texts[0], value), max(self.texts[1], value)) if self.texts else (value,) * 2

    def _sum(self, value: float) -> None:
        """Neumaier's summation: what a step loses in precision is kept beside the total."""
        total = self.total + value
        bigger, smaller = (self.total, value) if abs(self.total) >= abs(value) else (value, self.total)
        self.lost += (bigger - total) + smaller
        self.total = total

    def result(self, function: Function) -> Any:
        if function is Function.AVG:
            mean = (self.total + self.lost) / self.count if self.count else None
            return mean if mean is not None and isfinite(mean) else None
        bounds = self.numbers or self.texts
        return None if bounds is None else bounds[0 if function is Function.MIN else 1]


@dataclass
class _Group:
    values: dict[str, Any]
    counts: list[int]
    running: list[_Running]


@dataclass
class Groups:
    """Adds records up, one group for each combination of values at ``group_by``."""

    aggregates: tuple[Aggregate, ...]
    group_by: tuple[Path, ...] = ()
    _groups: dict[bytes, _Group] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        """Raises TooManyGroups, TextTooLong."""
        group = self._group_of(record)
        for index, aggregate in enumerate(self.aggregates):
            value = value_at(record, aggregate.path) if aggregate.path else record
            if aggregate.function is not Function.COUNT:
                group.running[index].add(value)
            elif value is not MISSING and value is not None:
                group.counts[index] += 1

    def _group_of(self, record: Record) -> _Group:
        values = {path.pointer: value_at(record, path) for path in self.group_by}
        key = b"\n".join(map(_key, values.values()))
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= MAX_GROUPS or len(key) > MAX_GROUP_BYTES:
                raise TooManyGroups(f"At most {MAX_GROUPS} groups, told apart by at most {MAX_GROUP_BYTES} bytes")
            there = {pointer: value for pointer, value in values.items() if value is not MISSING}
            size = len(self.aggregates)
            group = self._groups[key] = _Group(there, [0] * size, [_Running() for _ in range(size)])
        return group

    def results(self) -> list[dict[str, Any]]:
        """Every group with its values, in a stable order. Without ``group_by`` there is one, of all records."""
        if not self.group_by and not self._groups:
            self._groups[b""] = _Group({}, [0] * len(self.aggregates), [_Running() for _ in self.aggregates])
        return [{"group": group.values, "values": self._values(group)} for _, group in sorted(self._groups.items())]

    def _values(self, group: _Group) -> dict[str, Any]:
        return {
            aggregate.name: group.counts[index]
            if aggregate.function is Function.COUNT
            else group.running[index].result(aggregate.function)
            for index, aggregate in enumerate(self.aggregates)
        }


def _key(value: Any) -> bytes:
    """Equal for equal values, 1 and 1.0 among them; different for 1, true and "1"."""
    if value is MISSING:
        return b""
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) < 1 << 63
    return orjson.dumps(int(value) if is_whole else value, option=orjson.OPT_SORT_KEYS)
