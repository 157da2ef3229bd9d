"""Rows of a Parquet file that we wrote ourselves; needs the extra ``parquet``."""

import io
from collections.abc import Iterator
from typing import Any

import pyarrow.parquet as pq


def parquet_file(body: bytes) -> Iterator[dict[str, Any]]:
    for batch in pq.ParquetFile(io.BytesIO(body)).iter_batches(batch_size=10_000):
        yield from batch.to_pylist()
