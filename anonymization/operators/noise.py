"""Noise: a number near the number, never further off than stated."""

import math
from decimal import Decimal
from typing import Final

from anonymization.operators.base import Keys, Operator, Parameters, Piece, Show, Shown, keyed_number, required_key
from anonymization.operators.dates import numbers_in

_LABEL: Final = b"llm-data-vault/operators/noise/v1"
DEFAULT_PERCENT: Final = 10
_STEPS: Final = 1 << 53


class Noise(Operator):
    """``52000`` becomes, say, ``49710``. The same number in the same record always becomes the same.

    So nobody gets nearer by asking again. It is no differential privacy and gives no guarantee.
    """

    name = "noise"
    title = "Add noise"
    description = "Numbers move by a bounded random amount, the same for the same number in the same record."
    parameters = {
        "percent": {
            "type": "number",
            "title": "Percent",
            "description": "How far a number moves at most, in percent of itself.",
            "exclusiveMinimum": 0,
            "maximum": 1000,
            "default": DEFAULT_PERCENT,
        },
        "absolute": {
            "type": "number",
            "title": "Absolute",
            "description": "How far it moves at most, instead of a percentage.",
            "exclusiveMinimum": 0,
            "maximum": 1e15,
        },
        "minimum": {"type": "number", "title": "Smallest", "description": "No result is less."},
        "maximum": {"type": "number", "title": "Largest", "description": "No result is more."},
    }
    needs_key = True
    is_local = False
    rank = 100

    def bind(self, parameters: Parameters, keys: Keys) -> Show:
        key = required_key(keys.key)

        def show(piece: Piece) -> Shown:
            found = list(numbers_in(piece.text))
            if len(found) != 1:
                return None
            [match] = found
            drawn = keyed_number(key, _LABEL, piece.record_id, piece.entity_type, piece.text) % _STEPS
            number = _moved(match.group(), drawn / _STEPS * 2 - 1, parameters)
            if piece.is_number:
                return number
            return f"{piece.text[: match.start()]}{number}{piece.text[match.end() :]}"

        return show


def _moved(text: str, share: float, parameters: Parameters) -> int | float:
    """``share`` is between -1 and 1. As many decimals come out as went in."""
    value, decimals = Decimal(text), len(text.partition(".")[2])
    bound: float = parameters.get("absolute") or abs(float(value)) * parameters.get("percent", DEFAULT_PERCENT) / 100
    moved: float = float(value) + share * bound
    moved = min(max(moved, parameters.get("minimum", -math.inf)), parameters.get("maximum", math.inf))
    rounded: float = round(moved, decimals) if decimals else round(moved)
    return rounded
