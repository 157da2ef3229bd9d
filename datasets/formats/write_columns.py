"""What the rows of a table have in common: the names of their members and the kinds of their values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from datasets.errors.exports import TooManyColumns

MAX_COLUMNS: Final = 1_000
#: Integers beyond lose digits as doubles; beyond the next they do not fit a signed 64-bit column.
_EXACT: Final = 2**53
_INT64: Final = 2**63


class ColumnType(StrEnum):
    """How a column is kept. JSON: text that holds one JSON value, for nested and mixed values."""

    STRING = "string"
    INTEGER = "int64"
    DOUBLE = "double"
    BOOLEAN = "bool"
    JSON = "json"


_BY_KINDS: Final[Mapping[frozenset[str], ColumnType]] = {
    frozenset(): ColumnType.STRING,
    frozenset({"string"}): ColumnType.STRING,
    frozenset({"boolean"}): ColumnType.BOOLEAN,
    frozenset({"integer"}): ColumnType.INTEGER,
    frozenset({"integer", "long"}): ColumnType.INTEGER,
    frozenset({"long"}): ColumnType.INTEGER,
    frozenset({"number"}): ColumnType.DOUBLE,
    frozenset({"integer", "number"}): ColumnType.DOUBLE,
}

_PLAIN: Final[Mapping[type, str | None]] = {type(None): None, str: "string", bool: "boolean", float: "number"}


@dataclass
class Columns:
    """The columns seen so far, in order of their first row."""

    kinds: dict[str, set[str]] = field(default_factory=dict)

    def see(self, row: Mapping[str, Any]) -> None:
        """Take a row into account. Raises TooManyColumns."""
        for name, value in row.items():
            known = self.kinds.get(name)
            if known is None:
                if len(self.kinds) >= MAX_COLUMNS:
                    raise TooManyColumns(limit=MAX_COLUMNS)
                known = self.kinds[name] = set()
            kind = _kind(value)
            if kind is not None:
                known.add(kind)

    def types(self) -> dict[str, ColumnType]:
        """Name and type of each column: JSON wherever no plainer type keeps every value exactly."""
        return {name: _BY_KINDS.get(frozenset(kinds), ColumnType.JSON) for name, kinds in self.kinds.items()}


def _kind(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        if -_EXACT <= value <= _EXACT:
            return "integer"
        return "long" if value < _INT64 else "nested"
    return _PLAIN.get(type(value), "nested")
