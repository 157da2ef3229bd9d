"""Request bodies that are small JSON documents."""

from typing import Any, Final

import orjson
from rest_framework.parsers import BaseParser

from vaultsite.kernel.errors import BodyTooLarge, MalformedJSON

#: Largest JSON request body, bytes. Uploads do not pass here.
MAX_BODY: Final = 8 * 1024 * 1024


class StrictJSONParser(BaseParser):
    """Strict JSON of bounded size, whatever Content-Type the client states."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        body = stream.read(MAX_BODY + 1)
        if len(body) > MAX_BODY:
            raise BodyTooLarge(limit_bytes=MAX_BODY)
        if not body:
            return {}
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as exc:
            raise MalformedJSON(line=exc.lineno, column=exc.colno) from None
