"""The report as text for a terminal."""

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from anonymization.findings import ACT_FROM
from vaultsite.demo.report import AuditLine, Reading, Report, Step

_WIDTH: Final = 100
_SHOWN_FIELDS: Final = 6
_SHOWN_TEXTS: Final = 5
#: Characters of a text shown before its first finding, and in all.
_BEFORE: Final = 40
_EXCERPT: Final = 220
_MEGABYTE: Final = 1_000_000


def render(report: Report) -> str:
    """The whole report; ends with a line feed."""
    parts = (
        _heading("The main job"),
        _facts(report),
        _heading(f"Personal data found: {report.by_type.total():,}"),
        _counts(report),
        _heading(f"Record {report.record_id} as each reader sees it"),
        _readings(report),
        _heading("Audit trail of this run"),
        _audit(report.audit),
        _heading("Timings"),
        _timings(report),
    )
    return "".join(f"{line.rstrip()}\n" for part in parts for line in part)


def _heading(title: str) -> Iterator[str]:
    yield from ("", title, "-" * len(title))


def _facts(report: Report) -> Iterator[str]:
    version = report.version
    ratio = version.new_sealed_bytes / report.input_bytes
    yield from _table(
        [
            ("file", report.file),
            ("dataset", report.dataset),
            ("records", f"{version.record_count:,}" + (f" ({report.rejected:,} rejected)" if report.rejected else "")),
            ("input", f"{report.input_bytes:,} bytes"),
            ("sealed", f"{version.new_sealed_bytes:,} bytes, findings included ({ratio:.0%} of the input)"),
            ("chunks", f"{version.chunk_count:,}"),
            ("version", f"{version.label}, id {bytes(version.digest).hex()}"),
        ]
    )


def _counts(report: Report) -> Iterator[str]:
    yield from _table((kind, f"{count:>7,}") for kind, count in report.by_type.most_common())
    if report.by_field:
        yield ""
        yield from _table((place, f"{count:>7,}") for place, count in _top(report.by_field))


def _top(counts: Counter[str]) -> Iterator[tuple[str, int]]:
    yield from counts.most_common(_SHOWN_FIELDS)
    if rest := counts.most_common()[_SHOWN_FIELDS:]:
        yield f"({len(rest)} more fields)", sum(count for _, count in rest)


def _readings(report: Report) -> Iterator[str]:
    starts: dict[str, int] = {}
    for found in report.spans:
        if found.score >= ACT_FROM and found.part == "value":
            starts[found.pointer] = min(found.start, starts.get(found.pointer, found.start))
    for number, reading in enumerate(report.readings):
        if number:
            yield ""
        yield f"{reading.reader} ({', '.join(reading.obligations) or reading.error or 'raw'})"
        yield from _texts(reading, starts)


def _texts(reading: Reading, starts: dict[str, int]) -> Iterator[str]:
    for pointer, text in list(reading.texts.items())[:_SHOWN_TEXTS]:
        yield f"  {pointer}"
        excerpt = _excerpt(text, max(0, starts.get(pointer, 0) - _BEFORE))
        yield from textwrap.wrap(excerpt, _WIDTH, initial_indent="    ", subsequent_indent="    ")
    if (rest := len(reading.texts) - _SHOWN_TEXTS) > 0:
        yield f"  and {rest} more texts"


def _excerpt(text: str, start: int) -> str:
    end = start + _EXCERPT
    return ("… " if start else "") + " ".join(text[start:end].split()) + (" …" if end < len(text) else "")


def _audit(lines: Iterable[AuditLine]) -> Iterator[str]:
    rows = [("time", "organization", "actor", "event", "outcome", "purpose", "obligations or reason")]
    rows += [
        (f"{line.time:%H:%M:%S}", line.organization, line.actor, line.type, line.status, line.purpose, line.detail)
        for line in lines
    ]
    yield from _table(rows)


def _timings(report: Report) -> Iterator[str]:
    yield from _table((step.title, f"{step.seconds:8.2f} s", _rate(report, step)) for step in report.steps)


def _rate(report: Report, step: Step) -> str:
    if not step.is_whole:
        return ""
    size = report.version.canonical_bytes / _MEGABYTE
    return f"{report.version.record_count / step.seconds:>10,.0f} records/s  {size / step.seconds:8.2f} MB/s"


def _table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    cells = list(rows)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
