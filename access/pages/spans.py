"""How long something may last, as forms offer it."""

from typing import Final

from vaultsite.kernel.errors import FieldProblem, InvalidInput

HOUR: Final = 3600
DAY: Final = 24 * HOUR
#: Seconds and words, from short to long.
SPANS: Final = (
    (HOUR, "1 hour"),
    (8 * HOUR, "8 hours"),
    (DAY, "1 day"),
    (7 * DAY, "7 days"),
    (30 * DAY, "30 days"),
    (90 * DAY, "90 days"),
)
_LONGEST: Final = 12


def spans_up_to(seconds: int) -> list[tuple[int, str]]:
    """Those that fit."""
    return [span for span in SPANS if span[0] <= seconds]


def whole_number(text: str, field: str) -> int:
    """The number somebody typed. Raises InvalidInput."""
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST):
        raise InvalidInput(errors=[FieldProblem(f"/{field}", "a whole number")])
    return int(text)


def number_or_none(text: str, field: str) -> int | None:
    """The same, None for nothing typed. Raises InvalidInput."""
    return whole_number(text.strip(), field) if text.strip() else None
