"""Mask: the shape of the data and at most its first or last few characters."""

from typing import Final

import regex

from anonymization.operators.base import Keys, Operator, Parameters, Piece, Show

#: Shown at the end: at most a quarter of the letters and digits, and never more than four (PCI DSS 4.0, 3.4.1).
SHOWN_SHARE: Final = 4
SHOWN_MOST: Final = 4
#: Of a card number at most the first six and the last four are shown, and six digits are always hidden.
CARD: Final = "CREDIT_CARD"
_CARD_HIDDEN: Final = 6

_STAR: Final = "*"
#: Characters that give a value its shape without telling what it is.
_SEPARATORS: Final = frozenset(" -./@:()+,_\n\t")
_SPACES: Final = "".join(_SEPARATORS)
#: For texts in ASCII: all but separators to stars, and separators to nothing.
_STARS: Final = {code: _STAR for code in range(128) if chr(code) not in _SEPARATORS}
_WITHOUT: Final = dict.fromkeys(map(ord, _SEPARATORS))
#: What a reader takes for one character, combining marks and joined emoji included.
_CLUSTER: Final = regex.compile(r"\X")

#: Values of which every character is a secret.
NEVER_SHOWN: Final = frozenset(
    {"PASSWORD", "API_KEY", "ACCESS_TOKEN", "PRIVATE_KEY", "CARD_VERIFICATION", "CARD_PIN", "PIN_BLOCK", "TRACK_DATA"}
)


class Mask(Operator):
    """``4111 1111 1111 1111`` becomes ``**** **** **** 1111``; separators stay, secrets are masked throughout."""

    name = "mask"
    title = "Mask"
    description = (
        "Stars in place of letters and digits, separators kept. Never shows more than a quarter, of a card number at "
        "most the first six and the last four digits, of secrets nothing."
    )
    parameters = {
        "keep_last": {
            "type": "integer",
            "title": "Last characters shown",
            "description": "At most so many, and never more than a quarter.",
            "minimum": 0,
            "maximum": SHOWN_MOST,
            "default": SHOWN_MOST,
        },
        "keep_first": {
            "type": "integer",
            "title": "First digits shown of card numbers",
            "description": "Has no effect on anything but card numbers.",
            "minimum": 0,
            "maximum": 6,
            "default": 0,
        },
    }
    rank = 300

    def strictness(self, parameters: Parameters) -> int:
        shown: int = parameters.get("keep_last", SHOWN_MOST) + parameters.get("keep_first", 0)
        return self.rank - shown

    def bind(self, parameters: Parameters, keys: Keys) -> Show:
        del keys
        last: int = parameters.get("keep_last", SHOWN_MOST)
        first: int = parameters.get("keep_first", 0)

        def show(piece: Piece) -> str:
            if piece.entity_type in NEVER_SHOWN:
                return _STAR * len(piece.text)
            if piece.entity_type == CARD:
                return _masked(list(piece.text), *_shown_of_card(piece.text, first, last))
            if piece.text.isascii():
                return _masked_ascii(piece.text, last)
            return _masked(_CLUSTER.findall(piece.text), 0, last)

        return show


def _masked_ascii(text: str, last: int) -> str:
    """What ``_masked`` makes of the single characters, in few steps: most of what is read is masked so."""
    stars = text.translate(_STARS)
    shown = min(last, len(text.translate(_WITHOUT)) // SHOWN_SHARE)
    if not stars.strip(_SPACES):
        return _STAR * len(text)
    place = len(text)
    while shown:
        place -= 1
        if text[place] not in _SEPARATORS:
            shown -= 1
            if text[place].isalnum():
                stars = f"{stars[:place]}{text[place]}{stars[place + 1 :]}"
    return stars


def _masked(clusters: list[str], first: int, last: int) -> str:
    places = [index for index, cluster in enumerate(clusters) if cluster not in _SEPARATORS]
    if not places:
        return _STAR * sum(map(len, clusters))
    if not first:
        last = min(last, len(places) // SHOWN_SHARE)
    visible = {*places[:first], *places[len(places) - last :]}
    return "".join(_shown(cluster, is_visible=index in visible) for index, cluster in enumerate(clusters))


def _shown(cluster: str, *, is_visible: bool) -> str:
    if cluster in _SEPARATORS or (is_visible and cluster[0].isalnum()):
        return cluster
    return _STAR * len(cluster)


def _shown_of_card(text: str, first: int, last: int) -> tuple[int, int]:
    digits = sum(char.isdigit() for char in text)
    if digits < first + last + _CARD_HIDDEN:
        return 0, last
    return first, last
