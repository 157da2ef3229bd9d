"""Rows as CSV (RFC 4180) that a spreadsheet shows and never runs."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson

MEDIA_TYPE: Final = "text/csv; charset=utf-8"
BYTE_ORDER_MARK: Final = "\ufeff".encode()
#: First characters by which spreadsheets take a cell for a formula, with their full-width forms (OWASP, CSV injection).
FORMULA_STARTS: Final = frozenset(
    "=+-@\t\r\n\N{MINUS SIGN}"
    "\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)


def escaped(text: str) -> str:
    """The text with ``'`` before it when a spreadsheet would run it, looking past spaces and invisible marks."""
    seen = text.lstrip(" \u00a0\u200b\u2060\ufeff\0")
    return f"'{text}" if seen and seen[0] in FORMULA_STARTS else text


def cell(value: Any) -> str:
    """One value as text: strings escaped, null empty, everything else as JSON writes it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return escaped(value)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


class CsvTable:
    """A CSV file with these columns, piece by piece. A member that a row lacks is an empty cell."""

    media_type = MEDIA_TYPE
    suffix = "csv"

    def __init__(self, columns: Sequence[str], *, byte_order_mark: bool = False) -> None:
        self._columns = tuple(columns)
        self._mark = BYTE_ORDER_MARK if byte_order_mark else b""

    def opening(self) -> bytes:
        """The header row, behind a byte order mark where asked for."""
        return self._mark + _text([[escaped(name) for name in self._columns]])

    def rows(self, rows: Iterable[Mapping[str, Any]]) -> bytes:
        return _text([cell(row.get(name)) for name in self._columns] for row in rows)


def _text(rows: Iterable[Sequence[str]]) -> bytes:
    target = io.StringIO(newline="")
    # A row of one empty cell would be an empty line, which readers pass over: the csv module quotes it.
    csv.writer(target, lineterminator="\r\n").writerows(rows)
    return target.getvalue().encode()
