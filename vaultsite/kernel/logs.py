"""Log lines that cannot be forged: control characters of logged values are escaped."""

import logging
import re
from typing import Any, Final

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
        name = getattr(value, "code", "") or getattr(kind, "__name__", str(kind))
        return f"{name} at " + " > ".join(frames[-12:])


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"  # noqa: PLR2004 - what fits \x..
