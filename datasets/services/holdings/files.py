"""What uploads leave: files under way with their sorted runs, and reports of the lines they rejected."""

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from datasets.models import Blob, BlobKind, BlobState, Ingest
from datasets.services.holdings.piece import Block, Piece
from datasets.services.pack_reader import PackReader
from datasets.services.places import FAULTS
from datasets.services.temporary import read_frames

#: Bytes at the end of one frame that are read again before the next: what is longer is not found across two frames.
_OVERLAP: Final = 512


def read_rejects(reader: PackReader, after: UUID | None) -> Iterator[Block]:
    yield from _read(reader, after, BlobKind.REPORT, compressed=True)


def read_uploads(reader: PackReader, after: UUID | None) -> Iterator[Block]:
    yield from _read(reader, after, BlobKind.PART, compressed=False)


def _read(reader: PackReader, after: UUID | None, kind: BlobKind, *, compressed: bool) -> Iterator[Block]:
    rows = Blob.objects.filter(
        dataset_id=reader.keys.dataset_id, kind=kind, state=BlobState.SEALED, secret__isnull=False
    ).order_by("pk")
    while True:
        with reader.scope():
            blob = (rows if after is None else rows.filter(pk__gt=after)).first()
        if blob is None:
            return
        yield from _blocks(reader, blob, compressed=compressed)
        after = blob.pk


def _blocks(reader: PackReader, blob: Blob, *, compressed: bool) -> Iterator[Block]:
    """One block a frame; a search that is interrupted begins this file again."""
    before, tail = UUID(int=blob.pk.int - 1), b""
    try:
        for frame in read_frames(reader.keys, blob, compressed=compressed):
            text = tail + frame
            yield Block(before, [Piece(blob.job or blob.pk, "", text)])
            tail = text[-_OVERLAP:]
    except FAULTS:
        yield Block(blob.pk, [], unreadable=1)


def remove_rejects(ingest_id: UUID) -> int:
    """Give up the reports of rejected lines of an upload, in the open scope; returns how many objects.

    Without their secret they are unreadable once the scope commits; the sweep removes them from the store.
    """
    ingest = Ingest.objects.select_for_update().filter(pk=ingest_id).first()
    gone = Blob.objects.filter(job=ingest_id, kind=BlobKind.REPORT).update(
        state=BlobState.DEAD, secret=None, key_id=None
    )
    if ingest is not None and gone:
        ingest.checkpoint.pop("reports", None)
        ingest.save(update_fields=["checkpoint"])
    return gone
