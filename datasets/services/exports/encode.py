"""How rows become the bytes of a file: format and compression, a part at a time."""

import gzip
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any, Final, Protocol

import zstandard

from datasets.errors import FormatUnavailable
from datasets.formats.write_columns import ColumnType
from datasets.models import ExportCompression, ExportFormat
from datasets.services.exports.options import ExportOptions

#: Format -> the class that writes it; imported when chosen, since one needs an extra.
WRITERS: Final[Mapping[ExportFormat, tuple[str, str]]] = {
    ExportFormat.JSONL: ("datasets.formats.write_jsonl", "JsonLines"),
    ExportFormat.CSV: ("datasets.formats.write_csv", "CsvTable"),
    ExportFormat.PARQUET: ("datasets.formats.write_parquet", "ParquetFiles"),
}
SUFFIXES: Final[Mapping[str, str]] = {"": "", "gzip": ".gz", "zstd": ".zst"}
_GZIP_LEVEL: Final = 6
_ZSTD_LEVEL: Final = 3


class Writer(Protocol):
    """One format. What ``opening`` and ``rows`` give, one after the other, is a file."""

    media_type: str
    suffix: str

    def opening(self) -> bytes: ...

    def rows(self, rows: Iterable[Mapping[str, Any]]) -> bytes: ...


def require_format(chosen: ExportFormat) -> None:
    """Raises FormatUnavailable, saying which extra to install."""
    _writer_class(chosen)


def _writer_class(chosen: ExportFormat) -> Any:
    module, name = WRITERS[chosen]
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError as missing:
        raise FormatUnavailable(extra=str(chosen)) from missing


class Encoder:
    """Makes the parts of files. A part of a file of lines or of a table is compressed by itself, so that parts join."""

    def __init__(self, options: ExportOptions, columns: Mapping[str, ColumnType]) -> None:
        self._compression = options.compression
        self.is_split_in_files = options.format == ExportFormat.PARQUET
        writer = _writer_class(options.format)
        self._writer: Writer
        if options.format == ExportFormat.CSV:
            self._writer = writer(list(columns), byte_order_mark=options.byte_order_mark)
        elif options.format == ExportFormat.PARQUET:
            self._writer = writer(columns, compression=str(options.compression) or "snappy")
            self._compression = ExportCompression.NONE
        else:
            self._writer = writer()
        self.format = str(options.format)

    @property
    def compression(self) -> str:
        """How files are compressed as a whole."""
        return str(self._compression)

    @property
    def is_packed_at_rest(self) -> bool:
        """Whether parts gain from being compressed where they are kept."""
        return not self.compression and not self.is_split_in_files

    @property
    def media_type(self) -> str:
        return {"gzip": "application/gzip", "zstd": "application/zstd"}.get(self.compression, self._writer.media_type)

    def file_name(self, part: str, number: int) -> str:
        """``train.jsonl.gz``; where every part is a file of its own, ``train-00012.parquet``."""
        stem = f"{part or 'export'}-{number:05d}" if self.is_split_in_files else part or "export"
        return f"{stem}.{self._writer.suffix}{SUFFIXES[self.compression]}"

    def part(self, rows: Iterable[Mapping[str, Any]], *, is_first: bool) -> bytes:
        """The bytes of the next part of a file, equal for equal rows."""
        plain = (self._writer.opening() if is_first else b"") + self._writer.rows(rows)
        if self.compression == "gzip":
            return gzip.compress(plain, _GZIP_LEVEL, mtime=0)
        if self.compression == "zstd":
            return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(plain)
        return plain
