"""FF1: format-preserving encryption by NIST SP 800-38G, on AES from ``cryptography``.

The second draft of revision 1 of the publication (February 2025) makes a domain of a million a requirement: under it a
table of guesses is cheap. FF3 and FF3-1 were withdrawn there and are not offered.
"""

from collections.abc import Sequence
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

#: Fewest values a message may have to be among (SP 800-38G revision 1, second draft, section 5.1).
MINIMUM_DOMAIN: Final = 1_000_000
MIN_RADIX: Final = 2
MAX_RADIX: Final = 1 << 16
_ROUNDS: Final = 10
_BLOCK: Final = 16
_KEY_SIZES: Final = (16, 24, 32)
_LONGEST: Final = (1 << 32) - 1


class FF1:
    """A family of permutations of the strings of numerals below ``radix``, one for each key, length and tweak.

    ``key`` has 16, 24 or 32 bytes. ``minimum_domain`` is there for the vectors of others, which go down to 100. Raises
    ValueError for a key, radix or minimum outside of these limits. One instance serves one thread.
    """

    __slots__ = ("_block", "_minimum", "_radix")

    def __init__(self, key: bytes, radix: int, *, minimum_domain: int = MINIMUM_DOMAIN) -> None:
        if len(key) not in _KEY_SIZES:
            raise ValueError("a key of AES has 16, 24 or 32 bytes")
        if not MIN_RADIX <= radix <= MAX_RADIX:
            raise ValueError("a radix is from 2 to 65536")
        if minimum_domain < 100:  # noqa: PLR2004 - the publication's own floor
            raise ValueError("no domain is smaller than 100")
        # ECB of single blocks is AES itself; the publication builds its CBC-MAC and counter on it.
        self._block = Cipher(AES(key), ECB()).encryptor().update  # noqa: S305
        self._radix = radix
        self._minimum = minimum_domain

    def encrypt(self, numerals: Sequence[int], tweak: bytes = b"") -> list[int]:
        """Algorithm 7: as many numerals as given.

        Raises ValueError for a numeral outside the radix and for a message among fewer than ``minimum_domain``; neither
        message quotes it.
        """
        high, low = self._halves(numerals)
        return self._join(*self._rounds(high, low, len(numerals), tweak, range(_ROUNDS)), len(numerals))

    def decrypt(self, numerals: Sequence[int], tweak: bytes = b"") -> list[int]:
        """Algorithm 8: what encrypt() was given; raises as it does."""
        high, low = self._halves(numerals)
        low, high = self._rounds(low, high, len(numerals), tweak, range(_ROUNDS - 1, -1, -1), sign=-1)
        return self._join(high, low, len(numerals))

    def _halves(self, numerals: Sequence[int]) -> tuple[int, int]:
        length = len(numerals)
        if not all(isinstance(numeral, int) and 0 <= numeral < self._radix for numeral in numerals):
            raise ValueError("a numeral is outside the radix")
        if not 2 <= length <= _LONGEST or self._radix**length < self._minimum:  # noqa: PLR2004
            raise ValueError("the message is among too few")
        half = length // 2
        return self._number(numerals[:half]), self._number(numerals[half:])

    def _rounds(
        self, first: int, second: int, length: int, tweak: bytes, order: range, *, sign: int = 1
    ) -> tuple[int, int]:
        """The Feistel rounds. Numbers stand for the halves; each round replaces ``first`` and changes their places."""
        left = length // 2
        moduli = self._radix**left, self._radix ** (length - left)
        # Bytes of the longer half, and of the number each round draws (steps 3 and 4).
        half_bytes = ((moduli[1] - 1).bit_length() + 7) // 8
        drawn_bytes = 4 * ((half_bytes + 3) // 4) + 4
        state = self._opening(length, left, len(tweak))
        padded = tweak + bytes((-len(tweak) - half_bytes - 1) % _BLOCK)
        for number in order:
            message = padded + bytes([number]) + second.to_bytes(half_bytes, "big")
            drawn = self._draw(state, message, drawn_bytes)
            first, second = second, (first + sign * drawn) % moduli[number % 2]
        return first, second

    def _opening(self, length: int, left: int, tweak_length: int) -> int:
        """The CBC-MAC after the block P, which all rounds share (step 5)."""
        block = b"\x01\x02\x01" + self._radix.to_bytes(3, "big") + bytes([_ROUNDS, left % 256])
        return self._encrypted(
            int.from_bytes(block + length.to_bytes(4, "big") + tweak_length.to_bytes(4, "big"), "big")
        )

    def _draw(self, state: int, message: bytes, size: int) -> int:
        """The round's number of ``size`` bytes: PRF of the message, lengthened by a counter (steps 6.ii to 6.iv)."""
        for start in range(0, len(message), _BLOCK):
            state = self._encrypted(state ^ int.from_bytes(message[start : start + _BLOCK], "big"))
        drawn = state.to_bytes(_BLOCK, "big")
        for counter in range(1, (size + _BLOCK - 1) // _BLOCK):
            drawn += self._encrypted(state ^ counter).to_bytes(_BLOCK, "big")
        return int.from_bytes(drawn[:size], "big")

    def _encrypted(self, block: int) -> int:
        return int.from_bytes(self._block(block.to_bytes(_BLOCK, "big")), "big")

    def _number(self, numerals: Sequence[int]) -> int:
        number = 0
        for numeral in numerals:
            number = number * self._radix + numeral
        return number

    def _join(self, high: int, low: int, length: int) -> list[int]:
        half = length // 2
        return self._numerals(high, half) + self._numerals(low, length - half)

    def _numerals(self, number: int, length: int) -> list[int]:
        numerals = [0] * length
        for place in range(length - 1, -1, -1):
            number, numerals[place] = divmod(number, self._radix)
        return numerals
