"""Files of an export: parts of bounded size, sealed one by one, read back from any byte."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Self
from uuid import UUID

from datasets.models import Blob, BlobKind, BlobState
from datasets.services.keys import DatasetKeys
from datasets.services.temporary import read_frames, write_temporary
from vaultsite.kernel.errors import BlobMissing, IntegrityFailure
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: Plaintext bytes of one frame: what a download opens at a time.
FRAME_BYTES: Final = 256 * 1024
#: A part's sequence number is SLOTS times its number, plus the index of its file.
SLOTS: Final = 4
PASSPORT: Final = "passport.json"
PASSPORT_SEQUENCE: Final = SLOTS - 1
PASSPORT_TYPE: Final = "application/json"


@dataclass(frozen=True)
class StoredFile:
    """A finished file. ``parts`` are (blob id, bytes) in order; ``is_packed``: they are compressed at rest."""

    name: str
    part: str
    media_type: str
    bytes: int
    sha256: str
    rows: int
    is_packed: bool
    parts: tuple[tuple[str, int], ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        parts = tuple((blob, size) for blob, size in stored["parts"])
        return cls(**{**stored, "parts": parts})


def write_part(keys: DatasetKeys, job: UUID, *, sequence: int, body: bytes, is_packed: bool) -> Blob:
    """Seal ``body``. Raises JobFenced when the export was withdrawn meanwhile."""
    frames = (body[start : start + FRAME_BYTES] for start in range(0, len(body), FRAME_BYTES))
    return write_temporary(keys, kind=BlobKind.EXPORT, job=job, sequence=sequence, frames=frames, compress=is_packed)


def drop_unnamed(job: UUID, number: int) -> None:
    """In the open scope: give up what was written after the last checkpoint; it is written again."""
    beyond = Blob.objects.filter(job=job, kind=BlobKind.EXPORT, sequence__gte=(number + 1) * SLOTS)
    beyond.update(state=BlobState.DEAD)
    Blob.objects.filter(job=job, kind=BlobKind.EXPORT, sequence=PASSPORT_SEQUENCE).update(state=BlobState.DEAD)


def parts_of(job: UUID) -> dict[int, Blob]:
    """In the open scope: the parts by sequence number.

    A worker that lost its claim may have written a part once more; equal sequence numbers hold equal bytes.
    """
    rows = Blob.objects.filter(job=job, kind=BlobKind.EXPORT, state=BlobState.SEALED).order_by("pk")
    return {blob.sequence: blob for blob in rows}


def measure(keys: DatasetKeys, parts: Sequence[Blob], *, is_packed: bool) -> tuple[str, list[int]]:
    """SHA-256 of the parts one after the other, in hex, and the bytes of each."""
    digest, sizes = hashlib.sha256(), []
    for blob in parts:
        size = 0
        for frame in read_frames(keys, blob, compressed=is_packed):
            digest.update(frame)
            size += len(frame)
        sizes.append(size)
    return digest.hexdigest(), sizes


def read_file(keys: DatasetKeys, file: StoredFile, *, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
    """Bytes ``start`` to ``stop`` (excluded) of a file, opened as they are asked for. Needs no open scope.

    Raises BlobMissing when the files were removed in the meantime, IntegrityFailure.
    """
    at, end = 0, file.bytes if stop is None else stop
    for blob_id, size in file.parts:
        if at + size > start and at < end:
            for frame in _opened(keys, blob_id, size, is_packed=file.is_packed):
                wanted = frame[max(start - at, 0) : max(end - at, 0)]
                if wanted:
                    yield wanted
                at += len(frame)
        else:
            at += size


def _opened(keys: DatasetKeys, blob_id: str, size: int, *, is_packed: bool) -> Iterator[bytes]:
    with tenant_scope(keys.tenant_id, Principal.system(keys.tenant_id)):
        blob = Blob.objects.filter(pk=blob_id, state=BlobState.SEALED).first()
    if blob is None:
        raise BlobMissing("A part of the export was removed")
    seen = 0
    for frame in read_frames(keys, blob, compressed=is_packed):
        seen += len(frame)
        yield frame
    if seen != size:
        raise IntegrityFailure("A part of the export has another size than it was written with")
