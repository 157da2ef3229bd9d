"""Rows as JSON lines: one object a line, members in order of name, UTF-8, LF."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

MEDIA_TYPE: Final = "application/x-ndjson"
_OPTIONS: Final = orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE


def row_line(row: Mapping[str, Any]) -> bytes:
    """The line of one row with its line feed. Its bytes are the canonical bytes of the row."""
    return orjson.dumps(row, option=_OPTIONS)


class JsonLines:
    """A file of JSON lines, piece by piece."""

    media_type = MEDIA_TYPE
    suffix = "jsonl"

    def opening(self) -> bytes:
        """What stands before the first row: nothing."""
        return b""

    def rows(self, rows: Iterable[Mapping[str, Any]]) -> bytes:
        return b"".join(map(row_line, rows))
