"""What a child's word about a file means: the words it may use, each with the error it stands for."""

import signal
from collections.abc import Callable
from typing import Any, Final

import orjson

from datasets.errors import DecompressionLimit, InvalidHeader, RefusedFile, UnreadableFile
from datasets.formats.parquet import wire

#: Why a row has no exact JSON form.
ROW_RULES: Final = {
    "not-finite": "a number of the row is not finite",
    "not-utf-8": "a text of the row is not UTF-8",
    "date-range": "a date or time of the row is outside the years 1 to 9999",
    "duplicate-key": "a map of the row has the same key twice",
}
_FILE_RULES: Final[dict[str, tuple[Callable[..., RefusedFile], str]]] = {
    "not-parquet": (UnreadableFile, "the file does not begin and end as a Parquet file does"),
    "encrypted": (UnreadableFile, "the Parquet file is encrypted"),
    "footer": (UnreadableFile, "the footer of the Parquet file is damaged"),
    "footer-size": (DecompressionLimit, "the footer of the Parquet file is larger than allowed"),
    "columns": (DecompressionLimit, "the Parquet file has more columns than allowed"),
    "depth": (DecompressionLimit, "column {detail} nests deeper than allowed"),
    "empty-name": (InvalidHeader, "a column or member has no name"),
    "duplicate-name": (InvalidHeader, "two columns, or two members of one column, have the same name"),
    "unsupported-type": (UnreadableFile, "column {detail} has a type that has no JSON form"),
    "int96": (UnreadableFile, "column {detail} has timestamps of the old form INT96: write it as TIMESTAMP"),
    "lying-footer": (UnreadableFile, "the footer of the Parquet file names another number of rows than there are"),
    "damaged": (UnreadableFile, "the data of the Parquet file is damaged"),
    "memory": (DecompressionLimit, "the rows of the Parquet file need more memory than allowed"),
    "processor-time": (DecompressionLimit, "the Parquet file takes longer to decode than allowed"),
    "silence": (DecompressionLimit, "the Parquet file takes longer to decode than allowed"),
}
#: Those whose detail is a row.
_AT_ROW: Final = frozenset({"lying-footer", "damaged", "memory"})


def refused(payload: bytes, row: int) -> RefusedFile:
    """The error a FAILED message stands for; ``row`` is the last that was read. A word not known means damage."""
    try:
        answer = orjson.loads(payload)
        reason, detail = str(answer["reason"]), int(answer["detail"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        reason, detail = "damaged", 0
    return _error(reason, detail, detail if reason in _AT_ROW and detail else row + 1)


def died(exit_code: int | None, row: int) -> RefusedFile:
    """The error for a child that ended without a word; None when it went silent and was ended."""
    if exit_code is None:
        return _error("silence", 0, row + 1)
    if exit_code == -signal.SIGXCPU:
        return _error("processor-time", 0, row + 1)
    if exit_code in (wire.OUT_OF_MEMORY, -signal.SIGABRT, -signal.SIGKILL):
        return _error("memory", 0, row + 1)
    return _error("damaged", 0, row + 1)


def _error(reason: str, detail: int, line: int) -> RefusedFile:
    kind, rule = _FILE_RULES.get(reason, _FILE_RULES["damaged"])
    arguments: dict[str, Any] = {"reason": reason if reason in _FILE_RULES else "damaged", "line": line}
    return kind(rule.format(detail=detail), **arguments)
