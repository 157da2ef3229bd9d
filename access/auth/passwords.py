"""What passwords must be, offline: long, not somebody's name, not breached, not a known word in disguise."""

import re
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.core.exceptions import ValidationError

from access.models import User

LONGEST: Final = 1024
#: Words, names and keyboard walks that guessing programs try first, in any decoration: see the file's head.
WORDS_FILE: Final = Path(__file__).with_name("weak_words.txt")

#: What people write for letters, and guessing programs undo.
_LEET: Final = tuple(str.maketrans("0345789@$!|+1", f"oeastbgasilt{one}") for one in "il")
#: What is put before and behind a word to please a rule.
_DECORATION: Final = "0123456789!?.,;:+-*/=&%#$@_()[]~'\" "
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_RUN: Final = 4


def password_holds(user: User, password: str) -> bool:
    """Whether it is the user's password; what could never be one costs no hash."""
    return is_text(password) and user.check_password(password)


def is_text(password: str) -> bool:
    """Whether it can be hashed: not too long, no lone surrogates, which JSON can smuggle in."""
    return len(password) <= LONGEST and not any("\ud800" <= letter <= "\udfff" for letter in password)


class GuessablePasswordValidator:
    """Refuses what a guessing program reaches by its rules, however long it is.

    Decoration is undone first (case, digits for letters, digits and signs around and between); a password whose
    letters are then nothing but words of the list, or that repeats a short piece, or that follows the alphabet, the
    digits or the keys of a keyboard, is refused. Needs no network: nothing of a password leaves the process.
    """

    def validate(self, password: str, user: Any = None) -> None:  # noqa: ARG002 - Django passes it
        """Raises ValidationError."""
        if not is_text(password):
            raise ValidationError("This password cannot be stored.", code="password_not_text")
        text = password.casefold()
        if _is_repeated(text) or _is_walk(text) or _is_words(text):
            raise ValidationError("This password is among the first that would be guessed.", code="password_guessable")

    def get_help_text(self) -> str:
        return "Not a known word or pattern, however it is decorated."


def _is_repeated(text: str) -> bool:
    """A piece of up to a third of the whole, over and over."""
    return any(
        text == (text[:size] * (len(text) // size + 1))[: len(text)] for size in range(1, max(2, len(text) // 3 + 1))
    )


def _is_walk(text: str) -> bool:
    """Along the alphabet, the digits or the keys, forwards or backwards, in runs of at least _RUN."""
    covered, start = 0, 0
    while start < len(text):
        length = _walked(text, start)
        covered += length
        start += max(1, length)
    return covered >= len(text) - 2  # a sign or two more change nothing


def _walked(text: str, start: int) -> int:
    """The length of the longest run of a walk that starts there, 0 when it is short."""
    end = start + _RUN
    if not any(text[start:end] in walk for walk in _walks()) or end > len(text):
        return 0
    while end < len(text) and any(text[start : end + 1] in walk for walk in _walks()):
        end += 1
    return end - start


@cache
def _walks() -> tuple[str, ...]:
    rows = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiopü", "yxcvbnm")
    columns = ("1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "1q2w3e4r5t6y7u8i9o0p", "qazwsxedcrfvtgbyhnujmikolp")
    return tuple(walk for row in (*rows, *columns) for walk in (row, row[::-1]))


def _is_words(text: str) -> bool:
    """Whether its letters, as they are or with signs read as letters, are nothing but known words."""
    bare = text.strip(_DECORATION)
    spellings = (text, *(one.translate(table) for one in (text, bare) for table in _LEET))
    return any(_is_spelled("".join(_LETTERS.findall(spelling))) for spelling in spellings)


def _is_spelled(letters: str) -> bool:
    """Whether the letters are at most three known words in a row. Four and more are a passphrase."""
    reached = {0}
    for _ in range(3):
        reached |= {start + length for start in reached for length in _word_lengths(letters, start)}
    return not letters or len(letters) in reached


def _word_lengths(letters: str, start: int) -> list[int]:
    words = _words()
    rest = len(letters) - start
    return [size for size in range(1, min(rest, _longest_word()) + 1) if letters[start : start + size] in words]


@cache
def _longest_word() -> int:
    return max(map(len, _words()))


@cache
def _words() -> frozenset[str]:
    lines = WORDS_FILE.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())
