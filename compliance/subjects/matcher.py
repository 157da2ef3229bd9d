"""Whether a stored text holds one of a person's identifiers; no Django.

A block of texts is folded as a whole and each identifier looked for in it, which is fast; only where it may be are the
texts looked at one by one, which is exact.
"""

import base64
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from compliance.subjects.identifiers import NAME, Identifier
from compliance.subjects.names import fold_name, name_forms
from datasets.services.ingest.subjects import normalize

#: Reasons that prove it; every other is a person's to judge.
PROVEN: Final = frozenset({"index", "exact", "normalized", "encoded", "tokenized"})
_EMAIL: Final = "EMAIL_ADDRESS"
_PHONE: Final = "PHONE_NUMBER"
_ESCAPE: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_NOT_ALNUM: Final = bytes(code for code in range(128) if not chr(code).isalnum())
_MARKS: Final = re.compile(r"[\W_]+")
#: Marks that may stand between two letters or digits of one identifier: spaces, dots, dashes, brackets.
_BETWEEN: Final = r"[\W_]{0,3}"
#: Digits of a number without its country at least.
_NATIONAL_DIGITS: Final = 7
_LONGEST_COUNTRY_CODE: Final = 3


@dataclass(frozen=True, slots=True)
class Hit:
    """The identifier ``number`` is in a text: why that is thought, from 0 to 1 how surely, and as it is written."""

    number: int
    reason: str
    score: float
    spelling: str = ""


class Matcher:
    """Looks for the identifiers of one person."""

    def __init__(self, identifiers: Sequence[Identifier]) -> None:
        exact = [(number, one) for number, one in enumerate(identifiers) if one.type != NAME]
        self._exact = [_Exact(number, one) for number, one in exact]
        self._names = [_Name(number, one) for number, one in enumerate(identifiers) if one.type == NAME]

    def find(self, texts: Sequence[bytes]) -> Iterator[tuple[int, Hit]]:
        """(index of the text, the best hit of each identifier in it)."""
        block = b"\n".join(texts)
        folded = fold_text(block)
        compact = _compact(folded)
        words = fold_name(unescaped(block)) if self._names else ""
        likely = [one for one in self._exact if one.may_be_in(block, folded, compact)]
        named = [one for one in self._names if one.may_be_in(words)]
        if not likely and not named:
            return
        candidates: list[_Exact | _Name] = [*likely, *named]
        for index, text in enumerate(texts):
            for candidate in candidates:
                hit = candidate.find(text)
                if hit is not None:
                    yield index, hit


def fold_text(text: bytes) -> str:
    """Case folded, and compatible forms of one character (fullwidth digits, ligatures, escapes) made one."""
    decoded = unescaped(text)
    return (decoded if decoded.isascii() else unicodedata.normalize("NFKC", decoded)).casefold()


def unescaped(text: bytes) -> str:
    """The text with escapes of JSON read, which raw uploads may be written in."""
    decoded = text.decode(errors="replace")
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), decoded) if "\\u" in decoded else decoded


def _compact(folded: str) -> str:
    """Letters and digits alone."""
    if folded.isascii():
        return folded.encode().translate(None, _NOT_ALNUM).decode()
    return _MARKS.sub("", folded)


class _Exact:
    """An identifier that proves who somebody is, in every way it may be spelled."""

    def __init__(self, number: int, one: Identifier) -> None:
        self._number = number
        self._value = one.value
        self._normal = normalize(one.type, fold_text(one.value.encode()))
        self._is_email = one.type == _EMAIL
        self._pattern = re.compile(_spelled(self._normal, one.type), re.IGNORECASE)
        self._encoded = tuple(_encodings(one.value))
        self._nationals = list(_nationals(one)) if one.type == _PHONE else []
        self._national = re.compile("|".join(_national_spelled(short) for short in self._nationals) or r"(?!)")

    def may_be_in(self, block: bytes, folded: str, compact: str) -> bool:
        where = folded if self._is_email else compact
        return (
            self._normal in where
            or any(form in block for form in self._encoded)
            or any(short in compact for short in self._nationals)
        )

    def find(self, text: bytes) -> Hit | None:
        written = text.decode(errors="replace")
        found = self._pattern.search(written)
        if found is not None:
            is_exact = self._value in found[0]
            return Hit(self._number, "exact", 1.0, found[0]) if is_exact else self._normalized(found[0])
        folded = fold_text(text)
        if self._pattern.search(folded) is not None:
            return self._normalized("")
        if any(form in text for form in self._encoded):
            return Hit(self._number, "encoded", 0.9)
        if self._national.search(folded) is not None:
            return Hit(self._number, "national", 0.6)
        return None

    def _normalized(self, spelling: str) -> Hit:
        return Hit(self._number, "normalized", 0.95, spelling)


def _spelled(normal: str, kind: str) -> str:
    """A pattern of every spelling of a normal form that stands by itself."""
    if kind == _EMAIL:
        return rf"(?<![\w.%+-]){re.escape(normal)}(?![\w-]|\.\w)"
    between = _BETWEEN.join(map(re.escape, normal))
    prefix = r"(?:\+|00)?" if kind == _PHONE else ""
    return rf"(?<![^\W_]){prefix}{between}(?![^\W_])"


def _nationals(one: Identifier) -> Iterator[str]:
    """A number with its country's code as it is dialled inside the country, whatever code that is."""
    if not one.value.startswith(("+", "00")):
        return
    digits = normalize(one.type, one.value).removeprefix("00")
    for size in range(1, _LONGEST_COUNTRY_CODE + 1):
        rest = digits[size:]
        if len(rest) >= _NATIONAL_DIGITS:
            yield f"0{rest}"
    if digits.startswith("1"):
        yield digits[1:]


def _national_spelled(digits: str) -> str:
    return rf"(?<!\w){_BETWEEN.join(digits)}(?!\w)"


def _encodings(value: str) -> Iterator[bytes]:
    """Percent-encoded where that differs, and the three ways base64 can cut the value out of a longer text."""
    raw = value.encode()
    if (quoted := quote(value, safe="")) != value:
        yield quoted.encode()
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        end = len(encoded) - (4 if encoded.endswith(b"=") else 0)
        yield encoded[4 if shift else 0 : end]


class _Name:
    """A name in the forms people write it in."""

    def __init__(self, number: int, one: Identifier) -> None:
        self._number = number
        self._forms = list(name_forms(one.value))

    def may_be_in(self, words: str) -> bool:
        return any(form in words for form, _, _ in self._forms)

    def find(self, text: bytes) -> Hit | None:
        words = fold_name(unescaped(text))
        for form, reason, score in self._forms:
            if form in words:
                return Hit(self._number, reason, score)
        return None
