"""Set a report as an accessible PDF (PDF/UA-1), in a process of its own that can be ended."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from compliance.errors.reports import ReportNotRendered

SECONDS: Final = 60
_RENDER: Final = Path(__file__).with_name("render.py")


def render_pdf(data: bytes) -> bytes:
    """``data`` is the report as JSON (see ``encode.PdfFile``). Raises ReportNotRendered."""
    command = [sys.executable, "-I", str(_RENDER)]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=SECONDS, check=True)  # noqa: S603
    except subprocess.TimeoutExpired as late:
        raise ReportNotRendered("It took too long") from late
    except subprocess.CalledProcessError as failed:
        raise ReportNotRendered from failed
    return done.stdout
