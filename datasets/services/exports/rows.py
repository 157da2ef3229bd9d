"""The rows of an export, from the reader's view of each record."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from datasets.formats.write_jsonl import row_line
from datasets.services.exports.options import ExportOptions
from datasets.services.exports.selection import Sorter
from datasets.services.read import ReadRecord, Release, read_records
from datasets.tree.digests import keyed_digest
from vaultsite.kernel.crypto.keys import SecretKey


class Row(NamedTuple):
    """One row: the id of its source record, the part it goes to, its members, and its JSON line without line feed.

    ``order`` is what rows written together are put in order by.
    """

    source_id: str
    part: str
    order: str
    members: dict[str, Any]
    line: bytes
    metadata: dict[str, Any]


class Passed(NamedTuple):
    """A record that is not part of the export."""

    source_id: str


class RowMaker:
    """Makes rows of records.

    In a raw export a row keeps its record's id. In every other it gets a fresh random one, made of the job's seed,
    also in place of whatever repeats the record's id, at any depth, and rows go in order of the fresh ids.
    """

    def __init__(self, release: Release, options: ExportOptions, seed: SecretKey, *, limit: int | None) -> None:
        self._release = release
        self._options = options
        self._limit = limit
        self._sorter = Sorter(options.split)
        self._matches: Callable[[Any], bool] | None = options.filter.matches if options.filter.node else None
        self._fresh = keyed_digest(seed.derive(b"export ids"))

    def rows(self, after: str | None) -> Iterator[Row | Passed]:
        """A row, or the note that there is none, for each record in order of source id."""
        for record in read_records(self._release, after=after):
            yield self._row(record) if self.is_chosen(record) else Passed(record.id)

    def is_chosen(self, record: ReadRecord) -> bool:
        """Whether filter and sample take the record, as its reader sees it."""
        if self._matches is not None and not self._matches(
            {"id": record.id, "data": record.data, "metadata": record.metadata}
        ):
            return False
        sample = self._options.sample
        return sample is None or self._limit is None or sample.place(record.id) < self._limit

    def members(self, record: ReadRecord, row_id: str) -> dict[str, Any]:
        """What is written of a record."""
        data, metadata = record.data, record.metadata
        if row_id != record.id:
            data, metadata = (_renamed(each, record.id, row_id) for each in (data, metadata))
        if self._options.fields:
            data = {name: data[name] for name in self._options.fields if name in data}
        return {"id": row_id, "data": data, "metadata": metadata} if self._options.envelope else data

    def row_id(self, record_id: str) -> str:
        """The id a record goes by in this export."""
        return record_id if self._release.is_raw else self._fresh(record_id.encode()).hex()

    def _row(self, record: ReadRecord) -> Row:
        row_id = self.row_id(record.id)
        members = self.members(record, row_id)
        part = self._sorter.part_of(record.id)
        metadata = record.metadata if row_id == record.id else _renamed(record.metadata, record.id, row_id)
        return Row(record.id, part, row_id, members, row_line(members)[:-1], metadata)


def _renamed(value: Any, record_id: str, row_id: str) -> Any:
    """The value with the fresh id wherever it repeats the record's."""
    if isinstance(value, dict):
        return {name: _renamed(below, record_id, row_id) for name, below in value.items()}
    if isinstance(value, list):
        return [_renamed(below, record_id, row_id) for below in value]
    repeats = isinstance(value, str | int) and not isinstance(value, bool) and str(value) == record_id
    return row_id if repeats else value
