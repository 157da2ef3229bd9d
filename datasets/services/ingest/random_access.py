"""An upload as a file that can be read anywhere, straight from its sealed parts."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from datasets.models import Blob
from datasets.services.ingest.receive import FRAME_BYTES, PART_BYTES
from datasets.services.keys import DatasetKeys
from datasets.services.temporary import read_frame

_FRAMES_A_PART: Final = PART_BYTES // FRAME_BYTES
#: Decrypted frames kept: 8 MiB.
_CACHED_FRAMES: Final = 32


class SealedUpload:
    """The plaintext of an upload, of which only a few frames are ever in memory and none on a disk."""

    def __init__(self, keys: DatasetKeys, parts: Sequence[Blob], size: int) -> None:
        self._keys = keys
        self._parts = parts
        self._size = size
        self._frame = lru_cache(maxsize=_CACHED_FRAMES)(self._open_frame)

    @property
    def size(self) -> int:
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        """Exactly these bytes. Raises ValueError beyond the end, IntegrityFailure, BlobMissing."""
        if offset < 0 or length < 0 or offset + length > self._size:
            raise ValueError("a range lies inside the file")
        if not length:
            return b""
        first, last = offset // FRAME_BYTES, (offset + length - 1) // FRAME_BYTES
        found = b"".join(self._frame(number) for number in range(first, last + 1))
        return found[offset - first * FRAME_BYTES :][:length]

    def _open_frame(self, number: int) -> bytes:
        part, place = divmod(number, _FRAMES_A_PART)
        length = min(FRAME_BYTES, self._size - number * FRAME_BYTES)
        return read_frame(self._keys, self._parts[part], number=place + 1, frame_bytes=FRAME_BYTES, length=length)
