"""Base 62 with a fixed width: letters and digits alone, so that a credential survives a double click."""

from functools import cache
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#: Two letters for each number that two letters can stand for: half the divisions.
_PAIRS: Final = [first + second for first in ALPHABET for second in ALPHABET]
_VALUES: Final = {letter: value for value, letter in enumerate(ALPHABET)}


@cache
def width(size: int) -> int:
    """Letters needed for ``size`` bytes."""
    letters, limit = 0, 1
    while limit < 1 << 8 * size:
        letters, limit = letters + 1, limit * len(ALPHABET)
    return letters


def encode(data: bytes) -> str:
    """``width(len(data))`` letters."""
    number, pairs = int.from_bytes(data, "big"), []
    while number:
        number, value = divmod(number, len(_PAIRS))
        pairs.append(_PAIRS[value])
    wide = width(len(data))
    return "".join(reversed(pairs)).rjust(wide, ALPHABET[0])[-wide:]


def decode(text: str, size: int) -> bytes:
    """The ``size`` bytes that encode() turned into ``text``; raises ValueError for any other text."""
    if len(text) != width(size):
        raise ValueError("wrong length")
    number = 0
    for letter in text:
        value = _VALUES.get(letter)
        if value is None:
            raise ValueError("not base 62")
        number = number * len(ALPHABET) + value
    if number >= 1 << 8 * size:
        raise ValueError("out of range")
    return number.to_bytes(size, "big")
