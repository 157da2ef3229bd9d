"""The bytes of a passport: RFC 8785 JSON without fractions, so that every reader writes the same."""

from collections.abc import Mapping
from typing import Any

import rfc8785


def canonical(document: Mapping[str, Any]) -> bytes:
    """RFC 8785 bytes. Raises ValueError for floats, whose text would depend on who prints them."""
    _refuse_floats(document)
    return rfc8785.dumps(dict(document))


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise ValueError("a passport holds no fractions; write them as text")  # noqa: TRY004 - a wrong value
    if isinstance(value, Mapping):
        for inner in value.values():
            _refuse_floats(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_floats(inner)
