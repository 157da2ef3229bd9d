"""Bodies of requests that change records: a JSON document or JSON lines, read by the same strict rules as uploads."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings

from datasets.errors import DuplicateRecordId, InvalidRecordId, RefusedFile, RefusedLine, WrongEncoding
from datasets.errors.drafts import MalformedChanges, WrongRecordCount
from datasets.formats.ids import IdRule, checked_id
from datasets.formats.jsonl import read_jsonl
from datasets.formats.rows import RawRecord, Rejected
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.identifiers import uuid7

MAX_RECORDS: Final = 10_000
#: Bytes of one body.
MAX_BYTES: Final = 64 * 1024 * 1024
_RECORDS: Final = "records"
_SPACE: Final = " \t\r\n"
#: What leads a body of lines is a record, what leads a document is one object with the list in it.
_LINES: Final = ("application/x-ndjson", "application/jsonl", "application/x-jsonlines")


@dataclass(frozen=True)
class Incoming:
    """What the body says of one record: ``record`` with its id, or the ``error`` that it cannot be one.

    ``index`` counts from 0 in the order of the body.
    """

    index: int
    id: str | None
    record: RawRecord | None = None
    error: VaultError | None = None


@dataclass(frozen=True)
class Document:
    """A JSON body: its records still as text, its other members parsed."""

    records: list[bytes]
    members: dict[str, Any]


def is_lines(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() in _LINES


def read_document(body: bytes, *, allowed: Sequence[str] = ()) -> Document:
    """The JSON object that is the whole body, ``records`` cut into the text of each item.

    Raises MalformedChanges for anything but an object with the list ``records`` and members of ``allowed``.
    """
    try:
        text = body.decode()
        records, members = _cut(text)
    except (ValueError, RecursionError) as malformed:  # every decoding error is a ValueError
        raise MalformedChanges("The body is not one JSON object") from malformed
    unknown = sorted(set(members) - set(allowed))
    if unknown:
        raise MalformedChanges("The body has members that are not known", members=len(unknown))
    return Document([item.encode() for item in records], members)


def _cut(text: str) -> tuple[list[str], dict[str, Any]]:
    """Walk over the members of the object; an item of ``records`` is passed over, not parsed into values."""
    position = _skip(text, 0, "{")
    records: list[str] | None = None
    members: dict[str, Any] = {}
    while True:
        if not members and records is None and text[position : position + 1] == "}":
            break
        name, position = _VALUES.raw_decode(text, position)
        if type(name) is not str or name in members or (name == _RECORDS and records is not None):
            raise ValueError("a member is no string, or given twice")
        position = _skip(text, position, ":")
        if name == _RECORDS:
            records, position = _items(text, position)
        else:
            members[name], position = _VALUES.raw_decode(text, position)
        position = _space(text, position)
        if text[position : position + 1] == "}":
            break
        position = _skip(text, position, ",")
    if text[position + 1 :].strip(_SPACE):
        raise ValueError("something follows the object")
    return records or [], members


def _items(text: str, position: int) -> tuple[list[str], int]:
    items: list[str] = []
    position = _skip(text, position, "[")
    if text[position : position + 1] == "]":
        return items, position + 1
    while True:
        _, end = _PASSED.raw_decode(text, position)
        items.append(text[position:end])
        if len(items) > MAX_RECORDS:
            raise WrongRecordCount(limit=MAX_RECORDS)
        position = _space(text, end)
        if text[position : position + 1] == "]":
            return items, position + 1
        position = _skip(text, position, ",")


def _skip(text: str, position: int, mark: str) -> int:
    """The place of what follows ``mark`` and any space; raises ValueError when the mark is not there."""
    position = _space(text, position)
    if text[position : position + 1] != mark:
        raise ValueError("a mark is missing")
    return _space(text, position + 1)


def _space(text: str, position: int) -> int:
    while position < len(text) and text[position] in _SPACE:
        position += 1
    return position


def _unread(_: str) -> None:
    """Numbers of a record are judged when it is parsed, not while it is passed over."""


def _no_pairs(_: list[tuple[str, Any]]) -> None:
    return None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is given twice")
    return members


_VALUES: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_unread, parse_constant=_unread)
_PASSED: Final = json.JSONDecoder(
    object_pairs_hook=_no_pairs, parse_int=_unread, parse_float=_unread, parse_constant=_unread
)


def read_incoming(lines: Sequence[bytes] | bytes, *, needs_ids: bool = False) -> list[Incoming]:
    """The records of a body, cut from a document or as JSON lines; a bad one comes with its error.

    Without an id a record gets a new one, unless ``needs_ids``. Raises WrongRecordCount, MalformedChanges.
    """
    body = lines if isinstance(lines, bytes) else b"\n".join(line.replace(b"\n", b" ") for line in lines)
    seen: dict[str, int] = {}
    incoming: list[Incoming] = []
    rule = IdRule(required=needs_ids)
    try:
        for row in read_jsonl([body], ids=rule, envelope=True, max_record_bytes=settings.MAX_RECORD_BYTES):
            if len(incoming) >= MAX_RECORDS:
                raise WrongRecordCount(limit=MAX_RECORDS)
            incoming.append(_incoming(len(incoming), row, seen))
    except (RefusedFile, WrongEncoding) as error:
        raise MalformedChanges(error.detail) from error
    if not incoming:
        raise WrongRecordCount(limit=MAX_RECORDS)
    return incoming


def _incoming(index: int, row: RawRecord | Rejected, seen: dict[str, int]) -> Incoming:
    if isinstance(row, Rejected):
        return Incoming(index, None, error=row.error)
    record_id = row.id or str(uuid7())
    first = seen.setdefault(record_id, index)
    if first != index:
        return Incoming(index, record_id, error=DuplicateRecordId(first_line=first + 1, line=index + 1))
    return Incoming(index, record_id, record=row)


def read_ids(given: Any) -> list[Incoming]:
    """The ids of a request that deletes records, each once. Raises WrongRecordCount, MalformedChanges."""
    if not isinstance(given, list):
        raise MalformedChanges("The ids are not a list")
    if not 0 < len(given) <= MAX_RECORDS:
        raise WrongRecordCount(limit=MAX_RECORDS)
    return list(_checked(given))


def _checked(given: list[Any]) -> Iterator[Incoming]:
    seen: dict[str, int] = {}
    for index, value in enumerate(given):
        try:
            if not isinstance(value, str):
                raise InvalidRecordId("an id is a string", reason="id-missing", line=index + 1)
            record_id = checked_id(value, index + 1)
        except RefusedLine as error:
            yield Incoming(index, None, error=error)
            continue
        first = seen.setdefault(record_id, index)
        if first == index:
            yield Incoming(index, record_id)
        else:
            yield Incoming(index, record_id, error=DuplicateRecordId(first_line=first + 1, line=index + 1))
