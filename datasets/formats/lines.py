"""Split decoded bytes into numbered lines without ever holding more than one line and one block."""

import codecs
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from datasets.errors import RecordTooLong, RefusedFile, RefusedLine, WrongEncoding
from datasets.formats.rows import KEPT_BYTES, Rejected

#: The longest record accepted unless the caller says otherwise.
MAX_RECORD_BYTES: Final = 8 * 1024 * 1024
QUOTE: Final = b'"'

#: The number of a line, from 1, and its bytes without the line feed (a carriage return before it is kept).
NumberedLine: TypeAlias = tuple[int, bytes]

_UTF16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def numbered_lines(
    blocks: Iterable[bytes], max_record_bytes: int = MAX_RECORD_BYTES
) -> Iterator[NumberedLine | Rejected]:
    """Every line of the file in order; only a line feed ends a line, and blank lines count and are yielded.

    A UTF-8 byte order mark at the start is dropped. A line longer than ``max_record_bytes``, with a NUL byte, or
    that is not UTF-8 is yielded as Rejected; of a longer line no more than one block beyond the limit is ever held.
    Raises WrongEncoding for a UTF-16 file; a RefusedFile of ``blocks`` goes on with the line that was being read.
    """
    splitter = _Splitter(max_record_bytes)
    try:
        for block in blocks:
            yield from splitter.feed(block)
    except RefusedFile as error:
        raise error.at_line(splitter.number + 1) from error
    yield from splitter.finish()


class _Splitter:
    """What is left over between two blocks: the parts of an unfinished line."""

    def __init__(self, max_record_bytes: int) -> None:
        self.number = 0
        self._limit = max_record_bytes
        self._parts: list[bytes] = []
        self._held = 0
        self._is_overlong = False
        self._dropped_quotes = 0
        self._is_started = False

    def feed(self, block: bytes) -> Iterator[NumberedLine | Rejected]:
        if not self._is_started:
            block = self._without_mark(block)
        end = block.rfind(b"\n")
        if end < 0:
            self._hold(block)
            return
        start = block.index(b"\n") + 1
        self._hold(block[: start - 1])
        yield self._take()
        if start <= end:
            yield from self._whole_lines(block[start:end])
        self._hold(block[end + 1 :])

    def _whole_lines(self, text: bytes) -> Iterator[NumberedLine | Rejected]:
        """Lines that begin and end in one block: judged together where all are good, else one by one."""
        lines = text.split(b"\n")
        if len(text) <= self._limit and encoding_problem(text, 0) is None:
            yield from enumerate(lines, start=self.number + 1)
            self.number += len(lines)
            return
        for line in lines:
            self.number += 1
            yield self._judged(line)

    def finish(self) -> Iterator[NumberedLine | Rejected]:
        if not self._is_started:
            self._is_started = True
            self._refuse_utf16(b"".join(self._parts))
        if self._held or self._is_overlong:
            yield self._take()

    def _without_mark(self, block: bytes) -> bytes:
        """Wait for three bytes, then judge the start of the file."""
        head = b"".join(self._parts) + block
        self._parts, self._held = [], 0
        if len(head) < len(codecs.BOM_UTF8) and b"\n" not in head:
            self._hold(head)
            return b""
        self._is_started = True
        self._refuse_utf16(head)
        return head.removeprefix(codecs.BOM_UTF8)

    def _refuse_utf16(self, head: bytes) -> None:
        if head.startswith(_UTF16_MARKS):
            raise WrongEncoding("the file is UTF-16, not UTF-8", reason="utf-16", line=1)

    def _hold(self, part: bytes) -> None:
        if self._is_overlong:
            self._dropped_quotes += part.count(QUOTE)
            return
        if not part:
            return
        self._parts.append(part)
        self._held += len(part)
        if self._held > self._limit:
            whole = b"".join(self._parts)
            self._parts, self._dropped_quotes = [whole[:KEPT_BYTES]], whole.count(QUOTE, KEPT_BYTES)
            self._is_overlong = True

    def _take(self) -> NumberedLine | Rejected:
        line = b"".join(self._parts)
        is_overlong, dropped = self._is_overlong, self._dropped_quotes
        self._parts, self._held, self._is_overlong, self._dropped_quotes = [], 0, False, 0
        self.number += 1
        return self._overlong(line, dropped) if is_overlong else self._judged(line)

    def _overlong(self, line: bytes, dropped_quotes: int = 0) -> Rejected:
        detail = f"the record is longer than {self._limit} bytes"
        error = RecordTooLong(detail, reason="record-too-long", line=self.number)
        return Rejected.of(error, line, line.count(QUOTE) + dropped_quotes)

    def _judged(self, line: bytes) -> NumberedLine | Rejected:
        if len(line) > self._limit:
            return self._overlong(line)
        problem = encoding_problem(line, self.number)
        return (self.number, line) if problem is None else Rejected.of(problem, line, line.count(QUOTE))


def encoding_problem(line: bytes, number: int) -> RefusedLine | None:
    """Why these bytes are not text: a NUL byte (T40), or not UTF-8 (RFC 3629: no surrogates, no overlong forms)."""
    if b"\0" in line:
        return WrongEncoding("the line holds a NUL byte", reason="nul-byte", line=number)
    if line.isascii():
        return None
    try:
        line.decode()
    except UnicodeDecodeError:
        return WrongEncoding("the line is not UTF-8", reason="not-utf-8", line=number)
    return None
