"""The rows of an upload, whatever its format: parsed, named, and of the shape it was declared or found to have."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from django.conf import settings

from datasets.errors import RefusedFile, ShapeMismatch
from datasets.formats.csv import read_csv
from datasets.formats.decompress import Limits, decompressed, read_head
from datasets.formats.ids import IdRule
from datasets.formats.jsonl import read_jsonl
from datasets.formats.key_fields import KeyFields
from datasets.formats.parquet.reader import read_parquet
from datasets.formats.parquet.wire import Bounds
from datasets.formats.rows import RawRecord, Rejected
from datasets.formats.shapes.recognize import SHAPES, recognize
from datasets.formats.sniff import recognize_format
from datasets.models import Blob, IdMode, Ingest, IngestFormat, IngestMode, RecordShape
from datasets.services.ingest.random_access import SealedUpload
from datasets.services.ingest.receive import read_parts
from datasets.services.keys import DatasetKeys

#: Records looked at to recognize their shape.
SHAPE_SAMPLE: Final = 64

_ID_KEY: Final = b"record id"

Row = RawRecord | Rejected


@dataclass(frozen=True)
class Recognized:
    """What the file turned out to be: the format, and the shape its records are held to (``any``: none)."""

    format: IngestFormat
    shape: RecordShape


def read_rows(
    ingest: Ingest, keys: DatasetKeys, parts: Sequence[Blob], *, after: int = 0
) -> tuple[Recognized, Iterator[Row]]:
    """What the file is, and its rows with a line beyond ``after`` in file order, bad ones as Rejected.

    What the ingest says was recognized before is not asked again: it goes on as it began. Raises RefusedFile and
    WrongEncoding, at once or while reading.
    """
    form = IngestFormat(ingest.recognized_format or _format_of(ingest, keys, parts))
    rows: Iterator[Row] = (row for row in _parsed(form, ingest, keys, parts, after) if row.line > after)
    shape = ingest.recognized_shape or ingest.shape
    if shape == RecordShape.AUTO:
        sample = list(islice(rows, SHAPE_SAMPLE))
        shape = recognize(row.data for row in sample if isinstance(row, RawRecord)) or RecordShape.ANY
        rows = chain(sample, rows)
    found = Recognized(form, RecordShape(shape))
    return found, (rows if found.shape == RecordShape.ANY else _held_to(found.shape, rows))


def _format_of(ingest: Ingest, keys: DatasetKeys, parts: Sequence[Blob]) -> str:
    if ingest.format != IngestFormat.AUTO:
        return ingest.format
    head, _ = read_head(_decoded(keys, parts))
    return recognize_format(head)


def _decoded(keys: DatasetKeys, parts: Sequence[Blob]) -> Iterator[bytes]:
    return decompressed(read_parts(keys, parts), Limits(decoded_bytes=settings.MAX_UPLOAD_BYTES))


def _parsed(form: IngestFormat, ingest: Ingest, keys: DatasetKeys, parts: Sequence[Blob], after: int) -> Iterator[Row]:
    rule, largest = id_rule(ingest, keys), settings.MAX_RECORD_BYTES
    if form == IngestFormat.PARQUET:
        return read_parquet(
            SealedUpload(keys, parts, ingest.received_bytes),
            ids=rule,
            skip=after,
            limits=Limits(decoded_bytes=settings.MAX_UPLOAD_BYTES),
            bounds=Bounds(record_bytes=largest),
        )
    blocks = _CountedLines(_decoded(keys, parts))
    if form == IngestFormat.CSV:
        return blocks.guard(read_csv(blocks, ids=rule, max_record_bytes=largest))
    return blocks.guard(read_jsonl(blocks, ids=rule, envelope=ingest.envelope, max_record_bytes=largest))


def id_rule(ingest: Ingest, keys: DatasetKeys) -> IdRule:
    """How the records of this upload get their ids; an upsert needs one from the file for each."""
    secret = keys.content.derive(_ID_KEY)
    return IdRule(
        field=ingest.id_field or "id",
        required=bool(ingest.id_field) or ingest.mode == IngestMode.UPSERT,
        hash_key=secret if ingest.id_mode == IdMode.HASH else None,
        key=KeyFields.of(ingest.key, secret) if ingest.key else None,
    )


def _held_to(name: RecordShape, rows: Iterable[Row]) -> Iterator[Row]:
    """The rows, those that have not the shape as Rejected."""
    shape = SHAPES[name]
    for row in rows:
        problem = shape.problem_in(row.data) if isinstance(row, RawRecord) else None
        if problem is None or isinstance(row, Rejected):
            yield row
        else:
            error = ShapeMismatch(problem.rule, reason=problem.reason, line=row.line, pointer=problem.pointer)
            yield Rejected.of(error, row.canonical)


class _CountedLines:
    """Decoded blocks that count their lines, so that damage to the file can be reported with one."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self.line = 1

    def __iter__(self) -> Iterator[bytes]:
        for block in self._blocks:
            yield block
            self.line += block.count(b"\n")

    def guard(self, rows: Iterator[Row]) -> Iterator[Row]:
        try:
            yield from rows
        except RefusedFile as error:
            if error.line is not None:
                raise
            raise error.at_line(self.line) from None
