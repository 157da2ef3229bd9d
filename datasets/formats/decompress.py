"""Undo the compression of an upload block by block, with a hard limit on what may come out."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

from datasets.errors import DecompressionLimit, UnreadableFile
from datasets.formats import gunzip, unzstd

#: Enough of a file to know any of the forms below by.
HEAD_BYTES: Final = 512

_DECODERS: Final[tuple[tuple[bytes, Callable[[Iterator[bytes]], Iterator[bytes]]], ...]] = (
    (gunzip.MAGIC, gunzip.gunzip),
    (unzstd.MAGIC, unzstd.unzstd),
    *((magic, unzstd.unzstd) for magic in unzstd.SKIPPABLE),
)
#: Archives hold files under names of the sender's choosing; none is ever unpacked. Other compressions are not decoded.
_REFUSED: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"PK\x05\x06", "a zip archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"\xfd7zXZ\0", "an xz file"),
    (0, b"\x04\x22\x4d\x18", "an lz4 file"),
    (4, b"1AY&SY", "a bzip2 file"),
)


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


class Meter:
    """Counts what went into a decoder and what came out of it.

    Raises DecompressionLimit (``decoded-size``, ``ratio``).
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.encoded = 0
        self.decoded = 0

    def incoming(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self.encoded += len(block)
            yield block

    def outgoing(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self.count(len(block))
            yield block

    def count(self, size: int) -> None:
        self.decoded += size
        limits = self._limits
        if self.decoded > limits.decoded_bytes:
            raise DecompressionLimit("the file is larger than the limit on decoded bytes", reason="decoded-size")
        if self.decoded > limits.ratio_from and self.decoded > limits.ratio * self.encoded:
            raise DecompressionLimit("the file grows more than allowed when decompressed", reason="ratio")


def decompressed(blocks: Iterable[bytes], limits: Limits = DEFAULT_LIMITS) -> Iterator[bytes]:
    """The decoded bytes of a gzip, zstd or plain file, told apart by the first bytes; members and frames are joined.

    Memory stays flat, whatever the file. One compression is undone, never a second inside it, and no archive is opened.
    Raises UnreadableFile (``truncated-gzip``, ``corrupt-gzip``, ``truncated-zstd``, ``corrupt-zstd``,
    ``nested-compression``, ``archive``) and DecompressionLimit (``decoded-size``, ``ratio``, ``window``); what was
    yielded before must then be dropped.
    """
    meter = Meter(limits)
    head, rest = read_head(meter.incoming(blocks))
    _refuse_archives(head)
    source = chain((head,) if head else (), rest)
    decode = _decoder_of(head)
    if decode is None:
        yield from meter.outgoing(source)
        return
    head, rest = read_head(meter.outgoing(decode(source)))
    _refuse_archives(head)
    if _decoder_of(head) is not None:
        raise UnreadableFile("the file is compressed twice", reason="nested-compression")
    yield from chain((head,) if head else (), rest)


def read_head(blocks: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first HEAD_BYTES or more (all of a shorter file), and the blocks after them."""
    rest = iter(blocks)
    head = b""
    for block in rest:
        head += block
        if len(head) >= HEAD_BYTES:
            break
    return head, rest


def _decoder_of(head: bytes) -> Callable[[Iterator[bytes]], Iterator[bytes]] | None:
    return next((decode for magic, decode in _DECODERS if head.startswith(magic)), None)


def _refuse_archives(head: bytes) -> None:
    for position, magic, name in _REFUSED:
        if head.startswith(magic, position):
            rule = f"the file is {name}: send its content as it is, or compressed with gzip or zstd"
            raise UnreadableFile(rule, reason="archive")
