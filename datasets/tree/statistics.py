"""Bounds of the values in a chunk, so that a reader who looks for some need not open chunks that cannot hold them."""

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

import orjson

from datasets.errors import CorruptTree
from datasets.tree.record import TreeRecord

FORMAT: Final = 1
#: A chunk tells of at most this many members, whose names have at most this many bytes.
MAX_MEMBERS: Final = 32
MAX_NAME_BYTES: Final = 64
#: Of texts only so many bytes are kept.
TEXT_BYTES: Final = 24

#: format, whether all members are told of, members, records
_HEADER: Final = struct.Struct(">BBBH")
#: length of the name, flags, records without the member
_MEMBER: Final = struct.Struct(">BBH")
_NUMBERS: Final = struct.Struct(">dd")
_TEXTS: Final = struct.Struct(">BB")
_NULL, _FALSE, _TRUE, _NUMBER, _TEXT, _OTHER, _CUT = (1 << bit for bit in range(7))


@dataclass(frozen=True, slots=True)
class MemberStatistics:
    """What the values of one top-level member of ``data`` can be, in one chunk.

    ``numbers`` are bounds of all numbers, rounded outwards to doubles. ``texts`` are a text not above the lowest and,
    where ``is_cut``, only the beginning of the highest text, else the highest itself; texts are compared by code
    points. None: there are no such values. ``missing`` counts records without the member; ``has_other`` tells of arrays
    and objects.
    """

    missing: int
    has_null: bool = False
    has_false: bool = False
    has_true: bool = False
    has_other: bool = False
    numbers: tuple[float, float] | None = None
    texts: tuple[str, str] | None = None
    is_cut: bool = False

    def can_equal(self, value: object) -> bool:
        """Whether a record may have this value there: a JSON scalar; arrays and objects if there are any."""
        if value is None:
            return self.has_null
        if isinstance(value, bool):
            return self.has_true if value else self.has_false
        if isinstance(value, int | float | str):
            return self.can_be_below(value, or_equal=True) and self.can_be_above(value, or_equal=True)
        return self.has_other

    def can_be_below(self, value: float | str, *, or_equal: bool = False) -> bool:
        """Whether some number (for a number) or text (for a text) may be lower."""
        bounds = self.texts if isinstance(value, str) else self.numbers
        return bounds is not None and (bounds[0] < value or (or_equal and bounds[0] == value))  # type: ignore[operator]

    def can_be_above(self, value: float | str, *, or_equal: bool = False) -> bool:
        """Whether some number or text may be higher."""
        if not isinstance(value, str):
            high = self.numbers
            return high is not None and (high[1] > value or (or_equal and high[1] == value))
        if self.texts is None:
            return False
        highest = self.texts[1]
        return highest > value or (or_equal and highest == value) or (self.is_cut and value.startswith(highest))

    def can_begin_with(self, prefix: str) -> bool:
        """Whether some text may begin so."""
        if self.texts is None:
            return False
        lowest, highest = self.texts
        return lowest[: len(prefix)] <= prefix and (
            highest[: len(prefix)] >= prefix or (self.is_cut and prefix.startswith(highest))
        )


@dataclass(frozen=True, slots=True)
class ChunkStatistics:
    """Of the ``count`` records of a chunk, by top-level member of ``data``.

    Where ``is_complete``, a member that is not told of is in no record; else nothing is known of it.
    """

    count: int
    members: Mapping[str, MemberStatistics]
    is_complete: bool

    def member(self, name: str) -> MemberStatistics | None:
        """What is known of a member; None when nothing is, and it may have any value or none."""
        known = self.members.get(name)
        return MemberStatistics(missing=self.count) if known is None and self.is_complete else known

    def encode(self) -> bytes:
        parts = [_HEADER.pack(FORMAT, self.is_complete, len(self.members), self.count)]
        for name, member in self.members.items():
            parts += _encoded(name.encode(), member)
        return b"".join(parts)

    @classmethod
    def decode(cls, encoded: bytes) -> "ChunkStatistics":
        """Raises CorruptTree."""
        try:
            form, is_complete, size, count = _HEADER.unpack_from(encoded)
            members, at = {}, _HEADER.size
            for _ in range(size):
                name, member, at = _decoded(encoded, at)
                members[name] = member
        except (struct.error, UnicodeDecodeError):
            raise CorruptTree("A chunk's statistics are damaged") from None
        if (form, at, len(members)) != (FORMAT, len(encoded), size):
            raise CorruptTree("A chunk's statistics have an unknown format")
        return cls(count, members, bool(is_complete))


def describe_records(records: Sequence[TreeRecord]) -> bytes:
    """The encoded statistics of these records, parsed all at once."""
    lines = b",".join([record.canonical for record in records])
    return describe([row["data"] for row in orjson.loads(b"[%b]" % lines)]).encode()


