"""Codes and numbers in the shape of others: digit for digit and letter for letter, and never one that is valid."""

import string
from collections.abc import Callable, Iterator
from typing import Final

#: Draws a number below its argument.
Draw = Callable[[int], int]

_LUHN_DIGITS: Final = range(12, 20)
_IBAN_FROM: Final = 15
_IBAN_HEAD: Final = 4


def drawn_from(seed: int) -> Draw:
    """Numbers that follow from a seed, each below what is asked for."""
    state = _numbers(seed)

    def draw(below: int) -> int:
        return next(state) % below

    return draw


def _numbers(seed: int) -> Iterator[int]:
    """A stream from 128 secret bits (the multiplier is Knuth's MMIX); it hides nothing that the seed does not."""
    state = seed
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 128)
        yield state >> 64


def reshaped(text: str, draw: Draw, *, kept: int = 0) -> str:
    """``text`` with every digit and letter drawn anew after the first ``kept`` characters; separators stay."""
    return text[:kept] + "".join(_redrawn(char, draw) for char in text[kept:])


def _redrawn(char: str, draw: Draw) -> str:
    if char.isdecimal():
        return str(draw(10))
    if char.isalpha():
        letters = string.ascii_uppercase if char.isupper() else string.ascii_lowercase
        return letters[draw(26)]
    return char


def without_checksum(text: str) -> str:
    """``text`` with its last digit changed where its digits would pass as a card number, or as an IBAN."""
    while _passes_luhn(text) or _passes_mod_97(text):
        text = _with_next_digit(text)
    return text


def _with_next_digit(text: str) -> str:
    place = max(index for index, char in enumerate(text) if char.isdecimal())
    return f"{text[:place]}{(int(text[place]) + 1) % 10}{text[place + 1 :]}"


def _passes_luhn(text: str) -> bool:
    digits = [int(char) for char in text if char.isdecimal()]
    if len(digits) not in _LUHN_DIGITS:
        return False
    doubled = [2 * digit - 9 * (digit > 4) for digit in digits[-2::-2]]  # noqa: PLR2004 - two digits once doubled
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0


def _passes_mod_97(text: str) -> bool:
    compact = "".join(char for char in text.upper() if char.isascii() and char.isalnum())
    if len(compact) < _IBAN_FROM or not (compact[:2].isalpha() and compact[2:_IBAN_HEAD].isdigit()):
        return False
    moved = compact[_IBAN_HEAD:] + compact[:_IBAN_HEAD]
    return int("".join(str(int(char, 36)) for char in moved)) % 97 == 1
