"""Canonical JSON (RFC 8785)."""

from typing import Any, Final

import orjson
import rfc8785

#: Integers beyond this are no numbers of JSON (RFC 8785 section 3.2.2.3: they are doubles).
SAFE_INTEGER: Final = 2**53 - 1


def canonical_json(value: Any) -> bytes:
    """The one spelling of ``value``, in UTF-8. Raises rfc8785.CanonicalizationError.

    Of values without floats and with names in ASCII orjson writes the same bytes in a fiftieth of the time.
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS) if _is_plain(value) else rfc8785.dumps(value)


def _is_plain(value: Any) -> bool:
    match value:
        case None | bool():
            return True
        case str():
            return value.isascii()
        case int():
            return -SAFE_INTEGER <= value <= SAFE_INTEGER
        case dict():
            return all(isinstance(name, str) and name.isascii() and _is_plain(one) for name, one in value.items())
        case list():
            return all(map(_is_plain, value))
    return False
