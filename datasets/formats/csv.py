"""CSV by RFC 4180 with a header row: one record a row, every value a string."""

from collections.abc import Iterable, Iterator
from typing import Final

import orjson

from datasets.errors import InvalidHeader, MalformedRecord, RecordTooLong, RefusedLine
from datasets.formats.ids import IdRule
from datasets.formats.lines import MAX_RECORD_BYTES, numbered_lines
from datasets.formats.rows import KEPT_BYTES, RawRecord, Rejected

DEFAULT_IDS: Final = IdRule()


def read_csv(
    blocks: Iterable[bytes],
    *,
    ids: IdRule = DEFAULT_IDS,
    delimiter: str = ",",
    max_record_bytes: int = MAX_RECORD_BYTES,
) -> Iterator[RawRecord | Rejected]:
    """The rows of decoded CSV ``blocks`` as records, members named by the header row; bad rows come as Rejected.

    A record's line is the physical line where its row starts. Blank lines between rows are skipped but counted. A row
    that is refused while a quoted field is open is passed over to the end of that field, so nothing inside a refused
    row is ever read as rows of its own. The delimiter is one ASCII character. Raises InvalidHeader (``empty-file``,
    ``empty-name``, ``duplicate-name``, ``unreadable``), and RefusedFile and WrongEncoding as ``numbered_lines`` does.
    """
    rows = _rows(blocks, delimiter, max_record_bytes)
    names = _header(next(rows, None))
    width = len(names)
    for row in rows:
        if isinstance(row, Rejected):
            yield row
            continue
        line, fields, raw = row
        try:
            if len(fields) != width:
                rule = f"the row has {len(fields)} fields where the header has {width}"
                raise MalformedRecord(rule, reason="ragged-row", line=line)
            data = dict(zip(names, fields, strict=True))
            record_id = ids.id_of(data, line)
        except RefusedLine as error:
            yield Rejected.of(error, raw)
        else:
            yield RawRecord(line, record_id, data, {}, orjson.dumps(data, option=orjson.OPT_SORT_KEYS))


def _header(row: "_Row | Rejected | None") -> list[str]:
    if row is None:
        raise InvalidHeader("the file has no header row", reason="empty-file")
    if isinstance(row, Rejected):
        raise InvalidHeader(row.error.rule, reason="unreadable", line=row.line) from row.error
    line, names, _ = row
    if not all(names):
        raise InvalidHeader("a column has no name", reason="empty-name", line=line)
    if len(set(names)) != len(names):
        raise InvalidHeader("two columns have the same name", reason="duplicate-name", line=line)
    return names


#: Line where the row starts, its fields, and its first KEPT_BYTES as uploaded.
_Row = tuple[int, list[str], bytes]


def _rows(blocks: Iterable[bytes], delimiter: str, max_record_bytes: int) -> Iterator[_Row | Rejected]:
    """Physical lines joined to rows."""
    assembly = _Assembly(delimiter, max_record_bytes)
    for item in numbered_lines(blocks, max_record_bytes):
        if isinstance(item, Rejected):
            yield from assembly.abandon(item)
            continue
        row = assembly.add(*item)
        if row is not None:
            yield row
    yield from assembly.end()


