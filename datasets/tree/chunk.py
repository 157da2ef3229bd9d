"""A chunk: a run of records in order of id, as one payload and one sidecar."""

import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

import zstandard

from datasets.errors import CorruptTree
from datasets.tree.digests import CONTENT_KEY_BYTES, NONCE_BYTES, chunk_digest, leaf_digest
from datasets.tree.record import TreeRecord

MAGIC: Final = b"LDVC"
FORMAT: Final = 1
ZSTD_LEVEL: Final = 3
SIDECAR_MAGIC: Final = b"LDVT"

#: A chunk holds at most this many records and decoded bytes, whatever its header says. A record that is longer than
#: a chunk's maximum stands alone in its chunk, so the longest record (with room to spare) is the bound.
MAX_RECORDS: Final = 1 << 14
MAX_DECODED_BYTES: Final = 64 * 1024 * 1024

#: magic, format, 3 reserved bytes, records, tombstones, dictionary id (0: none; reserved), id column, decoded
_HEADER: Final = struct.Struct(">4sB3xIIIII")
_KEYS: Final = NONCE_BYTES + CONTENT_KEY_BYTES
#: leaf digest, size of the erased record, length of its id; the ids follow after the last cell
_TOMBSTONE: Final = struct.Struct(">32sIB")
_SIDECAR: Final = struct.Struct(">4sBB2xIQHH")
_HAS_ERASED: Final = 1
_U32: Final = struct.Struct(">I")


class Tombstone(NamedTuple):
    """What is left of an erased record: its id, leaf digest and number of canonical bytes."""

    id: str
    leaf: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """The records of one chunk as columns, in order of id, and what is left of those erased from it.

    ``ids`` and ``lines`` (canonical records) have one item a record, ``nonces`` and ``content_keys`` 16 bytes a record.
    Erased records are in none of them, nor in the length: only in ``erased``, in order of id, and in ``leaves``.
    """

    ids: list[str]
    nonces: bytes
    content_keys: bytes
    lines: list[bytes]
    erased: list[Tombstone] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> TreeRecord:
        start = index * NONCE_BYTES
        nonce, content_key = self.nonces[start : start + NONCE_BYTES], self.content_keys[start : start + NONCE_BYTES]
        return TreeRecord(self.ids[index], nonce, content_key, self.lines[index])

    def __iter__(self) -> Iterator[TreeRecord]:
        return map(TreeRecord, self.ids, _split(self.nonces), _split(self.content_keys), self.lines)

    def after(self, record_id: str | None) -> int:
        """The index of the first record with an id greater than this one (0 for None)."""
        return 0 if record_id is None else bisect_right(self.ids, record_id)

    @property
    def leaf_count(self) -> int:
        """The number of records with the erased ones: what the digest and the nodes count."""
        return len(self.ids) + len(self.erased)

    @property
    def leaf_ids(self) -> list[str]:
        """The ids of records and erased records, in order."""
        return sorted([*self.ids, *(tombstone.id for tombstone in self.erased)]) if self.erased else self.ids

    def leaves(self) -> list[bytes]:
        """The leaf digests of records and erased records in order of id: those that give the chunk's digest."""
        leaves = [leaf_digest(nonce, line) for nonce, line in zip(_split(self.nonces), self.lines, strict=True)]
        if not self.erased:
            return leaves
        by_id = dict(zip(self.ids, leaves, strict=True)) | {tombstone.id: tombstone.leaf for tombstone in self.erased}
        return [by_id[record_id] for record_id in self.leaf_ids]


class ChunkCodec:
    """Writes and reads payloads; one for each thread, since the zstd contexts inside are reused."""

    def __init__(self) -> None:
        # By level and not by parameters: so zstd fits its tables to the size of each payload, which is much faster.
        self._compressor = zstandard.ZstdCompressor(
            level=ZSTD_LEVEL, write_content_size=True, write_checksum=False, write_dict_id=False
        )
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_DECODED_BYTES)

    def encode(self, records: Sequence[TreeRecord], erased: Sequence[Tombstone] = ()) -> bytes:
        """The payload of these records and tombstones, each in order of id, and at least one of them all."""
        head, text = self.prepare(records, erased)
        return head + self.compress([text])[0]

    @staticmethod
    def prepare(records: Sequence[TreeRecord], erased: Sequence[Tombstone] = ()) -> tuple[bytes, bytes]:
        """The payload up to its frame, and the text to be compressed into it."""
        ids, nonces, content_keys, lines = zip(*records, strict=True) if records else ((), (), (), ())
        id_column = "\n".join(ids).encode()
        text = b"%b\n%b\n" % (id_column, b"\n".join(lines)) if records else b"\n"
        header = _HEADER.pack(MAGIC, FORMAT, len(records), len(erased), 0, len(id_column), len(text))
        return b"".join((header, *nonces, *content_keys, *_tombstone_cells(erased))), text

    def compress(self, texts: Sequence[bytes]) -> list[bytes]:
        """A frame for each text, all in one call that lets other threads run."""
        if not texts:
            return []
        sources: list[bytes | bytearray | memoryview] = [*texts]
        frames = self._compressor.multi_compress_to_buffer(sources)
        return [frames[index].tobytes() for index in range(len(frames))]

    def decode(self, payload: bytes) -> Chunk:
        """The records of a payload. Raises CorruptTree when any length, count or separator does not fit."""
        if len(payload) < _HEADER.size:
            raise CorruptTree("A chunk has no whole header")
        magic, form, count, tombstones, dictionary, id_bytes, decoded_bytes = _HEADER.unpack_from(payload)
        if (magic, form, dictionary, payload[5:8]) != (MAGIC, FORMAT, 0, b"\0\0\0"):
            raise CorruptTree("A chunk has an unknown format")
        nonces_end = _HEADER.size + NONCE_BYTES * count
        keys_end = _HEADER.size + _KEYS * count
        if not (0 < count + tombstones <= MAX_RECORDS and id_bytes < decoded_bytes <= MAX_DECODED_BYTES):
            raise CorruptTree("A chunk claims impossible sizes")
        erased, frame_start = _erased(payload, keys_end, tombstones) if tombstones else ([], keys_end)
        if len(payload) <= frame_start:
            raise CorruptTree("A chunk is cut off")
        text = self._decompressed(payload[frame_start:], decoded_bytes)
        if text[id_bytes] != 10 or text[-1] != 10:  # noqa: PLR2004 - line feeds
            raise CorruptTree("A chunk's columns do not end where they should")
        ids, lines = _columns(text, id_bytes) if count or text != b"\n" else ([], [])
        if len(ids) != count or len(lines) != count:
            raise CorruptTree("A chunk's columns differ in length")
        return Chunk(ids, payload[_HEADER.size : nonces_end], payload[nonces_end:keys_end], lines, erased)

    def _decompressed(self, frame: bytes, expected: int) -> bytes:
        try:
            if zstandard.frame_content_size(frame) != expected:
                raise CorruptTree("A chunk's frame has another size than its header says")
            text: bytes = self._decompressor.decompress(frame, allow_extra_data=False)
        except zstandard.ZstdError:
            raise CorruptTree("A chunk does not decompress") from None
        return text


