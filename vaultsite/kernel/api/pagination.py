"""Keyset pages: a cursor names the last row seen, never an offset."""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from rest_framework.request import Request

from vaultsite.kernel.errors import FieldProblem, InvalidCursor, InvalidInput

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000
_SMALL_NUMBER: Final = re.compile(r"[0-9]{1,4}")


@dataclass(frozen=True)
class PageRequest:
    """``limit`` rows after the row whose sort key is ``after`` (None: from the start)."""

    limit: int
    after: tuple[str, ...] | None


def read_page(request: Request, *, members: int) -> PageRequest:
    """``limit`` and ``cursor`` of the query; a cursor has ``members`` strings. Raises InvalidInput, InvalidCursor."""
    raw = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not _SMALL_NUMBER.fullmatch(raw) or not 1 <= int(raw) <= MAX_LIMIT:
        problem = FieldProblem(field="limit", detail=f"a whole number from 1 to {MAX_LIMIT}")
        raise InvalidInput(errors=[problem])
    cursor = request.query_params.get("cursor")
    return PageRequest(limit=int(raw), after=decode_cursor(cursor, members=members) if cursor else None)


def encode_cursor(members: Sequence[str]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(list(members))).decode().rstrip("=")


def decode_cursor(cursor: str, *, members: int) -> tuple[str, ...]:
    """The strings that ``encode_cursor`` was given. Raises InvalidCursor."""
    try:
        values = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as exc:
        raise InvalidCursor from exc
    fits = isinstance(values, list) and len(values) == members and all(isinstance(value, str) for value in values)
    if not fits or any("\0" in value for value in values):  # no text of the database holds one
        raise InvalidCursor
    return tuple(values)


def page(data: Sequence[Any], *, limit: int, next_cursor: str | None) -> dict[str, Any]:
    """The shape of every list."""
    return {"data": list(data), "pagination": {"next_cursor": next_cursor, "limit": limit}}
