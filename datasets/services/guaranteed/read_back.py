"""The rows of a released file as its recipient reads them."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, Final

import orjson

from datasets.models import ExportFormat

_READERS: Final[Mapping[ExportFormat, str]] = {
    ExportFormat.JSONL: "datasets.services.guaranteed.read_back:json_lines",
    ExportFormat.CSV: "datasets.services.guaranteed.read_back:csv_table",
    ExportFormat.PARQUET: "datasets.services.guaranteed.parquet_rows:parquet_file",
}


def rows_of(body: bytes, chosen: ExportFormat) -> Iterator[dict[str, Any]]:
    """Rows of a whole file; of CSV all values are texts."""
    module, _, name = _READERS[chosen].partition(":")
    read: Callable[[bytes], Iterator[dict[str, Any]]] = getattr(import_module(module), name)
    return read(body)


def json_lines(body: bytes) -> Iterator[dict[str, Any]]:
    return (orjson.loads(line) for line in io.BytesIO(body))


def csv_table(body: bytes) -> Iterator[dict[str, Any]]:
    yield from csv.DictReader(io.TextIOWrapper(io.BytesIO(body), "utf-8", newline=""))