def _columns(text: bytes, id_bytes: int) -> tuple[list[str], list[bytes]]:
    try:
        ids = text[:id_bytes].decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise CorruptTree("A chunk's ids are not ASCII") from None
    return ids, text[id_bytes + 1 : -1].split(b"\n")


def _tombstone_cells(erased: Sequence[Tombstone]) -> Iterator[bytes]:
    for tombstone in erased:
        yield _TOMBSTONE.pack(tombstone.leaf, tombstone.size, len(tombstone.id))
    for tombstone in erased:
        yield tombstone.id.encode()


def _erased(payload: bytes, start: int, count: int) -> tuple[list[Tombstone], int]:
    """The tombstones that begin at ``start``, and where they end."""
    erased, at = [], start + _TOMBSTONE.size * count
    try:
        for leaf, size, length in _TOMBSTONE.iter_unpack(payload[start:at]):
            erased.append(Tombstone(payload[at : at + length].decode("ascii"), leaf, size))
            at += length
    except (struct.error, UnicodeDecodeError):
        raise CorruptTree("A chunk's tombstones are damaged") from None
    if len(erased) != count:
        raise CorruptTree("A chunk is cut off")
    return erased, at


def _split(column: bytes) -> Iterator[bytes]:
    """The 16-byte cells of a column."""
    return (column[start : start + NONCE_BYTES] for start in range(0, len(column), NONCE_BYTES))


def verify_chunk(chunk: Chunk, digest: bytes) -> None:
    """Recompute the digest from the records, and the order of ids. Raises CorruptTree."""
    if chunk_digest(chunk.leaves()) != digest:
        raise CorruptTree("A chunk's records do not give its digest")
    erased = [tombstone.id for tombstone in chunk.erased]
    if any(left >= right for ids in (chunk.ids, erased, chunk.leaf_ids) for left, right in pairwise(ids)):
        raise CorruptTree("A chunk's records are out of order")


@dataclass(frozen=True, slots=True)
class ChunkSidecar:
    """What a chunk's digest does not cover: it may be rewritten without changing the chunk.

    ``sizes`` has the erased records too, ``statistics`` (see datasets.tree.statistics; empty: none) does not.
    """

    first_id: str
    last_id: str
    canonical_size: int
    sizes: tuple[int, ...]
    statistics: bytes = b""
    has_erased: bool = False

    def encode(self) -> bytes:
        first, last = self.first_id.encode(), self.last_id.encode()
        flags, count = _HAS_ERASED if self.has_erased else 0, len(self.sizes)
        head = _SIDECAR.pack(SIDECAR_MAGIC, FORMAT, flags, count, self.canonical_size, len(first), len(last))
        sizes = struct.pack(f">{count}I", *self.sizes)
        return b"".join((head, first, last, sizes, _U32.pack(len(self.statistics)), self.statistics))

    @classmethod
    def decode(cls, sidecar: bytes) -> "ChunkSidecar":
        """Raises CorruptTree."""
        try:
            magic, form, flags, count, size, first, last = _SIDECAR.unpack_from(sidecar)
            ids_end = _SIDECAR.size + first + last
            ids = sidecar[_SIDECAR.size : ids_end].decode("ascii")
            sizes = struct.unpack_from(f">{count}I", sidecar, ids_end)
            (length,) = _U32.unpack_from(sidecar, ids_end + 4 * count)
        except (struct.error, UnicodeDecodeError):
            raise CorruptTree("A chunk's sidecar is damaged") from None
        statistics = sidecar[ids_end + 4 * count + _U32.size :]
        if (magic, form, len(statistics)) != (SIDECAR_MAGIC, FORMAT, length) or flags not in (0, _HAS_ERASED):
            raise CorruptTree("A chunk's sidecar has an unknown format")
        return cls(ids[:first], ids[first:], size, sizes, statistics, bool(flags))
