"""What records give to queries, bounded per subject before anything is added up.

Each record gives each query an integer or nothing. Of one subject only the first records that give something count, as
many as were declared: that depends on nobody else's records, so that a subject changes the result by no more.
"""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from secrets import token_bytes
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from datasets.query.ast import Path
from datasets.query.evaluate import MISSING, Record, value_at

Integers = NDArray[np.int64]

#: Bytes of rows held at once; a version with more takes more passes, each over the subjects of one part.
PASS_BYTES: Final = 128 * 1024 * 1024
_BATCH: Final = 20_000
#: A subject's key, and its order while sorting.
_ROW_BYTES: Final = 16 + 16
_VALUE_BYTES: Final = 9
_KEY: Final = np.dtype([("high", ">u8"), ("low", ">u8")])


class SubjectKeys:
    """Keyed hashes of subjects, 16 bytes, under a key that lives as long as this object."""

    def __init__(self) -> None:
        self._key = token_bytes(32)

    def of(self, record: Record, path: Path) -> bytes | None:
        """None where the record names no subject: it is left out, since nobody could be told to be protected."""
        value = value_at(record, path)
        if value is MISSING or value is None or isinstance(value, dict | list) or value == "":
            return None
        return blake2b(orjson.dumps(value), digest_size=16, key=self._key).digest()


def passes_for(records: int, queries: int, *, pass_bytes: int = PASS_BYTES) -> int:
    """How often a version with so many records is read, so that no more than ``pass_bytes`` are held."""
    return max(1, -(-records * (_ROW_BYTES + _VALUE_BYTES * queries) // pass_bytes))


class SubjectRows:
    """The rows of one pass: those of the subjects whose hash leaves ``number`` when divided by ``passes``."""

    def __init__(self, limits: Sequence[int], *, number: int = 0, passes: int = 1) -> None:
        self._limits = tuple(limits)
        self._number, self._passes = number, passes
        self._keys, self._values = bytearray(), [list[int]() for _ in limits]
        self._given = [bytearray() for _ in limits]
        self._parts: list[tuple[NDArray[Any], NDArray[np.int64], NDArray[np.bool_]]] = []

    def add(self, key: bytes, values: Sequence[int | None]) -> None:
        """One record's row; nothing is kept of a record that gives nothing, or of another pass's subject."""
        if int.from_bytes(key[:8], "big") % self._passes != self._number or all(value is None for value in values):
            return
        self._keys += key
        for column, given, value in zip(self._values, self._given, values, strict=True):
            column.append(0 if value is None else value)
            given.append(value is not None)
        if len(self._keys) >= _BATCH * _KEY.itemsize:
            self._pack()

    def _pack(self) -> None:
        keys = np.frombuffer(bytes(self._keys), _KEY)
        values = np.array(self._values, np.int64)
        given = np.array([np.frombuffer(bytes(column), np.bool_) for column in self._given])
        self._parts.append((keys, values, given))
        self._keys.clear()
        for column, flags in zip(self._values, self._given, strict=True):
            column.clear()
            flags.clear()

    def counted(self) -> Iterator[Integers]:
        """For each query in turn the values that count. Ends the use of this object."""
        self._pack()
        keys = np.concatenate([part[0] for part in self._parts])
        values = np.concatenate([part[1] for part in self._parts], axis=1)
        given = np.concatenate([part[2] for part in self._parts], axis=1)
        self._parts.clear()
        order = np.lexsort((keys["low"], keys["high"]))  # stable: a subject's records stay in their order
        keys = keys[order]
        is_first = np.ones(len(keys), bool)
        is_first[1:] = keys[1:] != keys[:-1]
        first = np.maximum.accumulate(np.where(is_first, np.arange(len(keys)), 0))
        for column, flags, limit in zip(values, given, self._limits, strict=True):
            flags, column = flags[order], column[order]
            earlier = np.concatenate([[0], np.cumsum(flags)])
            rank = earlier[1:] - earlier[first] if len(keys) else earlier[1:]
            yield column[flags & (rank <= limit)]
