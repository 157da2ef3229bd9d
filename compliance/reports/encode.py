"""A report as JSON, CSV or PDF: rows go through one by one, figures come at the end."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import orjson

from audit.exports.encode import csv_row
from compliance.models import Report
from compliance.reports.kind import STATEMENT, Cell, ReportKind, Row
from compliance.reports.pdf import render_pdf
from compliance.reports.tally import Tally

#: Rows of a PDF; the same report as CSV or JSON has all.
PDF_ROWS: Final = 400
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
        self._hash.update(orjson.dumps(list(map(_plain, row)), option=orjson.OPT_APPEND_NEWLINE))

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


class JsonFile:
    """{"report": .., "rows": [..], "figures": [..], "breakdowns": {..}, "integrity": {..}}."""

    def __init__(self, kind: ReportKind, write: Write) -> None:
        self._kind, self._write, self._mark = kind, write, b"\n"

    def begin(self, about: Mapping[str, Any]) -> None:
        self._write(b'{"report":' + orjson.dumps(about) + b',"rows":[')

    def add(self, row: Row) -> None:
        self._write(self._mark + orjson.dumps(dict(zip(self._kind.columns, map(_plain, row), strict=True))))
        self._mark = b",\n"

    def end(self, tally: Tally, integrity: Mapping[str, Any]) -> None:
        rest = {"figures": tally.figures(), "breakdowns": tally.breakdowns(), "integrity": integrity}
        self._write(b"\n]," + orjson.dumps(rest)[1:] + b"\n")


class CsvFile:
    """The rows under their names (RFC 4180); a cell that a spreadsheet would run begins with ``'``."""

    def __init__(self, kind: ReportKind, write: Write) -> None:
        self._kind, self._write = kind, write

    def begin(self, _: Mapping[str, Any]) -> None:
        self._write(csv_row(list(self._kind.columns)))

    def add(self, row: Row) -> None:
        self._write(csv_row(["" if cell is None else _plain(cell) for cell in row]))

    def end(self, tally: Tally, integrity: Mapping[str, Any]) -> None:
        """A table has no foot: figures and integrity are in the report's entry."""


class PdfFile:
    """Cover, figures, pictures, the first rows and a foot that says what proves them."""

    def __init__(self, kind: ReportKind, write: Write) -> None:
        self._kind, self._write = kind, write
        self._about: Mapping[str, Any] = {}

    def begin(self, about: Mapping[str, Any]) -> None:
        """A page cannot be set before its figures are known."""
        self._about = about

    def add(self, row: Row) -> None:
        """The tally keeps the rows that are shown."""

    def end(self, tally: Tally, integrity: Mapping[str, Any]) -> None:
        shown = {
            "about": self._about,
            "figures": tally.figures(),
            "breakdowns": tally.breakdowns(),
            "columns": list(self._kind.columns),
            "rows": [["" if cell is None else str(_plain(cell)) for cell in row] for row in tally.sample],
            "rows_left_out": tally.rows - len(tally.sample),
            "integrity": integrity,
        }
        self._write(render_pdf(orjson.dumps(shown)))


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


def _plain(cell: Cell) -> Any:
    return cell.isoformat().replace("+00:00", "Z") if isinstance(cell, datetime) else cell
