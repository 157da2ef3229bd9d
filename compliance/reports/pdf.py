"""Set a report or another document as an accessible PDF, in a process of its own that can be ended."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from compliance.errors.reports import ReportNotRendered

SECONDS: Final = 60
_RENDER: Final = Path(__file__).with_name("render.py")
_REPORT: Final = Path(__file__).with_name("report.typ")
_ACCESSIBLE: Final = "accessible"


def render_report(data: bytes) -> bytes:
    """``data`` is the report as JSON (see ``encode.PdfFile``). Raises ReportNotRendered.

    PDF/UA-1, but where a letter is in none of the fonts: there it is a box, and the PDF a tagged one without the name.
    """
    try:
        return render_accessible(data, _REPORT)
    except ReportNotRendered:
        return _rendered(data, _REPORT)


def render_accessible(data: bytes, template: Path) -> bytes:
    """A PDF/UA-1 of what the template reads. Raises ReportNotRendered, also where a letter is in none of the fonts."""
    return _rendered(data, template, _ACCESSIBLE)


def _rendered(data: bytes, template: Path, *how: str) -> bytes:
    command = [sys.executable, "-I", str(_RENDER), str(template), *how]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=SECONDS, check=True)  # noqa: S603
    except subprocess.TimeoutExpired as late:
        raise ReportNotRendered("It took too long") from late
    except subprocess.CalledProcessError as failed:
        raise ReportNotRendered from failed
    return done.stdout
