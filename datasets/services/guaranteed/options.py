"""What somebody asks of an export under a guarantee: columns with their roles, the promise, and which rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self

from anonymization.guarantees.guarantee import Guarantee
from anonymization.guarantees.methods import Method
from datasets.models import ExportFormat
from datasets.query import Filter, parse_filter
from vaultsite.kernel.errors import FieldProblem, InvalidInput

MAX_COLUMNS: Final = 50
#: Quasi-identifiers of one table: the lattice grows with every one.
MAX_QUASI: Final = 16
#: The column of fresh row ids that every released table begins with.
ROW_ID: Final = "row_id"


class Role(StrEnum):
    """What a column is to the people the rows are about.

    Identifier and subject never leave as they are. Quasi-identifiers are generalized. Sensitive values are what l and t
    protect. Text is never covered by the guarantee. Insensitive values leave as the asker may see them.
    """

    IDENTIFIER = "identifier"
    SUBJECT = "subject"
    QUASI = "quasi"
    SENSITIVE = "sensitive"
    INSENSITIVE = "insensitive"
    TEXT = "text"


class Transformation(StrEnum):
    PSEUDONYMIZE = "pseudonymize"
    TRUNCATE = "truncate"
    REDACT = "redact_pii"


class HierarchyKind(StrEnum):
    """How labels of a quasi-identifier are made; ``auto`` looks at its values."""

    AUTO = "auto"
    FLAT = "flat"
    INTERVALS = "intervals"
    PREFIXES = "prefixes"
    DATES = "dates"
    TABLE = "table"


@dataclass(frozen=True)
class HierarchyPlan:
    """``steps`` are widths, lengths or names of steps; ``table`` is a CSV as ARX ships them."""

    kind: HierarchyKind = HierarchyKind.AUTO
    steps: tuple[float | str, ...] = ()
    table: str = ""
    is_ordered: bool = False

    def as_json(self) -> dict[str, Any]:
        """Everything, values included: to be sealed."""
        return {
            "kind": str(self.kind),
            "steps": list(self.steps),
            "table": self.table,
            "is_ordered": self.is_ordered,
        }

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        return cls(HierarchyKind(stored["kind"]), tuple(stored["steps"]), stored["table"], stored["is_ordered"])


@dataclass(frozen=True)
class Column:
    """One declared member of ``data``. ``precision`` (hour, day) is of truncate, ``entities`` of redact_pii.

    ``pointer`` says where in the record the subject stands; empty: where the name says.
    """

    name: str
    role: Role
    transformation: Transformation | None = None
    precision: str = ""
    entities: tuple[str, ...] = ()
    hierarchy: HierarchyPlan = field(default_factory=HierarchyPlan)
    is_ordered: bool = False
    pointer: str = ""

    @property
    def is_released(self) -> bool:
        """Whether anything of the column leaves."""
        if self.role in {Role.IDENTIFIER, Role.SUBJECT}:
            return self.transformation is Transformation.PSEUDONYMIZE
        return self.role is not Role.TEXT or self.transformation is Transformation.REDACT

    def as_shown(self) -> dict[str, Any]:
        """Without the hierarchy's table, which holds values."""
        return {
            "name": self.name,
            "role": str(self.role),
            "transformation": str(self.transformation or ""),
            "hierarchy": str(self.hierarchy.kind) if self.role is Role.QUASI else "",
        }


