"""Request bodies that are small JSON documents."""

import json
from typing import Any, Final

import orjson
from rest_framework.parsers import BaseParser

from vaultsite.kernel.errors import BodyTooLarge, MalformedJSON

#: Largest JSON request body, bytes. Uploads do not pass here.
MAX_BODY: Final = 8 * 1024 * 1024


class StrictJSONParser(BaseParser):
    """Strict JSON of bounded size, whatever Content-Type the client states."""

    media_type = "*/*"

    def parse(self, stream: Any, *_: Any, **__: Any) -> Any:
        body = stream.read(MAX_BODY + 1)
        if len(body) > MAX_BODY:
            raise BodyTooLarge(limit_bytes=MAX_BODY)
        if not body:
            return {}
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError as exc:
            raise MalformedJSON(line=exc.lineno, column=exc.colno) from None
        _refuse_repeated_members(body)
        return document


def _refuse_repeated_members(body: bytes) -> None:
    """Two members of one name: readers differ in which one counts, so neither may."""
    try:
        json.loads(body, object_pairs_hook=_unique)
    except RecursionError:
        raise MalformedJSON("The document is nested too deeply") from None


def _unique(members: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in members}) < len(members):
        raise MalformedJSON("A member is given twice in one object")