def describe(rows: Sequence[Mapping[str, Any]]) -> ChunkStatistics:
    """The statistics of the ``data`` of some records."""
    columns = _columns(rows)
    names = [name for name in columns if len(name.encode()) <= MAX_NAME_BYTES][:MAX_MEMBERS]
    members = {name: _member(columns[name], len(rows)) for name in names}
    return ChunkStatistics(len(rows), members, is_complete=len(names) == len(columns))


def _columns_of_alike(rows: Sequence[Mapping[str, Any]]) -> dict[str, Sequence[Any]] | None:
    """The values of each member when all rows have the same; None otherwise."""
    names = tuple(rows[0]) if rows else ()
    if len(names) < 2 or set(map(len, rows)) != {len(names)}:  # noqa: PLR2004 - for one, itemgetter gives no tuple
        return None
    try:
        return dict(zip(names, zip(*map(itemgetter(*names), rows), strict=True), strict=True))
    except KeyError:
        return None


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, Sequence[Any]]:
    """The values of each member; rows with the same members are turned into columns together, which is much faster."""
    if (columns := _columns_of_alike(rows)) is not None:
        return columns
    alike: dict[tuple[str, ...], list[Iterable[Any]]] = {}
    for row in rows:
        alike.setdefault(tuple(row), []).append(row.values())
    mixed: dict[str, list[Any]] = {}
    for names, values in alike.items():
        for name, column in zip(names, zip(*values, strict=True), strict=True):
            mixed.setdefault(name, []).extend(column)
    return {**mixed}


def _member(values: Sequence[Any], count: int) -> MemberStatistics:
    kinds = set(map(type, values))
    numbers = texts = None
    is_cut = False
    if int in kinds or float in kinds:
        only = values if kinds <= {int, float} else [value for value in values if type(value) in (int, float)]
        numbers = _rounded(min(only), -math.inf), _rounded(max(only), math.inf)
    if str in kinds:
        only = values if len(kinds) == 1 else [value for value in values if type(value) is str]
        highest = max(only)
        texts = _beginning(min(only)), _beginning(highest)
        is_cut = texts[1] != highest
    return MemberStatistics(
        missing=count - len(values),
        has_null=type(None) in kinds,
        has_false=bool in kinds and any(value is False for value in values),
        has_true=bool in kinds and any(value is True for value in values),
        has_other=dict in kinds or list in kinds,
        numbers=numbers,
        texts=texts,
        is_cut=is_cut,
    )


def _rounded(number: float, outwards: float) -> float:
    """The number as a double, or the next double outwards where it has none."""
    near = float(number)
    is_inside = near > number if outwards < 0 else near < number
    return math.nextafter(near, outwards) if is_inside else near


def _beginning(text: str) -> str:
    """The text as far as it has room, without half a character."""
    cut = text[:TEXT_BYTES].encode()
    return cut.decode() if len(cut) <= TEXT_BYTES else cut[:TEXT_BYTES].decode(errors="ignore")


def _encoded(name: bytes, member: MemberStatistics) -> Iterable[bytes]:
    flags = (
        _NULL * member.has_null
        | _FALSE * member.has_false
        | _TRUE * member.has_true
        | _NUMBER * (member.numbers is not None)
        | _TEXT * (member.texts is not None)
        | _OTHER * member.has_other
        | _CUT * member.is_cut
    )
    yield _MEMBER.pack(len(name), flags, member.missing)
    yield name
    if member.numbers is not None:
        yield _NUMBERS.pack(*member.numbers)
    if member.texts is not None:
        lowest, highest = (text.encode() for text in member.texts)
        yield _TEXTS.pack(len(lowest), len(highest))
        yield lowest + highest


def _decoded(encoded: bytes, at: int) -> tuple[str, MemberStatistics, int]:
    length, flags, missing = _MEMBER.unpack_from(encoded, at)
    at += _MEMBER.size + length
    name = encoded[at - length : at].decode()
    numbers = texts = None
    if flags & _NUMBER:
        low, high = _NUMBERS.unpack_from(encoded, at)
        numbers, at = (low, high), at + _NUMBERS.size
    if flags & _TEXT:
        lowest, highest = _TEXTS.unpack_from(encoded, at)
        at += _TEXTS.size
        texts = encoded[at : at + lowest].decode(), encoded[at + lowest : at + lowest + highest].decode()
        at += lowest + highest
    member = MemberStatistics(
        missing=missing,
        has_null=bool(flags & _NULL),
        has_false=bool(flags & _FALSE),
        has_true=bool(flags & _TRUE),
        has_other=bool(flags & _OTHER),
        numbers=numbers,
        texts=texts,
        is_cut=bool(flags & _CUT),
    )
    return name, member, at
