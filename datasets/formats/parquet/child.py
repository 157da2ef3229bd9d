"""The child: reads a Parquet file it can only ask bytes of, and answers with JSON lines. It holds no key."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final, NoReturn

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from datasets.formats.parquet import wire
from datasets.formats.parquet.values import InexpressibleError, depth_of, is_expressible, to_json

MAGIC: Final = b"PAR1"
_ENCRYPTED: Final = b"PARE"
_TAIL: Final = 8
_HEAD: Final = 4
#: Sizes of batches to fall back to when one does not fit.
_SMALLER: Final = (32, 1)
#: Decoded bytes one batch is meant to have, by what the footer says; it may lie.
_AIM: Final = 8 * 1024**2
_BUFFER: Final = 64 * 1024
_MESSAGE: Final = 512 * 1024


class FailedError(Exception):
    """The file cannot be read further. ``detail`` is a row or a column, from 1."""

    def __init__(self, reason: str, detail: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class RemoteFile(io.RawIOBase):
    """The file as the reader hands it out, range by range."""

    def __init__(self, size: int, asked: BinaryIO, told: BinaryIO) -> None:
        self._size = size
        self._asked, self._told = asked, told
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = base + offset
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        left = max(self._size - self._position, 0)
        wanted = left if size is None or size < 0 else min(size, left)
        parts = []
        while wanted:
            part = self._range(self._position, min(wanted, wire.MAX_RANGE))
            parts.append(part)
            self._position += len(part)
            wanted -= len(part)
        return b"".join(parts)

    def _range(self, offset: int, length: int) -> bytes:
        try:
            wire.write_message(self._told, wire.READ, wire.RANGE.pack(offset, length))
            kind, data = wire.read_message(self._asked)
        except MemoryError:
            os._exit(wire.OUT_OF_MEMORY)  # half a message is read: nothing that comes after it could be understood
        if kind != wire.READ or len(data) != length:
            raise EOFError("the reader is gone")
        return data


def main() -> NoReturn:
    """Serve the one file the first message describes, then end."""
    asked, told = sys.stdin.buffer, sys.stdout.buffer
    _, config = wire.read_message(asked)
    wanted = orjson.loads(config)
    bounds = wire.Bounds(**wanted["bounds"])
    try:
        _serve(RemoteFile(wanted["size"], asked, told), wanted["skip"], bounds, told)
        answer = wire.DONE, b""
    except FailedError as failed:
        answer = wire.FAILED, orjson.dumps({"reason": failed.reason, "detail": failed.detail})
    except MemoryError:
        answer = wire.FAILED, orjson.dumps({"reason": "memory", "detail": 0})
    wire.write_message(told, *answer)
    sys.exit(0)


def _serve(source: RemoteFile, skip: int, bounds: wire.Bounds, told: BinaryIO) -> None:
    _check_ends(source, bounds)
    file = _opened(source)
    _check_schema(file, bounds)
    counts = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
    if min(counts, default=0) < 0 or sum(counts) != file.metadata.num_rows:
        raise FailedError("lying-footer", 1)
    row = 0
    for group, count in enumerate(counts):
        if row + count > skip:
            _Group(file, group, row, bounds, told).send(skip)
        row += count


def _check_ends(source: RemoteFile, bounds: wire.Bounds) -> None:
    size = source.seek(0, io.SEEK_END)
    if size < _HEAD + _TAIL:
        raise FailedError("not-parquet")
    source.seek(size - _TAIL)
    tail = source.read(_TAIL)
    source.seek(0)
    head = source.read(_HEAD)
    if _ENCRYPTED in (head, tail[4:]):
        raise FailedError("encrypted")
    if head != MAGIC or tail[4:] != MAGIC:
        raise FailedError("not-parquet")
    footer = int.from_bytes(tail[:4], "little")
    if footer > bounds.footer:
        raise FailedError("footer-size")
    if footer + _HEAD + _TAIL > size:
        raise FailedError("footer")
    source.seek(0)


def _opened(source: RemoteFile) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(
            pa.PythonFile(source, mode="r"),
            pre_buffer=False,
            buffer_size=_BUFFER,
            arrow_extensions_enabled=False,
        )
    except MemoryError:
        raise FailedError("memory") from None
    except (pa.ArrowException, OSError, ValueError, TypeError):
        raise FailedError("footer") from None


def _check_schema(file: pq.ParquetFile, bounds: wire.Bounds) -> None:
    """Columns that can become members: named once, not too many or too deep, each of a type that has a JSON form."""
    schema = file.schema
    if len(schema) > bounds.columns:
        raise FailedError("columns")
    fields = _guarded(lambda: list(file.schema_arrow), 0)
    if not fields or not _have_names(fields):
        raise FailedError("empty-name")
    if not _are_unique(fields):
        raise FailedError("duplicate-name")
    for number, field in enumerate(fields, start=1):
        if depth_of(field.type) > bounds.depth:
            raise FailedError("depth", number)
        if not is_expressible(field.type):
            raise FailedError("unsupported-type", number)
    for index in range(len(schema)):
        if schema.column(index).physical_type == "INT96":
            raise FailedError("int96", index + 1)


def _inner_fields(kind: pa.DataType) -> list[pa.Field]:
    return [kind.field(index) for index in range(kind.num_fields)]


def _have_names(fields: list[pa.Field]) -> bool:
    return all(field.name and _have_names(_inner_fields(field.type)) for field in fields)


def _are_unique(fields: list[pa.Field]) -> bool:
    is_unique = len({field.name for field in fields}) == len(fields)
    return is_unique and all(_are_unique(_inner_fields(field.type)) for field in fields)


def _guarded(step: Callable[[], Any], row: int) -> Any:
    """``step()``, its errors turned into what the reader is told. MemoryError stays."""
    try:
        return step()
    except MemoryError:
        raise
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError, IndexError):
        raise FailedError("damaged", row + 1) from None


class _Group:
    """One row group on its way out."""

    def __init__(self, file: pq.ParquetFile, group: int, row: int, bounds: wire.Bounds, told: BinaryIO) -> None:
        self._file = file
        self._group = group
        self._first = row
        self._bounds = bounds
        self._told = told
        facts = file.metadata.row_group(group)
        self._count = facts.num_rows
        average = max(facts.total_byte_size, 0) // max(self._count, 1) + 1
        self._batch_rows = max(1, min(bounds.batch_rows, _AIM // average))
        self._done = 0

    def send(self, skip: int) -> None:
        """Send every row after the first ``skip`` of the file."""
        self._skip = skip
        sizes = [self._batch_rows, *(size for size in _SMALLER if size < self._batch_rows)]
        for size in sizes:
            try:
                self._send_batches(size)
                break
            except MemoryError:
                if size == 1:
                    raise FailedError("memory", self._first + self._done + 1) from None
        if self._done != self._count:
            raise FailedError("lying-footer", self._first + self._done + 1)

    def _send_batches(self, size: int) -> None:
        seen = 0
        for batch in self._batches(size):
            start, seen = seen, seen + batch.num_rows
            if seen > self._count:
                raise FailedError("lying-footer", self._first + self._count + 1)
            if self._first + seen <= self._skip:
                self._done = seen
            elif seen > self._done:
                self._send_batch(batch.slice(max(self._done - start, 0)))

    def _batches(self, size: int) -> Iterator[pa.RecordBatch]:
        batches = self._file.iter_batches(batch_size=size, row_groups=[self._group], use_threads=False)
        while True:
            batch = _guarded(lambda: next(batches, None), self._first + self._done)
            if batch is None:
                return
            yield batch

    def _send_batch(self, batch: pa.RecordBatch) -> None:
        if batch.nbytes > self._bounds.batch_bytes and batch.num_rows > 1:
            raise MemoryError
        lines, size = [], 0
        for line in self._lines(batch):
            lines.append(line)
            size += len(line)
            if size >= _MESSAGE:
                self._tell(lines)
                lines, size = [], 0
        if lines:
            self._tell(lines)

    def _tell(self, lines: list[bytes]) -> None:
        first = wire.ROW.pack(self._first + self._done + 1)
        wire.write_message(self._told, wire.LINES, first + b"\n".join(lines))
        self._done += len(lines)

    def _lines(self, batch: pa.RecordBatch) -> Iterator[bytes]:
        try:
            rows = _rows(batch)
        except InexpressibleError:
            for index in range(batch.num_rows):
                yield self._line(batch.slice(index, 1))
            return
        for row in rows:
            yield self._bounded(row)

    def _line(self, row: pa.RecordBatch) -> bytes:
        try:
            return self._bounded(_rows(row)[0])
        except InexpressibleError as problem:
            return wire.REJECTED + problem.reason.encode()

    def _bounded(self, row: dict[str, Any]) -> bytes:
        line = orjson.dumps(row)
        return line if len(line) <= self._bounds.record_bytes else wire.REJECTED + b"record-too-long"


def _rows(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    names = batch.schema.names
    columns = [to_json(column) for column in batch.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
