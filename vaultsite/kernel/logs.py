"""Log lines that cannot be forged: control characters of logged values are escaped."""

import logging
import re
from typing import Final

_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


class EscapingFormatter(logging.Formatter):
    """One event, one line: CR, LF, ANSI and other control characters in a message become visible escapes."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", super().format(record))

    def formatException(self, ei: object) -> str:  # noqa: N802 - the name logging calls
        """The traceback's places without the exception's text, which may quote a value."""
        kind, value, trace = ei  # type: ignore[misc]
        frames = []
        while trace is not None:
            code = trace.tb_frame.f_code
            frames.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_name}")
            trace = trace.tb_next
        name = getattr(value, "code", "") or getattr(kind, "__name__", str(kind))
        return f"{name} at " + " > ".join(frames[-12:])
