"""Date shift: every date of a person moved by the same secret number of days, so that intervals stay."""

from typing import Final

from anonymization.operators.base import Keys, Operator, Parameters, Piece, Show, Shown, keyed_number, required_key
from anonymization.operators.dates import read_date

_LABEL: Final = b"llm-data-vault/operators/shift-dates/v1"
DEFAULT_DAYS: Final = 30


class ShiftDates(Operator):
    """``15 March 2021`` becomes, say, ``2 April 2021``; under HIPAA that takes an expert's determination."""

    name = "shift_dates"
    title = "Shift dates"
    description = (
        "All dates of a person (or of a record) move by the same secret number of days; intervals stay. Not a Safe "
        "Harbor method: under HIPAA it takes an expert determination."
    )
    parameters = {
        "days": {
            "type": "integer",
            "title": "Days at most",
            "description": "Dates move by 1 to so many days, back or forth.",
            "minimum": 1,
            "maximum": 3650,
            "default": DEFAULT_DAYS,
        },
        "per": {
            "type": "string",
            "title": "Same shift for",
            "description": "A person (by the policy's subject field; else the record), a record, or everything.",
            "enum": ["subject", "record", "scope"],
            "default": "subject",
        },
        "day_first": {
            "type": "boolean",
            "title": "Day before month",
            "description": "How 03/04/2021 is read.",
            "default": False,
        },
    }
    needs_key = True
    is_local = False
    rank = 150

    def bind(self, parameters: Parameters, keys: Keys) -> Show:
        key, most = required_key(keys.key), parameters.get("days", DEFAULT_DAYS)
        per, day_first = parameters.get("per", "subject"), parameters.get("day_first", False)

        def show(piece: Piece) -> Shown:
            date = read_date(piece.text, day_first=day_first, is_number=piece.is_number)
            if date is None:
                return None
            drawn = keyed_number(key, _LABEL, *_whose(piece, per)) % (2 * most)
            return date.moved(drawn - most if drawn < most else drawn - most + 1)

        return show


def _whose(piece: Piece, per: str) -> tuple[str, str]:
    if per == "subject" and piece.subject:
        return "subject", piece.subject
    return ("scope", "") if per == "scope" else ("record", piece.record_id)
