"""The formats that a schema can demand of strings; they are checked, not merely noted."""

import re
from collections.abc import Callable
from datetime import date, time
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final
from urllib.parse import urlsplit

from jsonschema import FormatChecker

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME: Final = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})")
_EMAIL: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++)*+"
    r"@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*+:(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*+")
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}")
_LONGEST_ADDRESS: Final = 320


def _is_date(text: str) -> bool:
    return bool(_DATE.fullmatch(text) and date.fromisoformat(text))


def _is_time(text: str) -> bool:
    if not _TIME.fullmatch(text):
        return False
    hours, minutes, seconds = int(text[:2]), int(text[3:5]), int(text[6:8])
    time(hours, minutes, min(seconds, 59))  # RFC 3339 knows leap seconds
    offset = text[-5:] if text[-6] in "+-" else "00:00"
    time(int(offset[:2]), int(offset[3:]))
    return seconds <= 60  # noqa: PLR2004


def _is_moment(text: str) -> bool:
    """RFC 3339, section 5.6."""
    return len(text) > 10 and text[10] in "Tt " and _is_date(text[:10]) and _is_time(text[11:])  # noqa: PLR2004


def _is_email(text: str) -> bool:
    return len(text) <= _LONGEST_ADDRESS and bool(_EMAIL.fullmatch(text))


def _is_uri(text: str) -> bool:
    return bool(_URI.fullmatch(text) and urlsplit(text).scheme)


def _is_uuid(text: str) -> bool:
    return bool(_UUID.fullmatch(text))


FORMATS: Final[dict[str, Callable[[str], object]]] = {
    "date": _is_date,
    "date-time": _is_moment,
    "email": _is_email,
    "ipv4": IPv4Address,
    "ipv6": IPv6Address,
    "time": _is_time,
    "uri": _is_uri,
    "uuid": _is_uuid,
}


def is_of_format(name: str, text: str) -> bool:
    """Whether ``text`` is of the format; ``name`` is one of FORMATS."""
    try:
        return bool(FORMATS[name](text))
    except ValueError:
        return False


def format_checker() -> FormatChecker:
    """The formats as jsonschema takes them."""
    checker = FormatChecker(formats=())
    for name in FORMATS:
        checker.checks(name)(_checks(name))
    return checker


def _checks(name: str) -> Callable[[Any], bool]:
    return lambda value: not isinstance(value, str) or is_of_format(name, value)
