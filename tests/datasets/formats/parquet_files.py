"""Parquet files made in the test, as the reader is given them."""

import io

import pyarrow as pa
import pyarrow.parquet as pq

from datasets.formats.parquet.reader import read_parquet


class InMemory:
    """A file that can be read anywhere, and remembers how much was read."""

    def __init__(self, content):
        self.content = content
        self.size = len(content)
        self.read = 0

    def read_at(self, offset, length):
        self.read += length
        return self.content[offset : offset + length]


def packed(table, **options):
    out = io.BytesIO()
    pq.write_table(table if isinstance(table, pa.Table) else pa.table(table), out, **options)
    return out.getvalue()


def read(table, *, skip=0, **more):
    content = table if isinstance(table, bytes) else packed(table)
    return list(read_parquet(InMemory(content), skip=skip, **more))
