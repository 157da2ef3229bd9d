"""Every record of every version, branch and unfinished build: chunk by chunk, each once however many share it."""

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from datasets.errors import CorruptTree, TreeObjectMissing
from datasets.errors.upkeep import DataCorruption
from datasets.models import Chunk, ObjectKind
from datasets.services.holdings.piece import Block, Piece
from datasets.services.pack_reader import PackReader
from datasets.services.places import FAULTS, Place, open_body, places_of
from datasets.tree.chunk import ChunkCodec
from vaultsite.kernel.blobs import BlobStore

_ROWS: Final = 64


def read_chunks(reader: PackReader, after: UUID | None) -> Iterator[Block]:
    """One block a chunk. Chunks that come while it reads have later ids, and so are read too."""
    rows = Chunk.objects.filter(dataset_id=reader.keys.dataset_id, kind=ObjectKind.CHUNK).order_by("pk")
    codec, blobs = ChunkCodec(), BlobStore.at(reader.keys.store)
    while True:
        with reader.scope():
            places = places_of((rows if after is None else rows.filter(pk__gt=after))[:_ROWS])
        for place in places:
            yield _block(reader, codec, blobs, place)
        if len(places) < _ROWS:
            return
        after = places[-1].pk


def _block(reader: PackReader, codec: ChunkCodec, blobs: BlobStore, place: Place) -> Block:
    try:
        chunk = codec.decode(_body(reader, blobs, place))
    except (DataCorruption, TreeObjectMissing, CorruptTree):
        return Block(place.pk, [], unreadable=1)
    of = reader.keys.dataset_id
    return Block(place.pk, [Piece(of, name, line) for name, line in zip(chunk.ids, chunk.lines, strict=True)])


def _body(reader: PackReader, blobs: BlobStore, place: Place) -> bytes:
    """From where it lay when it was looked up, else from where it is now."""
    try:
        return open_body(reader.keys, blobs, place)
    except FAULTS:
        return reader.load(place.digest).body
