"""Check digits of identifiers, each by the rule its issuer published; every function takes what stands in the text."""

import hashlib
from collections.abc import Sequence
from typing import Final

_ALPHANUMERIC: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_GENERATORS: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32_CONSTANTS: Final = frozenset({1, 0x2BC830A3})
_BASE58_CHECK_BYTES: Final = 4
_VIN_VALUES: Final = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", (*range(1, 9), *range(1, 6), 7, 9, *range(2, 10), *range(10)), strict=True)
)
_VIN_WEIGHTS: Final = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_VIN_CHECK_AT: Final = 8
_MRZ_WEIGHTS: Final = (7, 3, 1)


def only_digits(text: str) -> str:
    """The decimal digits of a text as ASCII, whatever script they were written in."""
    return "".join(str(int(char)) for char in text if char.isdecimal())


def compact(text: str) -> str:
    """The letters and digits of a text in upper case."""
    return "".join(char for char in text if char.isalnum()).upper()


def is_repeated(digits: str) -> bool:
    """Whether all characters are the same: such numbers pass many checks and are issued to nobody."""
    return len(set(digits)) <= 1


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0  # noqa: PLR2004 - digit sum


def passes_iban(text: str) -> bool:
    """Remainder 1 modulo 97 with the first four characters moved to the end (ISO 13616, ISO/IEC 7064 MOD 97-10)."""
    iban = compact(text)
    if not iban.isascii():
        return False
    return int("".join(str(_ALPHANUMERIC.index(char)) for char in iban[4:] + iban[:4])) % 97 == 1


def passes_nir(text: str) -> bool:
    """Key 97 minus the number modulo 97; Corsica's 2A counts as 19, 2B as 18 (INSEE, decree 82-103, annex)."""
    number = compact(text).replace("2A", "19").replace("2B", "18")
    return number.isdecimal() and 97 - int(number[:-2]) % 97 == int(number[-2:])


def passes_cpf(text: str) -> bool:
    """Two check digits modulo 11 over weights 10 to 2 and 11 to 2 (Receita Federal, IN RFB 1548/2015)."""
    digits = only_digits(text)
    return not is_repeated(digits) and all(
        _modulo_11(digits[:length], range(length + 1, 1, -1)) == int(digits[length]) for length in (9, 10)
    )


def passes_cnpj(text: str) -> bool:
    """Two check digits modulo 11 over weights that run 2 to 9 from the right (Receita Federal, IN RFB 2119/2022)."""
    digits = only_digits(text)
    weights = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
    return not is_repeated(digits) and all(
        _modulo_11(digits[:length], weights[-length:]) == int(digits[length]) for length in (12, 13)
    )


def _modulo_11(digits: str, weights: Sequence[int]) -> int:
    remainder = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11
    return 0 if remainder < 2 else 11 - remainder  # noqa: PLR2004 - 10 and 11 become 0


def passes_bsn(text: str) -> bool:
    """The weighted sum 9 to 2, then minus 1, is divisible by 11 (Rijksdienst voor Identiteitsgegevens, elfproef)."""
    digits = only_digits(text)
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))
    return not is_repeated(digits) and total % 11 == 0


def passes_ahv(text: str) -> bool:
    """EAN-13 check digit behind 756 (Swiss AHV number, ZAS, directive on the insured person's number)."""
    digits = only_digits(text)
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits[:-1]))
    return digits.startswith("756") and (10 - total % 10) % 10 == int(digits[-1])


def passes_curp(text: str) -> bool:
    """Ten minus the sum of values times 18 to 2 modulo 10 (RENAPO, instructivo normativo de la CURP)."""
    curp = compact(text)
    alphabet = "0123456789ABCDEFGHIJKLMN\u00d1OPQRSTUVWXYZ"
    total = sum(alphabet.index(char) * weight for char, weight in zip(curp[:17], range(18, 1, -1), strict=True))
    return curp[17].isdecimal() and (10 - total % 10) % 10 == int(curp[17])


def passes_vin(text: str) -> bool:
    """The ninth character is the weighted sum modulo 11, X for 10 (49 CFR 565.15)."""
    vin = compact(text)
    if any(char not in _VIN_VALUES for char in vin):
        return False
    total = sum(_VIN_VALUES[char] * weight for char, weight in zip(vin, _VIN_WEIGHTS, strict=True))
    return vin[_VIN_CHECK_AT] == "0123456789X"[total % 11]


def passes_mrz(field: str, check: str) -> bool:
    """The check digit of a field of a machine-readable zone: weights 7, 3, 1 (ICAO Doc 9303-3, 4.9)."""
    values = (0 if char == "<" else _ALPHANUMERIC.index(char) for char in field.upper())
    total = sum(value * _MRZ_WEIGHTS[place % 3] for place, value in enumerate(values))
    return check.isdecimal() and total % 10 == int(check)


def passes_base58check(text: str) -> bool:
    """The last four bytes begin the double SHA-256 of the others (Bitcoin, base58check)."""
    number = 0
    for char in text:
        if char not in _BASE58:
            return False
        number = number * 58 + _BASE58.index(char)
    zeros = len(text) - len(text.lstrip("1"))
    raw = b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
    body, check = raw[:-_BASE58_CHECK_BYTES], raw[-_BASE58_CHECK_BYTES:]
    return hashlib.sha256(hashlib.sha256(body).digest()).digest()[:_BASE58_CHECK_BYTES] == check


def passes_bech32(text: str) -> bool:
    """The checksum polynomial over prefix and data (BIP 173; BIP 350 for bech32m)."""
    address = text.lower()
    prefix, _, data = address.rpartition("1")
    if not prefix or any(char not in _BECH32 for char in data) or text not in (address, text.upper()):
        return False
    values = [ord(char) >> 5 for char in prefix] + [0] + [ord(char) & 31 for char in prefix]
    check = 1
    for value in (*values, *(_BECH32.index(char) for char in data)):
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_BECH32_GENERATORS):
            check ^= generator if top >> bit & 1 else 0
    return check in _BECH32_CONSTANTS
