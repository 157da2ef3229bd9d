"""What no reader of sealed chunks can do without."""

from collections.abc import Sequence
from dataclasses import dataclass

import zstandard

from datasets.services.keys import DatasetKeys
from datasets.tree.chunk import _HEADER, _KEYS


@dataclass(frozen=True)
class SealedChunk:
    """A chunk as it lies in its pack, and what opens it."""

    digest: bytes
    secret: bytes
    count: int
    body: bytes


def open_plainly(keys: DatasetKeys, chunks: Sequence[SealedChunk]) -> int:
    """What no reader can do without: open each chunk, decompress it, split it into lines. Returns the lines."""
    decompressor = zstandard.ZstdDecompressor()
    count = 0
    for chunk in chunks:
        payload = keys.open("chunk", chunk.digest, chunk.secret, chunk.body)
        text = decompressor.decompress(payload[_HEADER.size + _KEYS * chunk.count :])
        count += len(text.split(b"\n"))
    return count
