"""What the reader and its child say to each other over two pipes: one letter, u32be length, that many bytes."""

import struct
from dataclasses import dataclass
from typing import BinaryIO, Final

HEADER: Final = struct.Struct(">cI")
#: Offset and length of bytes the child asks for.
RANGE: Final = struct.Struct(">QI")

CONFIG: Final = b"C"
#: Child to reader: bytes of the file wanted. Reader to child: here they are.
READ: Final = b"R"
#: The number of a row (ROW), then from that row on one JSON line each: its object, or REJECTED and why it is none.
LINES: Final = b"L"
ROW: Final = struct.Struct(">Q")
#: The file cannot be read further: JSON of ``reason`` and ``detail``, a row or column.
FAILED: Final = b"F"
DONE: Final = b"D"
#: The exit code of a child that ran out of memory between two messages.
OUT_OF_MEMORY: Final = 12

REJECTED: Final = b"!"
#: The longest message either side takes: one row of the greatest length, or one range.
MAX_MESSAGE: Final = 64 * 1024**2
#: Bytes of one read request.
MAX_RANGE: Final = 4 * 1024**2


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a Parquet file may be. Sizes in bytes; the child enforces what the reader cannot see."""

    memory: int = 1024**3
    cpu_seconds: int = 3600
    footer: int = 16 * 1024**2
    columns: int = 4096
    depth: int = 32
    batch_rows: int = 1024
    batch_bytes: int = 16 * 1024**2
    record_bytes: int = 8 * 1024**2


def write_message(stream: BinaryIO, kind: bytes, payload: bytes) -> None:
    stream.write(HEADER.pack(kind, len(payload)))
    stream.write(payload)
    stream.flush()


def read_message(stream: BinaryIO) -> tuple[bytes, bytes]:
    """The next message. Raises EOFError when the other side is gone or says what it may not."""
    kind, length = HEADER.unpack(read_exactly(stream, HEADER.size))
    if length > MAX_MESSAGE:
        raise EOFError("a message is longer than agreed")
    return kind, read_exactly(stream, length)


def read_exactly(stream: BinaryIO, length: int) -> bytes:
    data = stream.read(length)
    if data is None or len(data) != length:
        raise EOFError("the other side is gone")
    return data
