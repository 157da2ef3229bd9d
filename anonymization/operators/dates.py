"""Dates as people and programs write them: read, and written again in the same shape."""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

_MONTHS: Final = tuple(name.lower() for name in calendar.month_name[1:])
_SHORT: Final = tuple(name[:3] for name in _MONTHS)
_MONTH: Final = r"(?P<month_name>" + "|".join((*_MONTHS, *_SHORT, "sept")) + r")"
_CLOCK: Final = r"(?:[T ,]+(?:at )?(?P<hour>\d{1,2})(?P<clock_rest>:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:\s*[AaPp]\.?[Mm]\.?)?(?:\s*(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))?)?)?"  # noqa: E501 - one pattern
_DAY: Final = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"

#: Each way to write a date; the first that fits the whole text tells its parts.
_SHAPES: Final = tuple(
    re.compile(shape + _CLOCK, re.IGNORECASE)
    for shape in (
        r"(?P<year>\d{4})(?P<gap>[-/.])(?P<month>\d{1,2})(?P=gap)(?P<day>\d{1,2})",
        r"(?P<first>\d{1,2})(?P<gap>[-/.])(?P<second>\d{1,2})(?P=gap)(?P<year>\d{4}|\d{2})",
        _DAY + r"(?: of)?[ -]" + _MONTH + r"\.?,?[ -](?P<year>\d{4})",
        _MONTH + r"\.? " + _DAY + r",? (?P<year>\d{4})",
        r"(?P<year>(?:19|20)\d{2})(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])",
        r"(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])",
        _MONTH + r"\.?,? (?P<year>\d{4})",
        r"(?P<year>(?:1[89]|20)\d{2})",
    )
)
_MIDDLE: Final = (7, 15)
_MONTHS_IN_YEAR: Final = 12
_PIVOT: Final = 70
#: Numbers of so many digits are seconds, or milliseconds, since 1970.
_EPOCH_DIGITS: Final = {10: 1, 13: 1000}


@dataclass(frozen=True, slots=True)
class Written:
    """A date that was read: what it says, how finely (``day``, ``month``, ``year``), and how it is written."""

    when: datetime
    grain: str
    text: str
    #: Start, end and name of each part in ``text``.
    parts: tuple[tuple[int, int, str], ...]
    has_hour: bool = False
    #: Of a number: how many of its units make a second.
    epoch: int = 0

    def moved(self, days: int) -> str | int | None:
        """The date ``days`` later in the same shape; None where no calendar has it."""
        try:
            when = self.when + timedelta(days=days)
        except OverflowError:
            return None
        if self.epoch:
            return int(self.text) + days * 86_400 * self.epoch
        text = self.text
        for start, end, name in sorted(self.parts, reverse=True):
            text = text[:start] + _part(name, text[start:end], when) + text[end:]
        return text


def read_date(text: str, *, day_first: bool = False, is_number: bool = False) -> Written | None:
    """The date that ``text`` is, as a whole; None for anything else.

    ``03/04/2021`` is the fourth of March unless ``day_first``, or unless only the other reading is a date.
    """
    if is_number:
        return _epoch(text)
    stripped = text.strip()
    for shape in _SHAPES:
        match = shape.fullmatch(stripped)
        if match:
            return _written(match, text, text.index(stripped), day_first=day_first)
    return None


def _epoch(text: str) -> Written | None:
    scale = _EPOCH_DIGITS.get(len(text)) if text.isdecimal() else None
    if scale is None:
        return None
    return Written(datetime.fromtimestamp(int(text) / scale, UTC), "day", text, (), has_hour=True, epoch=scale)


def _written(match: re.Match[str], text: str, offset: int, *, day_first: bool) -> Written | None:
    found = {name: value for name, value in match.groupdict().items() if value is not None}
    names = _names(found, day_first=day_first)
    values = {names.get(name, name): value for name, value in found.items()}
    year, month = _year(values["year"]), _month(values)
    grain = "day" if "day" in values else "month" if month else "year"
    try:
        when = datetime(year, month or _MIDDLE[0], int(values.get("day", _MIDDLE[1])), tzinfo=UTC)
        when = when.replace(hour=int(values["hour"])) if "hour" in values else when
    except ValueError:
        return None
    parts = tuple(
        (match.start(name) + offset, match.end(name) + offset, names.get(name, name))
        for name in found
        if names.get(name, name) in ("year", "month", "day", "month_name")
    )
    return Written(when, grain, text, parts, has_hour="hour" in values)


def _names(found: dict[str, str], *, day_first: bool) -> dict[str, str]:
    if "first" not in found:
        return {}
    first, second = int(found["first"]), int(found["second"])
    is_day_first = first > _MONTHS_IN_YEAR or (day_first and second <= _MONTHS_IN_YEAR)
    return {"first": "day", "second": "month"} if is_day_first else {"first": "month", "second": "day"}


def _year(text: str) -> int:
    year = int(text)
    if len(text) == 4:  # noqa: PLR2004 - all its digits
        return year
    return year + (1900 if year >= _PIVOT else 2000)


def _month(values: dict[str, str]) -> int | None:
    if "month_name" in values:
        return _SHORT.index(values["month_name"][:3].lower()) + 1
    return int(values["month"]) if "month" in values else None


def _part(name: str, old: str, when: datetime) -> str:
    if name == "month_name":
        return _as_cased(old, calendar.month_name[when.month] if len(old) > 4 or old.lower() == "may" else _short(when))  # noqa: PLR2004 - "Sept"
    number = {"year": when.year, "month": when.month, "day": when.day}[name]
    if name == "year":
        return f"{number:04d}"[-len(old) :]
    return f"{number:02d}" if len(old) > 1 else str(number)


def _short(when: datetime) -> str:
    return calendar.month_abbr[when.month]


def _as_cased(old: str, new: str) -> str:
    if old.isupper():
        return new.upper()
    return new.lower() if old.islower() else new


def numbers_in(text: str) -> Iterator[re.Match[str]]:
    """Every plain decimal number in a text."""
    return re.finditer(r"(?<![\w.,-])-?\d+(?:\.\d+)?(?![\w]|[.,]\d)", text)
