"""Records that lie beside the tree: staged in drafts, quarantined, put into conflicts by hand, quoted by feedback."""

from collections.abc import Callable, Iterator
from typing import Any, Final
from uuid import UUID

from django.db.models import Model, QuerySet

from access.services.keyring import open_column
from anonymization.models import DetectionCase, FindingFeedback
from anonymization.services.cases import SEALED_AS as SEALED_CASE
from anonymization.services.feedback import SEALED_AS as SEALED_FEEDBACK
from datasets.models import MergeConflict, QuarantinedRecord, StagedRecord
from datasets.services.drafts.staged import open_staged
from datasets.services.holdings.piece import Block, Piece
from datasets.services.merges.resolutions import open_resolution
from datasets.services.pack_reader import PackReader
from datasets.services.record_quarantine import KIND as QUARANTINED
from vaultsite.kernel.errors import IntegrityFailure, UnsupportedSealing

_ROWS: Final = 128


def read_staged(reader: PackReader, after: UUID | None) -> Iterator[Block]:
    rows = StagedRecord.objects.filter(dataset_id=reader.keys.dataset_id, body__isnull=False)

    def opened(row: StagedRecord) -> Piece:
        entry = open_staged(reader.keys, row)
        return Piece(row.draft_id, row.record_id, entry.canonical if entry else b"")

    yield from _read(reader, rows, after, opened)


def read_quarantined(reader: PackReader, after: UUID | None) -> Iterator[Block]:
    rows = QuarantinedRecord.objects.filter(dataset_id=reader.keys.dataset_id, body__isnull=False)

    def opened(row: QuarantinedRecord) -> Piece:
        text = reader.keys.open(QUARANTINED, row.pk.bytes, bytes(row.secret or b""), bytes(row.body or b""))
        return Piece(row.pk, row.record_id, text)

    yield from _read(reader, rows, after, opened)


def read_resolutions(reader: PackReader, after: UUID | None) -> Iterator[Block]:
    rows = MergeConflict.objects.filter(merge__dataset_id=reader.keys.dataset_id, record__isnull=False)

    def opened(row: MergeConflict) -> Piece:
        return Piece(row.merge_id, row.record_id, open_resolution(reader.keys, row) or b"")

    yield from _read(reader, rows, after, opened)


def read_feedback(reader: PackReader, after: UUID | None) -> Iterator[Block]:
    """What people said of findings; ids of feedback and of test cases are in one order."""
    rows = FindingFeedback.objects.filter(dataset_id=reader.keys.dataset_id)
    yield from _read(reader, rows, after, lambda row: _quoted(row, SEALED_FEEDBACK))


def read_cases(reader: PackReader, after: UUID | None) -> Iterator[Block]:
    rows = DetectionCase.objects.filter(dataset_id=reader.keys.dataset_id)
    yield from _read(reader, rows, after, lambda row: _quoted(row, SEALED_CASE))


def _quoted(row: Any, kind: str) -> Piece:
    return Piece(row.pk, row.record_id, open_column(kind, row.pk.bytes, bytes(row.sealed)))


def _read(
    reader: PackReader, rows: QuerySet[Any, Any], after: UUID | None, opened: Callable[[Any], Piece]
) -> Iterator[Block]:
    rows = rows.order_by("pk")
    while True:
        with reader.scope():
            found: list[Model] = list((rows if after is None else rows.filter(pk__gt=after))[:_ROWS])
            pieces, unreadable = _opened(found, opened)
        if found:
            after = found[-1].pk
            yield Block(after, pieces, unreadable)
        if len(found) < _ROWS:
            return


def _opened(rows: list[Model], opened: Callable[[Any], Piece]) -> tuple[list[Piece], int]:
    pieces, unreadable = [], 0
    for row in rows:
        try:
            pieces.append(opened(row))
        except (IntegrityFailure, UnsupportedSealing):
            unreadable += 1
    return pieces, unreadable
