"""The text of a token: prefix, generation, 128 random bits and a checksum, one word of letters and digits.

``tok_1_7mCkVQn4wLh0aBTPzS9xEo3RYk21`` tells what it is without the vault. The checksum catches what was mistyped or cut
off; it proves nothing, the vault alone knows which tokens it has given out.
"""

import re
import secrets
import zlib
from dataclasses import dataclass
from typing import Final

from access.auth import base62

DEFAULT_PREFIX: Final = "tok"
#: Two to sixteen small letters and digits; one word with the rest, so that no detector sees a number in it.
PREFIX: Final = re.compile(r"[a-z][a-z0-9]{1,15}")
#: Beginnings by which scanners know credentials of well-known services.
RESERVED: Final = frozenset(
    {"sk", "pk", "rk", "whsec", "ghp", "gho", "ghu", "ghs", "ghr", "glpat", "npm", "pypi", "hf", "shpat", "dop", "xoxb"}
)
_RANDOM_BYTES: Final = 16
_CHECK_BYTES: Final = 4
_TOKEN: Final = re.compile(
    rf"(?P<prefix>{PREFIX.pattern})_(?P<generation>[1-9][0-9]{{0,4}})_"
    rf"(?P<body>[0-9A-Za-z]{{{base62.width(_RANDOM_BYTES)}}})(?P<check>[0-9A-Za-z]{{{base62.width(_CHECK_BYTES)}}})"
)


@dataclass(frozen=True, slots=True)
class TokenText:
    """What a token says of itself."""

    prefix: str
    generation: int


def is_prefix(text: str) -> bool:
    return PREFIX.fullmatch(text) is not None and text not in RESERVED


def make_token(prefix: str, generation: int) -> str:
    """A new token, unlike any other there is or will be."""
    body = f"{prefix}_{generation}_{base62.encode(secrets.token_bytes(_RANDOM_BYTES))}"
    return body + _check(body)


def read_token(text: str) -> TokenText | None:
    """What ``text`` says of itself; None when it is no token of ours, or not a whole one."""
    match = _TOKEN.fullmatch(text)
    if match is None or _check(text[: match.start("check")]) != match["check"]:
        return None
    return TokenText(match["prefix"], int(match["generation"]))


def is_token(text: str) -> bool:
    """Whether ``text`` is a token of ours: a detector that meets one has met no personal data."""
    return read_token(text) is not None


def _check(body: str) -> str:
    return base62.encode(zlib.crc32(body.encode()).to_bytes(_CHECK_BYTES, "big"))
