"""A report as JSON, CSV or PDF: rows go through one by one, figures come at the end."""

import csv
import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson

from audit.exports.encode import escaped
from compliance.models import Report
from compliance.reports.kind import STATEMENT, Cell, ReportKind, Row
from compliance.reports.pdf import render_report
from compliance.reports.summary import summarize
from compliance.reports.tally import Tally

#: Rows of a PDF; the same report as CSV or JSON has all.
PDF_ROWS: Final = 400
#: Rows of a CSV that are encoded together.
CSV_ROWS: Final = 500
#: Letters of a column's longest text: fewer, and more, do not count for its width.
NARROWEST: Final = 6
WIDEST: Final = 200
#: Times in JSON end in "Z", as ``_plain`` writes them.
_TIMES: Final = orjson.OPT_UTC_Z
Write = Callable[[bytes], None]

#: Format -> suffix and media type.
MEDIA: Final[Mapping[str, tuple[str, str]]] = {
    "pdf": ("pdf", "application/pdf"),
    "csv": ("csv", "text/csv; charset=utf-8"),
    "json": ("json", "application/json"),
}


class RowsDigest:
    """SHA-256 over the rows as JSON lines (arrays, in the order of the columns), whatever the format of the file."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, row: Row) -> None:
        self._hash.update(orjson.dumps(row, option=_TIMES | orjson.OPT_APPEND_NEWLINE))

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


class JsonFile:
    """{"report": .., "rows": [..], "figures": [..], "breakdowns": {..}, "tables": [..], "integrity": {..}}."""

    def __init__(self, kind: ReportKind, write: Write) -> None:
        self._kind, self._write, self._mark = kind, write, b"\n"

    def begin(self, about: Mapping[str, Any]) -> None:
        self._write(b'{"report":' + orjson.dumps(about) + b',"rows":[')

    def add(self, row: Row) -> None:
        self._write(self._mark + orjson.dumps(dict(zip(self._kind.columns, row, strict=True)), option=_TIMES))
        self._mark = b",\n"

    def end(self, tally: Tally, integrity: Mapping[str, Any]) -> None:
        rest = {"figures": tally.figures(), "breakdowns": tally.breakdowns(), "tables": tally.tables()}
        rest |= {"integrity": integrity}
        self._write(b"\n]," + orjson.dumps(rest)[1:] + b"\n")


class CsvFile:
    """The rows under their names (RFC 4180); a cell that a spreadsheet would run begins with ``'``."""

    def __init__(self, kind: ReportKind, write: Write) -> None:
        self._kind, self._write, self._waiting = kind, write, 0
        self._text = io.StringIO(newline="")
        self._writer = csv.writer(self._text, lineterminator="\r\n")

    def begin(self, _: Mapping[str, Any]) -> None:
        self._writer.writerow(self._kind.columns)

    def add(self, row: Row) -> None:
        self._writer.writerow([escaped(cell) if isinstance(cell, str) else _plain(cell) for cell in row])
        self._waiting += 1
        if self._waiting == CSV_ROWS:
            self._flush()

    def end(self, _: Tally, __: Mapping[str, Any]) -> None:
        """A table has no foot: figures and integrity are in the report's entry."""
        self._flush()

    def _flush(self) -> None:
        self._write(self._text.getvalue().encode())
        self._text.seek(0)
        self._text.truncate()
        self._waiting = 0


class PdfFile:
    """Cover, figures, pictures, the first rows and a foot that says what proves them."""

    def __init__(self, kind: ReportKind, write: Write) -> None:
        self._kind, self._write = kind, write
        self._columns = kind.page_columns or kind.columns
        self._about: Mapping[str, Any] = {}

    def begin(self, about: Mapping[str, Any]) -> None:
        """A page cannot be set before its figures are known."""
        self._about = about

    def add(self, row: Row) -> None:
        """The tally keeps the rows that are shown."""

    def end(self, tally: Tally, integrity: Mapping[str, Any]) -> None:
        rows = [self._cells(row) for row in tally.sample]
        shown = {
            "about": self._about,
            **summarize(tally),
            "columns": list(self._columns),
            "columns_left_out": [name for name in self._kind.columns if name not in self._columns],
            "widths": _widths(self._columns, rows),
            "rows": rows,
            "rows_left_out": tally.rows - len(tally.sample),
            "integrity": integrity,
        }
        self._write(render_report(orjson.dumps(shown)))

    def _cells(self, row: Row) -> list[str]:
        named = dict(zip(self._kind.columns, row, strict=True))
        return [_short(named[name]) for name in self._columns]


FILES: Final[Mapping[str, Callable[[ReportKind, Write], JsonFile | CsvFile | PdfFile]]] = {
    "json": JsonFile,
    "csv": CsvFile,
    "pdf": PdfFile,
}


def describe(report: Report, kind: ReportKind) -> dict[str, Any]:
    """What the report is about, without a figure."""
    return {
        "id": str(report.pk),
        "type": kind.code,
        "title": kind.title,
        "about": kind.about,
        "maps_to": list(kind.maps_to),
        "statement": STATEMENT,
        "since": _plain(report.since),
        "until": _plain(report.until),
        "scope": report.scope,
        "asked_for_at": _plain(report.created_at),
        "asked_for_by": str(report.requested_by),
        "notes": list(kind.notes),
    }


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[float]:
    """Shares of a page's width: by the root of a column's longest text, so that none starves another."""
    longest = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    return [round(min(max(length, NARROWEST), WIDEST) ** 0.5, 2) for length in longest]


def _short(cell: Cell) -> str:
    """A cell of a page: times to the second."""
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M:%S}"
    return "" if cell is None else str(cell)


def _plain(cell: Cell) -> Any:
    return cell.isoformat().replace("+00:00", "Z") if isinstance(cell, datetime) else cell
