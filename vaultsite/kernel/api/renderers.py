"""JSON as orjson writes it."""

from typing import Any

import orjson
from rest_framework.renderers import BaseRenderer


class CanonicalJSONRenderer(BaseRenderer):
    """UTF-8 JSON; UUIDs as text, times in RFC 3339 with Z."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, *_: Any, **__: Any) -> bytes:
        if data is None:
            return b""
        return orjson.dumps(data, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, frozenset | set):
        return sorted(value)
    return str(value)
