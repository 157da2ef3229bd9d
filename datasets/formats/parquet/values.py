"""Arrow arrays as lists of JSON values: exact, or refused with a reason. Runs in the child only."""

import base64
import math
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final

import pyarrow as pa
import pyarrow.types as kinds

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - UTC by definition; the zone is written out where there is one
_DAY: Final = 86_400_000
_DIGITS: Final = {"s": 0, "ms": 3, "us": 6, "ns": 9}


class InexpressibleError(ValueError):
    """A value has no exact JSON form; ``reason`` is a stable word, and no value is part of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def is_expressible(kind: pa.DataType) -> bool:
    """Whether every type inside has a JSON form."""
    if kinds.is_struct(kind):
        return all(is_expressible(field.type) for field in kind)
    if _is_list(kind):
        return is_expressible(kind.value_type)
    if kinds.is_map(kind):
        return _is_text(kind.key_type) and is_expressible(kind.item_type)
    if kinds.is_dictionary(kind):
        return is_expressible(kind.value_type)
    return _converter(kind) is not None


def depth_of(kind: pa.DataType) -> int:
    """Levels of nesting: 1 for a plain value."""
    if kinds.is_map(kind):
        return 1 + depth_of(kind.item_type)
    if kinds.is_nested(kind):
        return 1 + max((depth_of(kind.field(index).type) for index in range(kind.num_fields)), default=0)
    return 1


def to_json(array: pa.Array) -> list[Any]:
    """One JSON value an element. Raises InexpressibleError when one of them has none."""
    kind = array.type
    if kinds.is_struct(kind):
        return _structs(array)
    if kinds.is_map(kind):
        return _maps(array)
    if kinds.is_fixed_size_list(kind):
        return to_json(array.cast(pa.list_(kind.value_field)))
    if _is_list(kind):
        return list(_sliced(array, to_json(_inner(array, array.values))))
    if kinds.is_dictionary(kind):
        return to_json(array.dictionary_decode())
    convert = _converter(kind)
    if convert is None:
        raise InexpressibleError("unsupported-type")
    return convert(array)


def _structs(array: pa.StructArray) -> list[Any]:
    names = [field.name for field in array.type]
    columns = [to_json(column) for column in array.flatten()]
    valid = array.is_valid().to_pylist()
    rows = zip(*columns, strict=True) if columns else ((),) * len(array)
    return [dict(zip(names, row, strict=True)) if here else None for row, here in zip(rows, valid, strict=True)]


def _maps(array: pa.MapArray) -> list[Any]:
    keys = _sliced(array, to_json(_inner(array, array.keys)))
    items = _sliced(array, to_json(_inner(array, array.items)))
    return [None if names is None else _object(names, values) for names, values in zip(keys, items, strict=True)]


def _object(names: list[str], values: list[Any] | None) -> dict[str, Any]:
    assert values is not None
    members = dict(zip(names, values, strict=True))
    if len(members) != len(names):
        raise InexpressibleError("duplicate-key")
    return members


def _inner(array: Any, values: pa.Array) -> pa.Array:
    """The part of a list array's values that its elements use."""
    start, stop = array.offsets[0].as_py(), array.offsets[-1].as_py()
    return values.slice(start, stop - start)


def _sliced(array: Any, values: list[Any]) -> Iterator[list[Any] | None]:
    offsets = array.offsets.to_pylist()
    base = offsets[0]
    bounds = zip(offsets, offsets[1:], array.is_valid().to_pylist(), strict=False)
    return (values[start - base : stop - base] if here else None for start, stop, here in bounds)


def _is_list(kind: pa.DataType) -> bool:
    return bool(kinds.is_list(kind) or kinds.is_large_list(kind) or kinds.is_fixed_size_list(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(kinds.is_string(kind) or kinds.is_large_string(kind))


def _plain(array: pa.Array) -> list[Any]:
    return list(array.to_pylist())


def _texts(array: pa.Array) -> list[Any]:
    try:
        return list(array.to_pylist())
    except UnicodeDecodeError:
        raise InexpressibleError("not-utf-8") from None


def _floats(array: pa.Array) -> list[Any]:
    values = (array.cast(pa.float32()) if kinds.is_float16(array.type) else array).to_pylist()
    if not all(value is None or math.isfinite(value) for value in values):
        raise InexpressibleError("not-finite")
    return list(values)


def _each(form: Callable[[Any], Any]) -> Callable[[pa.Array], list[Any]]:
    def convert(array: pa.Array) -> list[Any]:
        return [None if value is None else form(value) for value in array.to_pylist()]

    return convert


def _counted(width: pa.DataType, form: Callable[[int], str]) -> Callable[[pa.Array], list[Any]]:
    """Of a type that is a count of something since its zero."""

    def convert(array: pa.Array) -> list[Any]:
        return _each(form)(array.view(width))

    return convert


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _day(days: int) -> str:
    try:
        return (date(1970, 1, 1) + timedelta(days=days)).isoformat()
    except OverflowError:
        raise InexpressibleError("date-range") from None


def _whole_day(milliseconds: int) -> str:
    if milliseconds % _DAY:
        raise InexpressibleError("date-range")
    return _day(milliseconds // _DAY)


def _moment(unit: str, zone: str) -> Callable[[int], str]:
    digits = _DIGITS[unit]

    def form(count: int) -> str:
        seconds, rest = divmod(count, 10**digits)
        try:
            moment = _EPOCH + timedelta(seconds=seconds)
        except OverflowError:
            raise InexpressibleError("date-range") from None
        return moment.isoformat() + _fraction(rest, digits) + zone

    return form


def _time(unit: str) -> Callable[[int], str]:
    digits = _DIGITS[unit]

    def form(count: int) -> str:
        seconds, rest = divmod(count, 10**digits)
        if not 0 <= seconds < _DAY // 1000:
            raise InexpressibleError("date-range")
        return (_EPOCH + timedelta(seconds=seconds)).time().isoformat() + _fraction(rest, digits)

    return form


def _fraction(rest: int, digits: int) -> str:
    return f".{rest:0{digits}d}" if digits else ""


_FORMS: Final[tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.Array], list[Any]]], ...]] = (
    (kinds.is_null, _plain),
    (kinds.is_boolean, _plain),
    (kinds.is_integer, _plain),
    (kinds.is_floating, _floats),
    (_is_text, _texts),
    (kinds.is_binary, _each(_base64)),
    (kinds.is_large_binary, _each(_base64)),
    (kinds.is_fixed_size_binary, _each(_base64)),
    (kinds.is_decimal, _each(lambda value: format(value, "f"))),
    (kinds.is_date32, _counted(pa.int32(), _day)),
    (kinds.is_date64, _counted(pa.int64(), _whole_day)),
)


def _converter(kind: pa.DataType) -> Callable[[pa.Array], list[Any]] | None:
    if kinds.is_timestamp(kind):
        return _counted(pa.int64(), _moment(kind.unit, "" if kind.tz is None else "Z"))
    if kinds.is_time32(kind):
        return _counted(pa.int32(), _time(kind.unit))
    if kinds.is_time64(kind):
        return _counted(pa.int64(), _time(kind.unit))
    return next((convert for is_of, convert in _FORMS if is_of(kind)), None)
