"""Sealed temporary objects of an ingest: parts of the upload, sorted runs, reject reports.

Each has its row before it has bytes, and is a sequence of frames: u32be length, then that many sealed bytes. A frame is
bound to its blob and its number, so none can be dropped, repeated or moved unnoticed.
"""

import secrets
import struct
from collections.abc import Iterable, Iterator
from typing import Final
from uuid import UUID

import zstandard

from datasets.models import Blob, BlobKind, BlobState
from datasets.services.keys import DatasetKeys
from datasets.services.residency import require_store
from vaultsite.kernel.blobs import BlobStore, new_blob_name
from vaultsite.kernel.crypto.aead import overhead
from vaultsite.kernel.errors import IntegrityFailure, JobFenced
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

_LENGTH: Final = struct.Struct(">I")
_LAST: Final = 1 << 31
#: Read-ahead when frames are streamed, bytes.
_WINDOW: Final = 64 * 1024


def write_temporary(
    keys: DatasetKeys, *, kind: BlobKind, job: UUID, sequence: int, frames: Iterable[bytes], compress: bool = True
) -> Blob:
    """Store ``frames`` as one sealed object of ``job``. Opens a short scope of its own; durable when it returns."""
    blob = Blob(
        tenant_id=keys.tenant_id,
        dataset_id=keys.dataset_id,
        store=keys.store,
        name=new_blob_name(kind.value),
        kind=kind,
        job=job,
        sequence=sequence,
        key_id=keys.key_id,
        secret=secrets.token_bytes(32),
    )
    with tenant_scope(keys.tenant_id, Principal.system(keys.tenant_id)):
        blob.save(force_insert=True)
    body = b"".join(_framed(keys, blob, frames, compress=compress))
    store = BlobStore.at(keys.store)
    store.put(blob.name, body)
    blob.size, blob.state = len(body), BlobState.SEALED
    with tenant_scope(keys.tenant_id, Principal.system(keys.tenant_id)):
        stored = Blob.objects.filter(pk=blob.pk, state=BlobState.WRITING).update(size=blob.size, state=blob.state)
    if not stored:
        store.delete(blob.name)  # the job ended in the meantime and took the row with it
        raise JobFenced
    return blob


def _framed(keys: DatasetKeys, blob: Blob, frames: Iterable[bytes], *, compress: bool) -> Iterator[bytes]:
    compressor = zstandard.ZstdCompressor(level=1)
    assert blob.secret is not None
    secret = bytes(blob.secret)
    number = 0
    for number, frame in enumerate(frames, start=1):
        plain = compressor.compress(frame) if compress else frame
        sealed = keys.seal("frame", _frame_id(blob, number), secret, plain)
        yield _LENGTH.pack(len(sealed)) + sealed
    closing = keys.seal("frame", _frame_id(blob, number + 1), secret, b"")
    yield _LENGTH.pack(len(closing) | _LAST) + closing


def _frame_id(blob: Blob, number: int) -> bytes:
    return blob.id.bytes + struct.pack(">Q", number)


def read_frames(keys: DatasetKeys, blob: Blob, *, compressed: bool = True) -> Iterator[bytes]:
    """The frames of a temporary object, in bounded memory.

    Raises IntegrityFailure, BlobMissing, OutsideRegion.
    """
    assert blob.secret is not None
    secret = bytes(blob.secret)
    decompressor = zstandard.ZstdDecompressor()
    stream = _Window(keys, blob)
    number = 0
    while True:
        number += 1
        (length,) = _LENGTH.unpack(stream.take(_LENGTH.size))
        plain = keys.open("frame", _frame_id(blob, number), secret, stream.take(length & ~_LAST))
        if length & _LAST:
            return
        yield decompressor.decompress(plain) if compressed else plain


def read_frame(keys: DatasetKeys, blob: Blob, *, number: int, frame_bytes: int, length: int) -> bytes:
    """Frame ``number`` (from 1) of ``length`` plaintext bytes; each frame before it has ``frame_bytes``.

    For objects that are not compressed. Raises IntegrityFailure, BlobMissing, OutsideRegion.
    """
    assert blob.secret is not None
    start = (number - 1) * (_LENGTH.size + frame_bytes + overhead(frame_bytes)) + _LENGTH.size
    sealed = _store_with(keys, blob).get_range(blob.name, start, length + overhead(length))
    return keys.open("frame", _frame_id(blob, number), bytes(blob.secret), sealed)


def _store_with(keys: DatasetKeys, blob: Blob) -> BlobStore:
    store = BlobStore.at(keys.store)
    require_store(blob.store, store)
    return store


class _Window:
    """Sequential reads of one blob through a read-ahead buffer."""

    def __init__(self, keys: DatasetKeys, blob: Blob) -> None:
        self._store = _store_with(keys, blob)
        self._name = blob.name
        self._size = self._store.size(blob.name)
        self._position = 0
        self._buffer = b""

    def take(self, length: int) -> bytes:
        missing = length - len(self._buffer)
        if missing > 0:
            wanted = min(max(missing, _WINDOW), self._size - self._position)
            if wanted < missing:
                raise IntegrityFailure("A temporary object is cut off")
            self._buffer += self._store.get_range(self._name, self._position, wanted)
            self._position += wanted
        taken, self._buffer = self._buffer[:length], self._buffer[length:]
        return taken
