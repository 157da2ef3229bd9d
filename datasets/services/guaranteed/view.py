"""What of a record goes into the table: quasi-identifiers and sensitive values as they are, since the guarantee is what
covers them; everything else no more than its asker may see, and personal data in it cut out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import orjson

from anonymization.findings import ACT_FROM, Finding, escape_token
from anonymization.operators.strategy import make_strategy
from anonymization.services.anonymize import apply
from anonymization.services.anonymizer import Anonymizer
from anonymization.services.releases import subject_key
from datasets.query.ast import parse_path
from datasets.query.evaluate import MISSING, value_at
from datasets.services.guaranteed.options import Column, GuaranteedOptions, Role, TimeRange, Transformation
from datasets.services.read import ReadRecord, Release
from vaultsite.kernel.crypto.keys import SecretKey

#: Text that stands in a column of values is withheld beyond this length: it is free text, which carries no guarantee.
LONGEST_VALUE: Final = 100
#: What a cell of a column holds: text or a number, None for nothing.
Cell = str | int | float | bool | None
#: Operators whose result shows no less than cutting personal data out.
_MILDER: Final = frozenset({"mask", "redact", "replace", "hash"})
#: What a point in time is found as; a date of birth is not.
_MOMENT: Final = "DATE_TIME"


class RowMaker:
    """Makes one row of each record that is chosen: whom it is about, as the release ledger names people (without a
    subject column: the record itself), then a cell for each declared column.
    """

    def __init__(self, options: GuaranteedOptions, reader: Release, *, pseudonyms: SecretKey, names: SecretKey) -> None:
        """``pseudonyms`` is this export's own key, ``names`` the one under which the release ledger knows people."""
        self._options = options
        self._reader = reader
        self._pseudonyms = pseudonyms
        self._names = names
        self._anonymizer = _cutting(reader)
        column = options.subject
        self._subject_at = parse_path(column.pointer) if column is not None and column.pointer else None
        # Cutting out what was found is not all of a view: it may hide fields that a schema or a rule names.
        is_mild = reader.operator in _MILDER and reader.anonymizer.acts_on_findings_alone
        self._strict = not reader.is_raw and not is_mild
        self._withheld = frozenset({Role.INSENSITIVE, Role.TEXT})
        self.counts = {"withheld_values": 0, "redacted_values": 0}

    def row(self, record: ReadRecord) -> list[Cell] | None:
        """None where filter or time range leave the record out."""
        plain = {"data": record.data, "metadata": record.metadata}
        if not self._is_chosen(record, plain):
            return None
        shown = self._anonymizer.show(plain, record.findings) if self._strict else plain
        return [self._whose(record), *(self._cell(column, record, shown) for column in self._options.columns)]

    def _is_chosen(self, record: ReadRecord, plain: Mapping[str, Any]) -> bool:
        """By filter and time range on the asker's view: which rows there are would tell what it hides."""
        wanted, limits = self._options.filter, self._options.time_range
        if wanted.node is None and limits is None:
            return True
        view = self._reader.anonymizer.show(plain, record.findings)
        if wanted.node is not None and not wanted.matches({"id": record.id, **view}):
            return False
        return limits is None or _is_within(self._with_moments(record, plain, view)["data"], limits)

    def _with_moments(self, record: ReadRecord, plain: Mapping[str, Any], view: Mapping[str, Any]) -> Mapping[str, Any]:
        """The view with moments that are nothing but moments, which whole days blur; a policy hides those as well."""
        if self._reader.operator not in _MILDER:
            return view
        found = [one for one in record.findings if one.entity_type != _MOMENT]
        return self._reader.anonymizer.show(plain, found)

    def _whose(self, record: ReadRecord) -> str:
        column = self._options.subject
        # Rows that name nobody are taken to be about one and the same.
        text = f"record\0{record.id}" if column is None else f"person\0{_text(self._subject(column, record))}"
        return subject_key(self._names, text).hex()

    def _subject(self, column: Column, record: ReadRecord) -> Any:
        if self._subject_at is None:
            return value_of(record.data, column.name)
        value = value_at({"data": record.data, "metadata": record.metadata}, self._subject_at)
        return None if value is MISSING else value

    def _cell(self, column: Column, record: ReadRecord, view: Mapping[str, Any]) -> Cell:
        shown = view if self._strict and column.role in self._withheld else {"data": record.data}
        is_subject = column.role is Role.SUBJECT
        value = self._subject(column, record) if is_subject else value_of(shown["data"], column.name)
        if value is None:
            return None
        if column.role in {Role.IDENTIFIER, Role.SUBJECT}:
            return self._named(column, value)
        if column.transformation is Transformation.TRUNCATE:
            return self._kept(truncated(value, column.precision))
        if column.role is Role.QUASI:
            return self._kept(value if isinstance(value, str | int | float) else None)
        return self._safe(column, record, value)

    def _named(self, column: Column, value: Any) -> str:
        """A keyed hash of which only this export has the key: no two exports can be joined by it."""
        return self._pseudonyms.mac(f"{column.name}\0{_text(value)}".encode()).hex()[:32]

    def _safe(self, column: Column, record: ReadRecord, value: Any) -> Cell:
        """A value without the personal data found in it. What is nested, or as long as a text, is no value."""
        found = [one for one in record.findings if one.score >= ACT_FROM and is_below(one.pointer, column.name)]
        if column.entities and self._reader.is_raw:  # others are shown none, whichever they name
            found = [one for one in found if one.entity_type in column.entities or one.part == "key"]
        if found and not (self._strict and column.role in self._withheld):
            value = value_of(_redacted(record, found)["data"], column.name)
            self.counts["redacted_values"] += 1
        if column.role is Role.TEXT:
            return _text(value)
        is_value = isinstance(value, str | int | float) and not (isinstance(value, str) and len(value) > LONGEST_VALUE)
        return self._kept(value if is_value else None)

    def _kept(self, value: Cell) -> Cell:
        if value is None:
            self.counts["withheld_values"] += 1
        return value


