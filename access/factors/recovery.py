"""Recovery codes: random, shown once, stored as hashes, each good for one sign-in."""

import base64
import hashlib
import secrets
from typing import Final

COUNT: Final = 10
#: 120 bits: enough for a plain hash to be safe at rest (ASVS 5.0, 6.5.2 asks for 112).
_BYTES: Final = 15
_GROUP: Final = 6
_LENGTH: Final = 24
#: Letters that a hand takes for a digit of the alphabet, or the other way round.
_MISREAD: Final = str.maketrans("018", "OIB")


def new_codes() -> list[str]:
    """COUNT codes of four groups of six letters and digits."""
    return [_grouped(base64.b32encode(secrets.token_bytes(_BYTES)).decode()) for _ in range(COUNT)]


def code_hash(code: str) -> bytes | None:
    """What is stored of a code, however it was typed; None when it has not the shape of one."""
    letters = "".join(letter for letter in code.upper().translate(_MISREAD) if letter.isalnum())
    if len(letters) != _LENGTH or not letters.isascii():
        return None
    return hashlib.sha256(letters.encode()).digest()


def _grouped(letters: str) -> str:
    return "-".join(letters[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))
