"""Undo the compression of an upload block by block, with a hard limit on what may come out."""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from datasets.errors import DecompressionLimit, UnreadableFile

GZIP_MAGIC: Final = b"\x1f\x8b"
#: Bytes decoded at a time, whatever the ratio: the bound on memory.
OUTPUT_BYTES: Final = 256 * 1024

_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may become when decompressed.

    ``decoded_bytes`` bounds the whole file, compressed or not. ``ratio`` (decoded to encoded bytes) counts only beyond
    ``ratio_from`` decoded bytes, since small repetitive files compress well: text does 3 to 50, a gzip bomb 1,030.
    """

    decoded_bytes: int = 64 * 1024**3
    ratio: int = 200
    ratio_from: int = 16 * 1024**2


DEFAULT_LIMITS: Final = Limits()


def decompressed(blocks: Iterable[bytes], limits: Limits = DEFAULT_LIMITS) -> Iterator[bytes]:
    """The decoded bytes of a gzip (any number of members, RFC 1952) or plain file, told apart by the first two bytes.

    Memory stays flat: no output block of a gzip file exceeds OUTPUT_BYTES. Raises UnreadableFile (``truncated-gzip``,
    ``corrupt-gzip``) and DecompressionLimit (``decoded-size``, ``ratio``); what was yielded before must then be
    dropped.
    """
    source = iter(blocks)
    head = b""
    for block in source:
        head += block
        if len(head) >= len(GZIP_MAGIC):
            break
    decoder = _gunzipped(head, source, limits) if head.startswith(GZIP_MAGIC) else _chained(head, source)
    decoded = 0
    for block in decoder:
        decoded += len(block)
        if decoded > limits.decoded_bytes:
            raise DecompressionLimit("the file is larger than the limit on decoded bytes", reason="decoded-size")
        yield block


def _chained(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from rest


def _gunzipped(head: bytes, rest: Iterator[bytes], limits: Limits) -> Iterator[bytes]:
    inflater = _Inflater(limits)
    for block in _chained(head, rest):
        yield from inflater.feed(block)
    inflater.finish()


class _Inflater:
    """The state between two blocks of a gzip file: the current member, and the bytes counted so far."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._member = zlib.decompressobj(_GZIP_WINDOW)
        self._is_inside = False
        self._is_padding = False
        self._encoded = 0
        self._decoded = 0

    def feed(self, block: bytes) -> Iterator[bytes]:
        self._encoded += len(block)
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
                self._count(len(output))
                yield output
            pending = self._member.unconsumed_tail
            if not pending and len(output) < OUTPUT_BYTES:
                return

    def _count(self, size: int) -> None:
        self._decoded += size
        limits = self._limits
        if self._decoded > limits.ratio_from and self._decoded > limits.ratio * self._encoded:
            raise DecompressionLimit("the file grows more than allowed when decompressed", reason="ratio")

    def finish(self) -> None:
        if self._is_inside:
            raise UnreadableFile("the gzip data ends too early", reason="truncated-gzip")
