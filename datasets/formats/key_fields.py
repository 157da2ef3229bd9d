"""Record ids made of the values of key fields: equal values give equal ids, and no value can be read off one."""

import base64
from dataclasses import dataclass
from typing import Any, Final, Self

import orjson

from datasets.errors import InvalidRecordId
from vaultsite.kernel.crypto.keys import SecretKey

#: Fields a key may have.
MAX_KEY_FIELDS: Final = 16
_ID_BYTES: Final = 20
_MISSING: Final = object()


@dataclass(frozen=True, slots=True)
class KeyFields:
    """The fields of ``data``, as RFC 6901 pointers in ascending order, whose values identify a record."""

    pointers: tuple[str, ...]
    secret: SecretKey

    @classmethod
    def of(cls, names: str, secret: SecretKey) -> Self:
        """From names separated by commas: each is a JSON pointer when it begins with ``/``, else a top-level member.

        ``secret`` belongs to the dataset. Raises ValueError for an empty name, one that occurs twice, a bad pointer, or
        more than MAX_KEY_FIELDS.
        """
        return cls(key_pointers(names), secret)

    def id_of(self, data: dict[str, Any], line: int) -> str:
        """32 characters: base32 of HMAC-SHA-256 over the canonical JSON of [pointer, value] pairs, cut to 160 bits.

        A value is a string, number or boolean. Raises InvalidRecordId (``key-missing``, ``key-type``).
        """
        pairs = [[pointer, self._value(data, pointer, line)] for pointer in self.pointers]
        digest = self.secret.mac(orjson.dumps(pairs))[:_ID_BYTES]
        return base64.b32encode(digest).decode().lower()

    def _value(self, data: dict[str, Any], pointer: str, line: int) -> str | int | float | bool:
        value = value_at(data, pointer)
        if value is _MISSING or value is None:
            raise InvalidRecordId("the record lacks a key field", reason="key-missing", line=line)
        if not isinstance(value, str | int | float):
            raise InvalidRecordId("a key field is an object or array", reason="key-type", line=line)
        return value


def key_pointers(names: str) -> tuple[str, ...]:
    """The pointers that ``names`` lists, ascending. Raises ValueError as ``KeyFields.of`` does."""
    pointers = [_pointer(name.strip()) for name in names.split(",")]
    if len(pointers) > MAX_KEY_FIELDS or len(set(pointers)) != len(pointers):
        raise ValueError(f"a key has up to {MAX_KEY_FIELDS} fields, each once")
    return tuple(sorted(pointers))


def _pointer(name: str) -> str:
    if not name or name == "/":
        raise ValueError("a key field has a name")
    if not name.startswith("/"):
        return "/" + name.replace("~", "~0").replace("/", "~1")
    if "~" in name.replace("~0", "").replace("~1", ""):
        raise ValueError("in a JSON pointer ~ stands before 0 or 1")
    return name


def value_at(value: Any, pointer: str) -> Any:
    """The value a pointer leads to, a private marker (no JSON value) when it leads nowhere."""
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(name, _MISSING)
        elif isinstance(value, list) and name.isascii() and name.isdecimal() and int(name[:9]) < len(value):
            value = value[int(name)] if name == str(int(name[:9])) else _MISSING
        else:
            return _MISSING
    return value
