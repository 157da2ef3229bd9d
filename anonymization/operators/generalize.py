"""Generalize: a group that the value belongs to, instead of the value."""

import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from anonymization.operators.base import Keys, Operator, Parameters, Piece, Show, Shown
from anonymization.operators.dates import numbers_in
from anonymization.operators.zip_codes import RESTRICTED_ZIP3

DEFAULT_WIDTH: Final = 10
_US_ZIP: Final = re.compile(r"(\d{5})(?:-\d{4})?")
_ZIP_KINDS: Final = frozenset({"ZIP_CODE", "POSTAL_CODE", "ADDRESS", "LOCATION"})
_RESTRICTED_DIGITS: Final = 3


class Generalize(Operator):
    """``37`` becomes ``30-39``, ``02139`` becomes ``021**``, ``Lyon`` becomes ``France`` by a hierarchy."""

    name = "generalize"
    title = "Generalize"
    description = "Numbers to ranges, ZIP codes to prefixes, values to their group; what fits none gets its label."
    parameters = {
        "width": {
            "type": "number",
            "title": "Width",
            "description": "Numbers fall into ranges of this width, beginning at multiples of it.",
            "exclusiveMinimum": 0,
            "default": DEFAULT_WIDTH,
        },
        "bounds": {
            "type": "array",
            "title": "Bounds",
            "description": "Where ranges begin, ascending, instead of a width.",
            "items": {"type": "number"},
            "minItems": 1,
            "maxItems": 200,
        },
        "top": {"type": "number", "title": "Top", "description": "This and everything more is one group, as in 90+."},
        "hierarchy": {
            "type": "object",
            "title": "Hierarchy",
            "description": "The group of each value, compared without regard to case.",
            "additionalProperties": {"type": "string", "minLength": 1, "maxLength": 100},
            "maxProperties": 2000,
        },
        "otherwise": {
            "type": "string",
            "title": "Otherwise",
            "description": "The group of values the hierarchy does not name; else their label.",
            "minLength": 1,
            "maxLength": 100,
        },
        "zip_digits": {
            "type": "integer",
            "title": "ZIP digits",
            "description": "Leading digits of a US ZIP code that stay.",
            "minimum": 1,
            "maximum": 3,
        },
        "restrict_zip": {
            "type": "boolean",
            "title": "Restricted ZIP areas",
            "description": "000 in place of three digits that stand for 20,000 people or fewer (HIPAA Safe Harbor).",
            "default": True,
        },
        "as_number": {
            "type": "boolean",
            "title": "Numbers stay numbers",
            "description": "A JSON number becomes the beginning of its range instead of text.",
            "default": False,
        },
    }
    may_repeat = True
    rank = 400

    def bind(self, parameters: Parameters, keys: Keys) -> Show:
        del keys
        if "hierarchy" in parameters:
            return _by_hierarchy(parameters["hierarchy"], parameters.get("otherwise"))
        ranges = _by_range(parameters)
        if "zip_digits" not in parameters:
            return ranges
        digits, is_restricted = parameters["zip_digits"], parameters.get("restrict_zip", True)

        def show(piece: Piece) -> Shown:
            match = _US_ZIP.fullmatch(piece.text.strip()) if piece.entity_type in _ZIP_KINDS else None
            return _zip_prefix(match.group(1), digits, is_restricted=is_restricted) if match else None

        return show


def _by_hierarchy(hierarchy: Mapping[str, str], otherwise: str | None) -> Show:
    groups = {value.casefold().strip(): group for value, group in hierarchy.items()}
    return lambda piece: groups.get(piece.text.casefold().strip(), otherwise)


def _zip_prefix(code: str, digits: int, *, is_restricted: bool) -> str:
    if is_restricted and code[:_RESTRICTED_DIGITS] in RESTRICTED_ZIP3:
        return "000"[:digits] + "*" * (len(code) - digits)
    return code[:digits] + "*" * (len(code) - digits)


def _by_range(parameters: Parameters) -> Show:
    width, bounds, top = parameters.get("width", DEFAULT_WIDTH), parameters.get("bounds"), parameters.get("top")
    as_number = parameters.get("as_number", False)

    def show(piece: Piece) -> Shown:
        found = list(numbers_in(piece.text))
        if len(found) != 1:
            return None
        [match] = found
        low, words = _range(Decimal(match.group()), width, bounds, top)
        if piece.is_number:
            return low if as_number and low is not None else words
        return piece.text[: match.start()] + words + piece.text[match.end() :]

    return show


def _range(
    value: Decimal, width: float, bounds: Sequence[float] | None, top: float | None
) -> tuple[int | float | None, str]:
    """Where the range of a number begins (None: nowhere), and its words."""
    if top is not None and value >= Decimal(str(top)):
        return _plain(top), f"{_plain(top)}+"
    if bounds is None:
        low = math.floor(value / Decimal(str(width))) * Decimal(str(width))
        high = low + Decimal(str(width))
        if top is not None:
            high = min(high, Decimal(str(top)))
        return _plain(low), _words(low, high)
    edges = sorted(Decimal(str(bound)) for bound in bounds)
    below = [edge for edge in edges if edge <= value]
    if not below:
        return None, f"below {_plain(edges[0])}"
    above = [edge for edge in edges if edge > value]
    return _plain(below[-1]), _words(below[-1], above[0]) if above else f"{_plain(below[-1])}+"


def _words(low: Decimal, high: Decimal) -> str:
    """Both ends of whole numbers belong to the range (30-39); else the upper does not."""
    if low == low.to_integral_value() and high == high.to_integral_value():
        return f"{int(low)}-{int(high) - 1}" if high - low > 1 else f"{int(low)}"
    return f"[{_plain(low)}, {_plain(high)})"


def _plain(number: Decimal | float) -> int | float:
    value = Decimal(str(number))
    return int(value) if value == value.to_integral_value() else float(value)
