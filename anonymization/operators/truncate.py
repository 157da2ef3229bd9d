"""Truncate: a time without its finer parts."""

from typing import Final

from anonymization.operators.base import Keys, Operator, Parameters, Piece, Show, Shown
from anonymization.operators.dates import Written, read_date

_FORMATS: Final = {"year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d", "hour": "%Y-%m-%dT%H:00"}
_GRAINS: Final = ("year", "month", "day", "hour")
#: Stricter than a mask, or not: a day or an hour is most of what a date says.
_RANKS: Final = {"year": 460, "month": 450, "day": 210, "hour": 200}
#: Kinds of which an early year tells that somebody is very old.
_OF_BIRTH: Final = frozenset({"DATE_OF_BIRTH"})


class Truncate(Operator):
    """``2021-03-15 14:22`` becomes ``2021-03-15T14:00``, ``2021-03-15``, ``2021-03`` or ``2021``."""

    name = "truncate"
    title = "Truncate a time"
    description = "Dates and times to the hour, day, month or year. What is no date is replaced by its label."
    parameters = {
        "unit": {
            "type": "string",
            "title": "Unit",
            "description": "What is left of the time.",
            "enum": list(reversed(_GRAINS)),
            "default": "year",
        },
        "oldest_age": {
            "type": "integer",
            "title": "Oldest age told",
            "description": "Birth dates of people who may be older are told as one group.",
            "minimum": 1,
            "maximum": 150,
        },
        "day_first": {
            "type": "boolean",
            "title": "Day before month",
            "description": "How 03/04/2021 is read.",
            "default": False,
        },
    }
    may_repeat = True
    rank = 460

    def strictness(self, parameters: Parameters) -> int:
        return _RANKS[parameters.get("unit", "year")]

    def bind(self, parameters: Parameters, keys: Keys) -> Show:
        unit: str = parameters.get("unit", "year")
        day_first: bool = parameters.get("day_first", False)
        oldest: int | None = parameters.get("oldest_age")

        def show(piece: Piece) -> Shown:
            date = read_date(piece.text, day_first=day_first, is_number=piece.is_number)
            if date is None:
                return None
            if oldest is not None and piece.entity_type in _OF_BIRTH and date.when.year <= keys.this_year - oldest:
                return f"{keys.this_year - oldest} or before"
            return _truncated(date, unit)

        return show


def _truncated(date: Written, unit: str) -> Shown:
    if date.epoch:
        zero = {"month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0, "microsecond": 0}
        kept = {"year": (), "month": ("month",), "day": ("month", "day"), "hour": ("month", "day", "hour")}[unit]
        start = date.when.replace(**{name: value for name, value in zero.items() if name not in kept})  # type: ignore[arg-type]
        return int(start.timestamp()) * date.epoch
    finest = "hour" if date.has_hour else date.grain
    grain = min(unit, finest, key=_GRAINS.index)
    return date.when.strftime(_FORMATS[grain])