def _cutting(reader: Release) -> Anonymizer:
    """The reader's view, but with what a milder operator would show parts of cut out."""
    if reader.operator not in _MILDER:
        return reader.anonymizer
    return replace(reader.anonymizer, floor=make_strategy("redact"), _chosen={})


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def value_of(data: Mapping[str, Any], name: str) -> Any:
    """The member of that name, or of that path with dots; None where there is none."""
    if name in data:
        return data[name]
    at: Any = data
    for part in name.split("."):
        if not isinstance(at, Mapping) or part not in at:
            return None
        at = at[part]
    return at


def is_below(pointer: str, name: str) -> bool:
    """Whether a finding lies in the column."""
    places = {f"/data/{escape_token(name)}", "/data/" + "/".join(map(escape_token, name.split(".")))}
    return any(pointer == place or pointer.startswith(f"{place}/") for place in places)


def _redacted(record: ReadRecord, found: Sequence[Finding]) -> dict[str, Any]:
    return apply({"data": record.data, "metadata": record.metadata}, found, operator="redact")


_STEPS: Final[Mapping[str, Callable[[datetime], str]]] = {
    "hour": lambda at: at.replace(minute=0, second=0, microsecond=0).isoformat(),
    "day": lambda at: at.date().isoformat(),
}


def truncated(value: Any, precision: str) -> str | None:
    """An ISO 8601 moment cut to the hour or the day; None for everything else: what is no moment is withheld."""
    at = _moment(value)
    return None if at is None else _STEPS[precision](at)


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _is_within(data: Mapping[str, Any], limits: TimeRange) -> bool:
    """By whole days: a range never tells apart what happened on one day."""
    at = _moment(value_of(data, limits.field))
    if at is None:
        return False
    day = at.date()
    return (limits.start is None or day >= limits.start.date()) and (limits.end is None or day <= limits.end.date())
