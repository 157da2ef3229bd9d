"""Pseudonymize: an invented value of the same kind, the same for the same person within a scope."""

from typing import Final

from anonymization.operators.base import Keys, Operator, Parameters, Piece, Show, Shown, required_key
from anonymization.operators.generalize import Generalize
from anonymization.operators.invent import Inventor
from anonymization.operators.lists import LOCALES
from anonymization.operators.mask import NEVER_SHOWN
from anonymization.operators.shift_dates import ShiftDates

_DATES: Final = frozenset({"DATE_TIME", "DATE_OF_BIRTH"})
#: How far invented dates lie from the true ones at most.
_DATE_DAYS: Final = 180
#: Kinds with so few values that an invented one would be another person's group.
_GROUPS: Final = frozenset({"AGE"})
#: What no invented value can stand for.
_LABELLED: Final = NEVER_SHOWN | {"NRP", "RELIGION", "HEALTH", "ETHNICITY", "POLITICS", "SEXUALITY", "BIOMETRIC"}


class Pseudonymize(Operator):
    """``Jane Doe <jane.doe@acme.com>`` becomes, say, ``Carla Webb <carla.webb@example.org>``.

    The result is a pseudonym, hence still personal data. Two people may get the same name; no card number, IBAN or
    North American telephone number that is made can be anybody's.
    """

    name = "pseudonymize"
    title = "Pseudonymize"
    description = (
        "An invented value of the same kind and shape; the same person gets the same one within the policy's scope."
    )
    parameters = {
        "locale": {
            "type": "string",
            "title": "Locale",
            "description": "Whose names and places are used; else the policy's.",
            "enum": list(LOCALES),
        }
    }
    needs_key = True
    is_local = False
    rank = 600

    def bind(self, parameters: Parameters, keys: Keys) -> Show:
        inventor = Inventor(required_key(keys.key), parameters.get("locale", keys.locale))
        shift = ShiftDates().bind({"days": _DATE_DAYS, "per": "subject"}, keys)
        groups = Generalize().bind({"width": 10, "top": 90}, keys)

        def show(piece: Piece) -> Shown:
            if piece.entity_type in _LABELLED:
                return None
            if piece.entity_type in _DATES:
                return shift(piece)
            if piece.entity_type in _GROUPS:
                return groups(piece)
            return inventor.invent(piece.text, piece.entity_type)

        return show
