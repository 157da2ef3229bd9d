"""Log lines that cannot be forged: control characters of logged values are escaped."""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Final

from vaultsite.kernel.errors import VaultError

#: C0 and C1 controls but TAB, line and paragraph separators, and what turns the direction of text around.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


class EscapingFormatter(logging.Formatter):
    """One event, one line: CR, LF, ANSI and other control characters in a message become visible escapes."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # another formatter may have left its own traceback there, with the exception's text
        return _CONTROL.sub(_escape, super().format(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name logging calls
        """The traceback's places without the exception's text, which may quote a value."""
        kind, value, trace = ei
        frames = []
        while trace is not None:
            code = trace.tb_frame.f_code
            frames.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_name}")
            trace = trace.tb_next
        return f"{_name(kind, value)} at " + " > ".join(frames[-12:])


class TaskFailureFilter(logging.Filter):
    """For the logger ``celery.app.trace``: a failed task's message names the exception and does not quote it.

    Celery puts ``repr(exc)`` and the traceback as text into the arguments of the message and into ``record.data``, so
    no formatter can tell them from harmless text. Places are still written, from the record's ``exc_info``.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true: what changes is the record."""
        if isinstance(record.args, Mapping) and "exc" in record.args:
            kind, value, _ = record.exc_info or sys.exc_info()  # what is expected is logged without, while it is raised
            record.args = {**record.args, "exc": _name(kind, value), "traceback": ""}
            record.data = record.args
        return True


def _name(kind: object, value: object) -> str:
    """The code of one of our errors, the type of any other: nothing that was made from a value."""
    return value.code if isinstance(value, VaultError) else getattr(kind, "__name__", "unknown exception")


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"  # noqa: PLR2004 - what fits \x..