@dataclass(frozen=True)
class TimeRange:
    """Rows whose ``field`` lies between; whole days, so that it singles out nobody by the minute."""

    field: str
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class GuaranteedOptions:
    columns: tuple[Column, ...]
    guarantee: Guarantee
    method: Method = Method.LOCAL
    format: ExportFormat = ExportFormat.PARQUET
    filter: Filter = field(default_factory=Filter)
    time_range: TimeRange | None = None
    target: str = ""
    retention_days: int = 90

    def of_role(self, *roles: Role) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.role in roles)

    @property
    def subject(self) -> Column | None:
        return next(iter(self.of_role(Role.SUBJECT)), None)

    @property
    def released(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.is_released)

    @property
    def label(self) -> dict[str, Any]:
        """What may be said of the table: of its tabular columns alone, and of rows where no subject is known."""
        texts = [column.name for column in self.released if column.role is Role.TEXT]
        named = "k-anonymity" if self.subject is not None else "k-anonymity per row"
        return {
            "technique": "redaction" if texts else named,
            "parameters": self.guarantee.as_json(),
            "counts": "data subjects" if self.subject is not None else "rows",
            "tabular_technique": named,
            "not_covered": texts,
            "assess": ["singling out", "linkability", "inference"],
        }

    def as_json(self) -> dict[str, Any]:
        """Everything, values included: to be sealed."""
        limits = self.time_range
        return {
            "columns": [_column_json(column) for column in self.columns],
            "guarantee": self.guarantee.as_json(),
            "method": str(self.method),
            "format": str(self.format),
            "filter": self.filter.as_json() if self.filter.node else None,
            "time_range": limits and {"field": limits.field, "start": _iso(limits.start), "end": _iso(limits.end)},
            "target": self.target,
            "retention_days": self.retention_days,
        }

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        limits = stored["time_range"]
        return cls(
            columns=tuple(_column_of(one) for one in stored["columns"]),
            guarantee=Guarantee.of(stored["guarantee"]),
            method=Method(stored["method"]),
            format=ExportFormat(stored["format"]),
            filter=parse_filter(stored["filter"]),
            time_range=limits and TimeRange(limits["field"], _moment(limits["start"]), _moment(limits["end"])),
            target=stored["target"],
            retention_days=stored["retention_days"],
        )


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _column_json(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "role": str(column.role),
        "transformation": str(column.transformation) if column.transformation else None,
        "precision": column.precision,
        "entities": list(column.entities),
        "is_ordered": column.is_ordered,
        "pointer": column.pointer,
        "hierarchy": column.hierarchy.as_json(),
    }


def _column_of(stored: Mapping[str, Any]) -> Column:
    how = stored["transformation"]
    return Column(
        name=stored["name"],
        role=Role(stored["role"]),
        transformation=Transformation(how) if how else None,
        precision=stored["precision"],
        entities=tuple(stored["entities"]),
        is_ordered=stored["is_ordered"],
        pointer=stored.get("pointer", ""),
        hierarchy=HierarchyPlan.of(stored["hierarchy"]),
    )


def require_sound(options: GuaranteedOptions) -> None:
    """Raises InvalidInput, saying which column contradicts itself or which role is missing."""
    problems = [
        FieldProblem(field=f"/columns/{place}", detail=text)
        for place, column in enumerate(options.columns)
        if (text := _problem(column))
    ]
    names = [column.name for column in options.columns]
    if len(set(names)) < len(names) or ROW_ID in names:
        problems.append(FieldProblem("/columns", f"every column is declared once, and none is called {ROW_ID}"))
    if not 1 <= len(options.of_role(Role.QUASI)) <= MAX_QUASI:
        problems.append(FieldProblem("/columns", f"a guarantee needs 1 to {MAX_QUASI} quasi-identifiers"))
    if len(options.of_role(Role.SUBJECT)) > 1:
        problems.append(FieldProblem("/columns", "one column says whom a row is about"))
    wants_values = options.guarantee.diversity is not None or options.guarantee.t is not None
    if wants_values and not options.of_role(Role.SENSITIVE):
        problems.append(FieldProblem("/columns", "l and t need a sensitive column"))
    if problems:
        raise InvalidInput(errors=problems)


_FITTING: Final[Mapping[Transformation, Sequence[Role]]] = {
    Transformation.PSEUDONYMIZE: (Role.IDENTIFIER, Role.SUBJECT),
    Transformation.TRUNCATE: (Role.QUASI, Role.SENSITIVE, Role.INSENSITIVE),
    Transformation.REDACT: (Role.TEXT,),
}


def _problem(column: Column) -> str:
    how = column.transformation
    if how is not None and column.role not in _FITTING[how]:
        return f"{how} is for columns that are {' or '.join(_FITTING[how])}"
    if how is Transformation.TRUNCATE and column.precision not in {"hour", "day"}:
        return "truncate goes to the hour or to the day"
    return ""
