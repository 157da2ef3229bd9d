"""Take an upload in: every block is sealed before it touches a disk."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final
from uuid import UUID

from datasets.errors import EmptyUpload
from datasets.models import Blob, BlobKind
from datasets.services.keys import DatasetKeys
from datasets.services.temporary import read_frames, write_temporary

#: Plaintext bytes of one stored part; what a killed upload can lose of memory, and what a worker reads at a time.
PART_BYTES: Final = 4 * 1024 * 1024
#: Plaintext bytes of every frame but an upload's last, so that where a byte lies can be told by counting.
FRAME_BYTES: Final = 256 * 1024


@dataclass(frozen=True)
class Received:
    """An upload that is wholly on disk, sealed."""

    job: UUID
    part_count: int
    size: int


def receive_parts(keys: DatasetKeys, job: UUID, body: Iterable[bytes]) -> Received:
    """Seal ``body`` into parts of about 4 MiB owned by ``job``. Raises EmptyUpload for no bytes at all."""
    count, size = 0, 0
    for count, part in enumerate(_parts(body), start=1):
        size += sum(map(len, part))
        write_temporary(keys, kind=BlobKind.PART, job=job, sequence=count, frames=part, compress=False)
    if not size:
        raise EmptyUpload
    return Received(job=job, part_count=count, size=size)


def _parts(body: Iterable[bytes]) -> Iterator[list[bytes]]:
    frames = _frames(body)
    while part := list(islice(frames, PART_BYTES // FRAME_BYTES)):
        yield part


def _frames(body: Iterable[bytes]) -> Iterator[bytes]:
    left = b""
    for block in body:
        left = left + block if left else block
        whole = len(left) - len(left) % FRAME_BYTES
        for start in range(0, whole, FRAME_BYTES):
            yield left[start : start + FRAME_BYTES]
        left = left[whole:]
    if left:
        yield left


def read_parts(keys: DatasetKeys, parts: Iterable[Blob]) -> Iterator[bytes]:
    """The upload's bytes as they came."""
    for part in parts:
        yield from read_frames(keys, part, compressed=False)
