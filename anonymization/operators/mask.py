"""Mask: the shape of the data and at most its last few characters."""

from typing import Final

from anonymization.operators.base import Operator
from vaultsite.kernel.crypto.keys import SecretKey

#: Shown at the end: at most a quarter of the letters and digits, and never more than four (PCI DSS 4.0, 3.4.1).
SHOWN_SHARE: Final = 4
SHOWN_MOST: Final = 4

_STAR: Final = "*"
#: Characters that give a value its shape without telling what it is.
_SEPARATORS: Final = frozenset(" -./@:()+,_\n\t")

#: Values of which every character is a secret.
_NEVER_SHOWN: Final = frozenset(
    {"PASSWORD", "API_KEY", "ACCESS_TOKEN", "PRIVATE_KEY", "CARD_VERIFICATION", "CARD_PIN", "PIN_BLOCK", "TRACK_DATA"}
)


class Mask(Operator):
    """``4111 1111 1111 1111`` becomes ``**** **** **** 1111``; separators stay, secrets are masked throughout."""

    def apply(self, text: str, entity_type: str, key: SecretKey | None) -> str:
        del key
        characters = [index for index, char in enumerate(text) if char not in _SEPARATORS]
        shown = _shown(len(characters)) if entity_type not in _NEVER_SHOWN else 0
        visible = {index for index in characters[len(characters) - shown :] if text[index].isalnum()}
        keep_shape = entity_type not in _NEVER_SHOWN and characters
        return "".join(
            char if index in visible or (keep_shape and char in _SEPARATORS) else _STAR
            for index, char in enumerate(text)
        )


def _shown(characters: int) -> int:
    return min(SHOWN_MOST, characters // SHOWN_SHARE)
