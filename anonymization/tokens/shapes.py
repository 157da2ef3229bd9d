r"""Formats that a token can keep: digits stay digits, letters stay letters, separators stay where they are.

A shape is ``digits``, ``alnum``, ``card``, or a template: ``9`` is a digit, ``A`` a capital, ``a`` a small letter,
``*`` a digit or letter, ``\`` makes the next character stand for itself, and anything else stands for itself.
"""

import string
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Final

from anonymization.tokens.errors import DomainTooSmall, FormatMismatch
from anonymization.tokens.ff1 import FF1, MINIMUM_DOMAIN
from vaultsite.kernel.crypto.keys import SecretKey

DIGITS: Final = string.digits
ALNUM: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
#: What may stand between digits and letters; anything else would be shown in the clear.
SEPARATORS: Final = frozenset(" -./()+_:,@#")
_TEMPLATE: Final = {"9": DIGITS, "A": string.ascii_uppercase, "a": string.ascii_lowercase, "*": ALNUM}
LONGEST_TEMPLATE: Final = 64
#: Numerals of one message: beyond this a format is no identifier any more, and arithmetic takes long.
LONGEST_MESSAGE: Final = 128
#: A card number has 12 to 19 digits (ISO/IEC 7812-1).
CARD_DIGITS: Final = range(12, 20)


@dataclass(frozen=True, slots=True)
class Shape:
    """``places`` of a template in order: an alphabet, or a text that stands for itself; None for shapes by name."""

    name: str
    places: tuple[str | None, ...] | None = None
    literals: tuple[str, ...] = ()

    def split(self, value: str) -> tuple[list[int], list[str]]:
        """Where the value has numerals, and the alphabet of each. Raises FormatMismatch."""
        if self.places is None:
            return self._split_by_name(value)
        if len(value) != len(self.places):
            raise FormatMismatch
        where = [index for index, alphabet in enumerate(self.places) if alphabet is not None]
        alphabets = [alphabet for alphabet in self.places if alphabet is not None]
        fits = all(
            letter in alphabet if alphabet is not None else letter == literal
            for letter, alphabet, literal in zip(value, self.places, self.literals, strict=True)
        )
        if not fits:
            raise FormatMismatch
        return where, alphabets

    def _split_by_name(self, value: str) -> tuple[list[int], list[str]]:
        alphabet = ALNUM if self.name == "alnum" else DIGITS
        where = [index for index, letter in enumerate(value) if letter in alphabet]
        if any(letter not in alphabet and letter not in SEPARATORS for letter in value):
            raise FormatMismatch
        if not where or len(where) > LONGEST_MESSAGE or (self.name == "card" and not is_card_number(value)):
            raise FormatMismatch
        return where, [alphabet] * len(where)


@lru_cache(maxsize=256)
def parse_shape(text: str) -> Shape:
    """The shape of that name, or of that template. Raises ValueError for a template without a place, or too long."""
    if text in ("digits", "alnum", "card"):
        return Shape(text)
    places: list[str | None] = []
    literals: list[str] = []
    letters = iter(text)
    for letter in letters:
        alphabet = _TEMPLATE.get(letter)
        literal = next(letters, "") if letter == "\\" else letter
        if not literal or not literal.isprintable():
            raise ValueError("no template of tokens")
        places.append(alphabet)
        literals.append("" if alphabet else literal)
    if not any(places) or len(places) > LONGEST_TEMPLATE:
        raise ValueError("no template of tokens")
    return Shape(text, tuple(places), tuple(literals))


class Encipherer:
    """Makes tokens of one shape under one key. One instance serves one thread."""

    def __init__(self, key: SecretKey, shape: Shape) -> None:
        self._key = key
        self._shape = shape
        self._ciphers: dict[int, FF1] = {}

    def check(self, value: str) -> None:
        """Raises FormatMismatch, and DomainTooSmall for a value among fewer than a million of its format."""
        _, alphabets = self._shape.split(value)
        if prod(map(len, alphabets)) < MINIMUM_DOMAIN:
            raise DomainTooSmall

    def token(self, value: str, attempt: int) -> str | None:
        """The token that ``attempt`` gives, or None when this one must not be taken: it is the value, or a card number.

        Raises FormatMismatch, and ValueError for a value that :meth:`check` refuses.
        """
        where, alphabets = self._shape.split(value)
        numerals = [alphabet.index(value[index]) for index, alphabet in zip(where, alphabets, strict=True)]
        hidden = self._encrypt(numerals, [len(alphabet) for alphabet in alphabets], self._tweak(attempt))
        letters = list(value)
        for index, alphabet, numeral in zip(where, alphabets, hidden, strict=True):
            letters[index] = alphabet[numeral]
        token = "".join(letters)
        return None if token == value or is_card_number(token) else token

    def _encrypt(self, numerals: Sequence[int], radices: Sequence[int], tweak: bytes) -> list[int]:
        if len(set(radices)) == 1:
            return self._cipher(radices[0]).encrypt(numerals, tweak)
        return _digits(self._walk(_number(numerals, radices), prod(radices), tweak), radices)

    def _walk(self, number: int, size: int, tweak: bytes) -> int:
        """A permutation of the numbers below ``size``: encrypted as bits until the result is one of them again.

        (Black and Rogaway, "Ciphers with Arbitrary Finite Domains", 2002.) Two steps on average at most.
        """
        width = (size - 1).bit_length()
        cipher = self._cipher(2)
        while True:
            bits = [number >> place & 1 for place in range(width - 1, -1, -1)]
            number = _number(cipher.encrypt(bits, tweak), [2] * width)
            if number < size:
                return number

    def _cipher(self, radix: int) -> FF1:
        if radix not in self._ciphers:
            self._ciphers[radix] = FF1(self._key.reveal(), radix)
        return self._ciphers[radix]

    def _tweak(self, attempt: int) -> bytes:
        return attempt.to_bytes(2, "big") + self._shape.name.encode()


def is_card_number(text: str) -> bool:
    """Whether the digits of a text without letters are a card number by length and check digit (Luhn)."""
    digits = [int(letter) for letter in text if letter in DIGITS]
    if len(digits) not in CARD_DIGITS or any(letter.isalpha() for letter in text):
        return False
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]  # noqa: PLR2004 - a doubled digit above 9
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0


def _number(numerals: Sequence[int], radices: Sequence[int]) -> int:
    number = 0
    for numeral, radix in zip(numerals, radices, strict=True):
        number = number * radix + numeral
    return number


def _digits(number: int, radices: Sequence[int]) -> list[int]:
    numerals = []
    for radix in reversed(radices):
        number, numeral = divmod(number, radix)
        numerals.append(numeral)
    return numerals[::-1]
