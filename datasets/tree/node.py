"""A node: the children of one level in order of id, as one body and one sidecar."""

import struct
from typing import Final, NamedTuple

import zstandard

from datasets.errors import CorruptTree
from datasets.tree.boundary import STANDARD
from datasets.tree.digests import node_digest

MAGIC: Final = b"LDVN"
FORMAT: Final = 1
SIDECAR_MAGIC: Final = b"LDVS"
#: The columns as they are, and packed by zstd, as they are written now: neighbouring ids have much in common.
SIDECAR_PLAIN: Final = 1
SIDECAR_PACKED: Final = 2
_ZSTD_LEVEL: Final = 3
#: Longest columns that are unpacked: every child with two ids of 128 bytes.
_MAX_COLUMNS: Final = STANDARD.node_max * (12 + 2 * 129) + 4
#: A tree of this height would hold more records than there are ids; a body claiming more is damaged.
MAX_LEVEL: Final = 32

#: magic, format, level, 2 reserved bytes, number of children
_HEADER: Final = struct.Struct(">4sBB2xI")
_CHILD: Final = struct.Struct(">32sQ")
#: magic, format, 3 reserved bytes, number of children, bytes of the column of first ids, of last ids
_SIDECAR: Final = struct.Struct(">4sB3xIII")
_U32: Final = struct.Struct(">I")


class Child(NamedTuple):
    """One chunk or node as its parent describes it; digest and count are what the parent's digest covers.

    ``canonical_size`` is the sum of the canonical bytes of all records below, ``chunk_count`` 1 for a chunk itself.
    """

    digest: bytes
    record_count: int
    canonical_size: int
    chunk_count: int
    first_id: str
    last_id: str


class Node(NamedTuple):
    """The children of one node. On level 1 they are chunks, above it nodes of the level below."""

    level: int
    children: list[Child]

    @property
    def digest(self) -> bytes:
        return node_digest((child.digest, child.record_count) for child in self.children)

    def summary(self) -> Child:
        """The node as a child of the level above."""
        children = self.children
        return Child(
            self.digest,
            sum(child.record_count for child in children),
            sum(child.canonical_size for child in children),
            sum(child.chunk_count for child in children),
            children[0].first_id,
            children[-1].last_id,
        )

    def body(self) -> bytes:
        children = [_CHILD.pack(child.digest, child.record_count) for child in self.children]
        return b"".join((_HEADER.pack(MAGIC, FORMAT, self.level, len(children)), *children))

    def sidecar(self) -> bytes:
        """Sizes, numbers of chunks, first and last ids, and (reserved, empty) statistics, column by column, packed."""
        children = self.children
        count = len(children)
        first = "\n".join(child.first_id for child in children).encode()
        last = "\n".join(child.last_id for child in children).encode()
        columns = (
            struct.pack(f">{count}Q", *(child.canonical_size for child in children)),
            struct.pack(f">{count}I", *(child.chunk_count for child in children)),
            first,
            last,
            _U32.pack(0),
        )
        packed = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(b"".join(columns))
        return _SIDECAR.pack(SIDECAR_MAGIC, SIDECAR_PACKED, count, len(first), len(last)) + packed


def decode_node(body: bytes, sidecar: bytes, digest: bytes) -> Node:
    """The node kept under ``digest``. Raises CorruptTree when a length does not fit or the children give another."""
    try:
        level, entries = _entries(body)
        columns = _sidecar_columns(sidecar, len(entries))
    except (struct.error, UnicodeDecodeError, zstandard.ZstdError):
        raise CorruptTree("A node is damaged") from None
    if node_digest(entries) != digest:
        raise CorruptTree("A node's children do not give its digest")
    digests, counts = zip(*entries, strict=True)
    return Node(level, list(map(Child, digests, counts, *columns)))


def _entries(body: bytes) -> tuple[int, list[tuple[bytes, int]]]:
    magic, form, level, count = _HEADER.unpack_from(body)
    if (magic, form, len(body)) != (MAGIC, FORMAT, _HEADER.size + _CHILD.size * count) or body[6:8] != b"\0\0":
        raise CorruptTree("A node has an unknown format")
    if not (1 <= level <= MAX_LEVEL and 1 <= count <= STANDARD.node_max):
        raise CorruptTree("A node claims an impossible level or number of children")
    return level, list(_CHILD.iter_unpack(body[_HEADER.size :]))


def _sidecar_columns(sidecar: bytes, expected: int) -> tuple[tuple[int, ...], tuple[int, ...], list[str], list[str]]:
    """Canonical sizes, numbers of chunks, first and last ids, ``expected`` of each."""
    magic, form, count, first_bytes, last_bytes = _SIDECAR.unpack_from(sidecar)
    if (magic, count) != (SIDECAR_MAGIC, expected) or form not in (SIDECAR_PLAIN, SIDECAR_PACKED):
        raise CorruptTree("A node's sidecar has an unknown format")
    columns = sidecar[_SIDECAR.size :]
    if form == SIDECAR_PACKED:
        columns = zstandard.ZstdDecompressor().decompress(columns, max_output_size=_MAX_COLUMNS)
    first_start = 12 * count
    last_start = first_start + first_bytes
    end = last_start + last_bytes
    if len(columns) != end + _U32.size:
        raise CorruptTree("A node's sidecar has columns of another length")
    sizes = struct.unpack_from(f">{count}Q", columns)
    chunks = struct.unpack_from(f">{count}I", columns, 8 * count)
    first = columns[first_start:last_start].decode("ascii").split("\n")
    last = columns[last_start:end].decode("ascii").split("\n")
    if len(first) != count or len(last) != count:
        raise CorruptTree("A node's sidecar has columns of different length")
    return sizes, chunks, first, last
