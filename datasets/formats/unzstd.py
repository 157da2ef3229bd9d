"""Zstandard files (RFC 8878), decoded in small steps: any number of frames, a bounded window, nothing left over."""

from collections.abc import Iterator
from typing import Any, Final

import zstandard

from datasets.errors import DecompressionLimit, UnreadableFile

MAGIC: Final = b"\x28\xb5\x2f\xfd"
#: Frames that carry no data begin with 0x184D2A50 to 0x184D2A5F (RFC 8878, section 3.1.2).
SKIPPABLE: Final = tuple(bytes([0x50 + low]) + b"\x2a\x4d\x18" for low in range(16))
#: Windows up to 32 MiB: every level of the ``zstd`` command but --ultra -21, -22 and --long.
MAX_WINDOW_BYTES: Final = 32 * 1024**2

#: Encoded bytes given to the decoder at a time. A block takes 4 bytes at least and gives 128 KiB at most, so one step
#: makes 8 MiB at most, whatever the file.
STEP_BYTES: Final = 256


def unzstd(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The decoded bytes of zstd ``blocks``, joined over frames.

    Raises UnreadableFile (``truncated-zstd``, ``corrupt-zstd``) and DecompressionLimit (``window``).
    """
    decoder, is_inside = _new_decoder(), False
    for block in blocks:
        position = 0
        while position < len(block):
            step = block[position : position + STEP_BYTES]
            position += len(step)
            is_inside = True
            yield from _decoded(decoder, step)
            if decoder.eof:
                position -= len(decoder.unused_data)
                decoder, is_inside = _new_decoder(), False
    if is_inside:
        raise UnreadableFile("the zstd data ends too early", reason="truncated-zstd")


def _new_decoder() -> Any:
    return zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES).decompressobj()


def _decoded(decoder: Any, step: bytes) -> Iterator[bytes]:
    try:
        output = decoder.decompress(step)
    except zstandard.ZstdError as error:
        if "too much memory" in str(error):
            rule = f"the zstd window is larger than {MAX_WINDOW_BYTES >> 20} MiB"
            raise DecompressionLimit(rule, reason="window") from None
        raise UnreadableFile("the zstd data is damaged", reason="corrupt-zstd") from None
    if output:
        yield output
