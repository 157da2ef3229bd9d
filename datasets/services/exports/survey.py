"""The first pass over the rows, for exports that must know them all before the first can be written."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import orjson

from datasets.formats.write_columns import Columns, ColumnType
from datasets.services.exports.options import ExportOptions
from datasets.services.exports.rows import RowMaker
from datasets.services.read import Release, read_records
from vaultsite.kernel.crypto.keys import SecretKey


@dataclass(frozen=True)
class Survey:
    """Names and types of the columns, and below which place a row is in the sample (None: no sample)."""

    columns: dict[str, ColumnType]
    limit: int | None

    def encode(self) -> bytes:
        # A limit has 65 bits: text, since JSON numbers end earlier.
        return orjson.dumps({"columns": list(self.columns.items()), "limit": str(self.limit or "")})

    @classmethod
    def decode(cls, stored: bytes) -> Self:
        content = orjson.loads(stored)
        columns = {name: ColumnType(kind) for name, kind in content["columns"]}
        return cls(columns, int(content["limit"]) if content["limit"] else None)


def survey(release: Release, options: ExportOptions, seed: SecretKey, *, beat: Callable[[int], None]) -> Survey:
    """Look at every row once, in bounded memory. ``beat`` is told how many records were read.

    Columns are those of all rows before a sample by size is drawn. Raises TooManyColumns, NotScanned.
    """
    sample = options.sample
    by_size = sample.size if sample else 0
    limit = sample.limit() if sample and not by_size else None
    maker = RowMaker(release, options, seed, limit=limit)
    columns, lowest = Columns(), list[int]()
    if not options.needs_survey:
        return Survey(_known_columns(options), limit)
    for number, record in enumerate(read_records(release), start=1):
        beat(number)
        if not maker.is_chosen(record):
            continue
        if sample and by_size:
            _keep_lowest(lowest, sample.place(record.id), by_size + 1)
        if options.needs_columns:
            columns.see(maker.members(record, maker.row_id(record.id)))
    if sample and by_size:
        limit = sample.limit([-place for place in lowest])
    return Survey(columns.types() if options.needs_columns else _known_columns(options), limit)


def _known_columns(options: ExportOptions) -> dict[str, ColumnType]:
    names = ("id", "data", "metadata") if options.envelope else options.fields
    return dict.fromkeys(names, ColumnType.JSON)


def _keep_lowest(heap: list[int], place: int, size: int) -> None:
    """``heap`` holds the lowest ``size`` places, negated."""
    if len(heap) < size:
        heapq.heappush(heap, -place)
    else:
        heapq.heappushpop(heap, -place)
