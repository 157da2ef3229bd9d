"""Gzip files (RFC 1952), decoded in small steps: any number of members, nothing left over."""

import zlib
from collections.abc import Iterator
from typing import Final

from datasets.errors import UnreadableFile

MAGIC: Final = b"\x1f\x8b"
#: Bytes decoded at a time, whatever the ratio: the bound on memory.
OUTPUT_BYTES: Final = 256 * 1024

_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS


def gunzip(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The decoded bytes of gzip ``blocks`` in pieces of at most OUTPUT_BYTES.

    Raises UnreadableFile (``truncated-gzip``, ``corrupt-gzip``).
    """
    inflater = _Inflater()
    for block in blocks:
        yield from inflater.feed(block)
    inflater.finish()


class _Inflater:
    """The state between two blocks of a gzip file: the current member."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP_WINDOW)
        self._is_inside = False
        self._is_padding = False

    def feed(self, block: bytes) -> Iterator[bytes]:
        while block:
            block = self._between_members(block)
            if not block:
                return
            self._is_inside = True
            yield from self._decode(block)
            block = self._member.unused_data
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP_WINDOW)
                self._is_inside = False

    def _between_members(self, block: bytes) -> bytes:
        """Drop the NUL padding that may follow the last member (tape blocks); nothing may follow the padding."""
        if self._is_inside or (not self._is_padding and not block.startswith(b"\0")):
            return block
        self._is_padding = True
        rest = block.lstrip(b"\0")
        if rest:
            raise UnreadableFile("something follows the end of the gzip data", reason="corrupt-gzip")
        return rest

    def _decode(self, block: bytes) -> Iterator[bytes]:
        pending = block
        while not self._member.eof:
            try:
                output = self._member.decompress(pending, OUTPUT_BYTES)
            except zlib.error:
                raise UnreadableFile("the gzip data is damaged", reason="corrupt-gzip") from None
            if output:
                yield output
            pending = self._member.unconsumed_tail
            if not pending and len(output) < OUTPUT_BYTES:
                return

    def finish(self) -> None:
        if self._is_inside:
            raise UnreadableFile("the gzip data ends too early", reason="truncated-gzip")
