"""Rows as Parquet files: every piece is a whole file, so that none needs the memory or the footer of another."""

import io
from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from datasets.formats.write_columns import ColumnType

MEDIA_TYPE: Final = "application/vnd.apache.parquet"
ROW_GROUP_ROWS: Final = 10_000
#: On columns that hold JSON values as text.
JSON_MARK: Final = {b"content": b"json"}

_ARROW: Final = {
    ColumnType.STRING: pa.string(),
    ColumnType.INTEGER: pa.int64(),
    ColumnType.DOUBLE: pa.float64(),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.JSON: pa.string(),
}


class ParquetFiles:
    """Parquet files of one schema."""

    media_type = MEDIA_TYPE
    suffix = "parquet"

    def __init__(self, types: Mapping[str, ColumnType], *, compression: str = "zstd") -> None:
        self._types = dict(types)
        self._compression = compression
        fields = [
            pa.field(name, _ARROW[kind], metadata=JSON_MARK if kind is ColumnType.JSON else None)
            for name, kind in types.items()
        ]
        self._schema = pa.schema(fields)

    def opening(self) -> bytes:
        """A file has no beginning of its own."""
        return b""

    def rows(self, rows: Iterable[Mapping[str, Any]]) -> bytes:
        """One whole file; of no rows, a file that has the schema alone."""
        listed = list(rows)
        columns = [
            pa.array([_value(row.get(name), kind) for row in listed], type=_ARROW[kind])
            for name, kind in self._types.items()
        ]
        target = io.BytesIO()
        table = pa.Table.from_arrays(columns, schema=self._schema)
        pq.write_table(table, target, row_group_size=ROW_GROUP_ROWS, compression=self._compression)
        return target.getvalue()


def _value(value: Any, kind: ColumnType) -> Any:
    if value is None:
        return None
    if kind is ColumnType.JSON:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    return float(value) if kind is ColumnType.DOUBLE else value