class _Assembly:
    """One row in the making: fields that are whole, and the open quoted field if the row goes on in the next line."""

    def __init__(self, delimiter: str, max_record_bytes: int) -> None:
        if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n':
            raise ValueError("a delimiter is one ASCII character, not a quote or line end")
        self._delimiter = delimiter
        self._limit = max_record_bytes
        self._clear()

    def _clear(self) -> None:
        self._start = 0
        self._size = 0
        self._raw = b""
        self._fields: list[str] = []
        self._open: list[str] | None = None
        #: Inside a quoted field of a row that was refused already: what comes is passed over up to its end.
        self._is_passing = False

    def add(self, number: int, line: bytes) -> _Row | Rejected | None:
        """Take one physical line; the row or its refusal once either is known, None while it goes on (or is blank)."""
        if self._is_passing:
            self._is_passing = is_left_open(line.decode(), self._delimiter, is_open=True)
            return None
        is_continued = self._open is not None
        if not is_continued:
            if line in (b"", b"\r"):
                return None
            self._start = number
        self._size += len(line) + is_continued
        if len(self._raw) < KEPT_BYTES:
            self._raw += b"\n" + line if is_continued else line
        text = line.decode()
        try:
            self._check_size()
            self._scan(text)
        except RefusedLine as error:
            return self._refuse(error, is_open=is_left_open(text, self._delimiter, is_open=is_continued))
        if self._open is not None:
            return None
        row = self._start, self._fields, self._raw[:KEPT_BYTES]
        self._clear()
        return row

    def _check_size(self) -> None:
        if self._size > self._limit:
            rule = f"the record is longer than {self._limit} bytes"
            raise RecordTooLong(rule, reason="record-too-long", line=self._start)

    def _refuse(self, error: RefusedLine, *, is_open: bool) -> Rejected:
        """Give the row up; with ``is_open`` the lines up to the end of its quoted field go with it."""
        refused, start = Rejected.of(error, self._raw), self._start
        self._clear()
        self._start, self._is_passing = start, is_open
        return refused

    def abandon(self, line: Rejected) -> Iterator[Rejected]:
        """A line that is too long or no text: refused with the row it stands in.

        Its quotes tell whether a field is open after it, as in every row by RFC 4180 they come in pairs but for that.
        """
        is_open = self._open is not None or self._is_passing
        stays_open = is_open != bool(line.quotes % 2)
        if self._is_passing:
            self._is_passing = stays_open
            return
        if self._open is None:
            self._start, self._raw = line.line, line.raw
        yield self._refuse(type(line.error)(line.error.rule, reason=line.reason, line=self._start), is_open=stays_open)

    def end(self) -> Iterator[Rejected]:
        if self._open is not None or self._is_passing:
            error = self._malformed("a quoted field is not closed before the file ends", "open-quote")
            yield Rejected.of(error, self._raw)

    def _malformed(self, rule: str, reason: str) -> MalformedRecord:
        return MalformedRecord(rule, reason=reason, line=self._start)

    def _scan(self, text: str) -> None:
        """Split one physical line into fields, beginning inside a quoted field when one is open."""
        if self._open is None and '"' not in text:
            self._fields = text.removesuffix("\r").split(self._delimiter)
            return
        position = 0
        while position <= len(text):
            if self._open is None and not text.startswith('"', position):
                position = self._plain_field(text, position)
                continue
            if self._open is None:
                self._open, position = [], position + 1
            closing = self._quoted_part(text, position)
            if closing < 0:
                return
            position = self._after_quote(text, closing)

    def _plain_field(self, text: str, position: int) -> int:
        """Take an unquoted field; returns where the next one starts, beyond the text at the end of the row."""
        end = text.find(self._delimiter, position)
        field = text[position:].removesuffix("\r") if end < 0 else text[position:end]
        if '"' in field:
            raise self._malformed("a quote stands inside a field that is not quoted", "stray-quote")
        self._fields.append(field)
        return len(text) + 1 if end < 0 else end + 1

    def _quoted_part(self, text: str, position: int) -> int:
        """Collect a quoted field up to its closing quote; returns its index, or -1 when the field goes on."""
        assert self._open is not None
        while True:
            quote = text.find('"', position)
            if quote < 0:
                self._open.append(text[position:] + "\n")
                return -1
            if not text.startswith('"', quote + 1):
                self._open.append(text[position:quote])
                return quote
            self._open.append(text[position : quote + 1])
            position = quote + 2

    def _after_quote(self, text: str, closing: int) -> int:
        """Close the quoted field; only a delimiter or the end of the row may follow."""
        assert self._open is not None
        rest = closing + 1
        if not (text.startswith(self._delimiter, rest) or text[rest:] in ("", "\r")):
            raise self._malformed("something follows a closing quote", "stray-quote")
        self._fields.append("".join(self._open))
        self._open = None
        return rest + 1 if text.startswith(self._delimiter, rest) else len(text) + 1


def is_left_open(text: str, delimiter: str, *, is_open: bool) -> bool:
    """Whether a quoted field is open after a physical line of a row that breaks the rules.

    Quotes count where they may stand: at the start of a field, and inside a quoted one. What follows a closing quote
    up to the next delimiter is passed over.
    """
    position = 0
    while position <= len(text):
        if not is_open:
            if not text.startswith('"', position):
                end = text.find(delimiter, position)
                if end < 0:
                    return False
                position = end + 1
                continue
            is_open, position = True, position + 1
        quote = text.find('"', position)
        if quote < 0:
            return True
        is_open = text.startswith('"', quote + 1)
        position = quote + 2 if is_open else _after_field(text, delimiter, quote + 1)
    return is_open


def _after_field(text: str, delimiter: str, position: int) -> int:
    end = text.find(delimiter, position)
    return len(text) + 1 if end < 0 else end + 1
