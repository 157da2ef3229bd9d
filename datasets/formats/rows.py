"""What the readers of files yield: records, and lines that could not become records."""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from datasets.errors import RefusedLine

#: How much of a refused line is kept for the reject report.
KEPT_BYTES: Final = 64 * 1024


class RawRecord(NamedTuple):
    """One record as the file gives it.

    ``line`` is the number, from 1, of the physical line where it starts; ``id`` is None when the file gives none;
    ``canonical`` is the canonical JSON of ``data`` (orjson, sorted keys, UTF-8).
    """

    line: int
    id: str | None
    data: dict[str, Any]
    metadata: dict[str, Any]
    canonical: bytes


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line that is no record: the caller raises ``error`` or writes ``raw`` to the (sealed) reject report.

    ``raw`` is at most the first KEPT_BYTES of the line as uploaded. ``quotes`` counts the double quotes of the whole
    physical line, kept or not: a reader of CSV must know whether a quoted field is open after it.
    """

    line: int
    code: str
    reason: str
    raw: bytes
    error: RefusedLine
    quotes: int = 0

    @classmethod
    def of(cls, error: RefusedLine, raw: bytes, quotes: int = 0) -> "Rejected":
        return cls(error.line, error.code, error.reason, raw[:KEPT_BYTES], error, quotes)
