"""Checks that custom patterns may name: what a match has to pass besides matching."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from anonymization.detectors.recognizers.checksums import only_digits, passes_iban, passes_luhn


def _luhn(text: str) -> bool:
    return passes_luhn(only_digits(text))


def _has_digit(text: str) -> bool:
    return any(char.isdecimal() for char in text)


#: By the name under which a pattern asks for it.
CHECKS: Final[Mapping[str, Callable[[str], bool]]] = MappingProxyType(
    {"luhn": _luhn, "iban": passes_iban, "has_digit": _has_digit}
)
