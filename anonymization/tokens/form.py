"""Where a token holds and what it looks like."""

import string
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final
from uuid import UUID

from anonymization.tokens.errors import DomainTooSmall, ScopeTooWide
from anonymization.tokens.ff1 import MINIMUM_DOMAIN
from anonymization.tokens.shapes import Shape, parse_shape
from anonymization.tokens.text import DEFAULT_PREFIX, is_prefix

#: How many letters of a value count when its domain is bounded: beyond these it is large whatever they are.
_COUNTED: Final = 16
_CLASSES: Final = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
#: What a letter beyond ASCII stands for: scripts differ, and the smaller guess refuses more.
_OTHER_LETTERS: Final = 64


class TokenKind(StrEnum):
    """How a token comes about.

    ``random``: a new one for every occurrence. ``deterministic``: one random code for each value of the scope.
    ``format``: one for each value of the scope too, in the value's own format by FF1.
    """

    RANDOM = "random"
    DETERMINISTIC = "deterministic"
    FORMAT = "format"


@dataclass(frozen=True, slots=True)
class TokenScope:
    """Who shares tokens: the tenant, or users of ``dataset_id`` alone, or for ``purpose`` (a code) alone, or both.

    The same value has tokens of its own in each scope, and a token opens in its own scope only.
    """

    dataset_id: UUID | None = None
    purpose: str = ""

    @property
    def is_narrow(self) -> bool:
        """Whether tokens may tell equal values apart from others in it."""
        return self.dataset_id is not None and bool(self.purpose)


@dataclass(frozen=True, slots=True)
class TokenForm:
    """What tokens are asked for. ``prefix`` begins random and deterministic ones; ``shape`` is the format to keep.

    ``expires_at`` is when new ones end; a token there is keeps its own end. Raises ValueError for a prefix or shape
    that is none, and for a shape without ``TokenKind.FORMAT`` or the reverse.
    """

    kind: TokenKind
    prefix: str = DEFAULT_PREFIX
    shape: str = ""
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        if not is_prefix(self.prefix):
            raise ValueError("no prefix of tokens")
        if (self.kind == TokenKind.FORMAT) != bool(self.shape):
            raise ValueError("a shape belongs to the kind format, and to no other")
        if self.shape:
            parse_shape(self.shape)

    @classmethod
    def usual(cls, scope: TokenScope) -> "TokenForm":
        """Deterministic where the scope is narrow enough for it, else random."""
        return cls(TokenKind.DETERMINISTIC if scope.is_narrow else TokenKind.RANDOM)

    @property
    def parsed_shape(self) -> Shape:
        return parse_shape(self.shape)

    @property
    def digest(self) -> bytes:
        """Tells tokens of one look from those of another, 16 bytes: a value may have one of each."""
        look = self.shape if self.kind == TokenKind.FORMAT else self.prefix
        return sha256(f"{self.kind}\0{look}".encode()).digest()[:16]

    def require_scope(self, scope: TokenScope) -> None:
        """Raises ScopeTooWide when tokens of this kind would join what must stay apart."""
        if self.kind != TokenKind.RANDOM and not scope.is_narrow:
            raise ScopeTooWide

    def require_domain(self, value: str) -> None:
        """Raises DomainTooSmall when the value could be found by trying all like it.

        The bound is generous: all strings of the value's length over the kinds of letters in it.
        """
        if self.kind == TokenKind.DETERMINISTIC and _likes_of(value) < MINIMUM_DOMAIN:
            raise DomainTooSmall


def _likes_of(value: str) -> int:
    letters = [letter for letter in value if letter.isalnum()][:_COUNTED]
    alphabet = sum(len(kind) for kind in _CLASSES if any(letter in kind for letter in letters))
    alphabet += _OTHER_LETTERS if any(not letter.isascii() for letter in letters) else 0
    return int(alphabet ** len(letters))
