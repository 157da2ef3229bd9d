"""What hides inside a string: JSON, escapes, percent- and base64-encoding, look-alike characters, binary content."""

import base64
import binascii
import json
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote_plus

import re2
import regex

from anonymization.detectors.keys import holds_people, label_of_key
from anonymization.detectors.necessary import one_byte_a_code_point
from anonymization.detectors.views import Mapped, View, Whole

_JSON_TOKEN: Final = regex.compile(r'"(?:[^"\\]|\\.)*+"|-?\d[\d.eE+-]*+|[{}\[\]:,]')
_SIGNS: Final = frozenset("{}[]:,")
_OPENING: Final = frozenset("{[")
_CLOSING: Final = frozenset("}]")
_CONTAINER_EDGES: Final = regex.compile(r"\s*+[{\[]")
_JSON_ESCAPE: Final = regex.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.")
_UNICODE_ESCAPE: Final = regex.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u(?![dD][89a-fA-F])[0-9a-fA-F]{4}"
)
_TOKEN: Final = regex.compile(r"[^\s\"'<>`]++")
_PERCENT: Final = regex.compile(r"%[0-9A-Fa-f]{2}")

#: Shorter runs decode to fewer than ten bytes, which is less than any address or number worth hiding.
_BASE64_FROM: Final = 14
_BASE64: Final = regex.compile(
    r"(?<![A-Za-z0-9+/_-])(?:(?:[A-Za-z0-9+/]{60,76}\r?\n){2,}[A-Za-z0-9+/]*+={0,2}|[A-Za-z0-9+/_-]{14,}+={0,2})"
)
#: What any such run begins with, looked for in linear time.
_ENCODED_RUN: Final = re2.compile(rb"[A-Za-z0-9+/_-]{%d}" % _BASE64_FROM)
_DATA_URL: Final = regex.compile(r"data:[\w.+-]*(?:/[\w.+-]*)?(?:;[\w.=\"+-]*)*,[^\s\"'<>)]*", regex.IGNORECASE)
_NEWLINE: Final = regex.compile(r"\r?\n")

#: Base64 that decodes to no text is a key, a digest or a name when short, and content we cannot read from here on.
_BINARY_FROM: Final = 256
#: First characters of base64 of PNG, JPEG, GIF, PDF, RIFF (WebP, WAV), ZIP (Office), gzip, ID3, Ogg, MPEG, Matroska.
_BINARY_HEADS: Final = (
    "iVBORw0KGgo", "/9j/", "R0lGOD", "JVBERi0", "UklGR", "UEsDB", "H4sIA", "SUQzB", "T2dnUw", "//uQ", "//vQ", "GkXfo",
)  # fmt: skip
_BINARY_HEAD_FROM: Final = 32
#: The least share of letters, digits and spaces in what counts as decoded text.
_TEXT_SHARE: Final = 0.7

#: Letters of other scripts that look like a Latin one.
_LOOK_ALIKES: Final = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u0261\u03bf\u03b1\u03c1\u03bd\u0131"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0391\u0392\u0395\u0397\u0399\u039a"
    "\u039c\u039d\u039f\u03a1\u03a4\u03a7\u0396",
    "aeopcyxijsdgoapviABEKMHOPCTXABEHIKMNOPTXZ",
)
#: Dots and dashes that stand for the ASCII ones in numbers and host names.
_PUNCTUATION: Final = str.maketrans("\u3002\uff0e\uff61\u2010\u2011\u2012\u2013\u2212", "...-----")
#: Common in prose, and never part of what is looked for.
_KEPT: Final = frozenset("\u2026\u2122\u00bd\u00bc\u00be")
_INVISIBLE: Final = regex.compile(r"\p{Default_Ignorable_Code_Point}")


@dataclass(frozen=True, slots=True)
class JsonLeaf:
    """A string or number inside JSON text, and the member name it stands under."""

    view: View
    label: str


def is_json_container(text: str) -> bool:
    """Whether the whole text is one JSON object or array."""
    if not _CONTAINER_EDGES.match(text):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def json_leaves(text: str) -> Iterator[JsonLeaf]:
    """Every member name, string and number of JSON text that :func:`is_json_container` accepted."""
    tokens = [(match.group(), match.start()) for match in _JSON_TOKEN.finditer(text)]
    label = ""
    above: list[tuple[str, str]] = []
    for index, (token, start) in enumerate(tokens):
        if token in _OPENING:
            above.append((token, label))
        elif token in _CLOSING:
            label = above.pop()[1] if above else ""
        if token in _SIGNS:
            continue
        view = _unescaped(token, start)
        if index + 1 < len(tokens) and tokens[index + 1][0] == ":":
            label = view.text
            yield JsonLeaf(view, _label_of_key(label, above))
        else:
            yield JsonLeaf(view, label)


def _label_of_key(key: str, above: Sequence[tuple[str, str]]) -> str:
    """Objects in a list are one for each element: their member names are those of what is said of each."""
    in_list = len(above) > 1 and above[-2][0] == "["
    return label_of_key(key) if above and not in_list and holds_people(above[-1][1]) else ""


def json_literals(text: str) -> list[tuple[int, int, bool]]:
    """Start, end and whether it is a string, of every string and number token of JSON text."""
    return [
        (match.start(), match.end(), match.group()[0] == '"')
        for match in _JSON_TOKEN.finditer(text)
        if match.group() not in _SIGNS
    ]


def _unescaped(token: str, start: int) -> Mapped:
    if token[0] == '"':
        return _decoded_escapes(token[1:-1], start + 1, _JSON_ESCAPE)
    return Mapped(token, range(start, start + len(token)), range(start + 1, start + len(token) + 1))


def _decoded_escapes(raw: str, base: int, pattern: "regex.Pattern[str]") -> Mapped:
    if "\\" not in raw:
        return Mapped(raw, range(base, base + len(raw)), range(base + 1, base + len(raw) + 1))
    text: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for match in pattern.finditer(raw):
        text.append(raw[at : match.start()])
        starts.extend(range(base + at, base + match.start()))
        ends.extend(range(base + at + 1, base + match.start() + 1))
        char = json.loads(f'"{match.group()}"')
        text.append(char)
        starts.extend([base + match.start()] * len(char))
        ends.extend([base + match.end()] * len(char))
        at = match.end()
    text.append(raw[at:])
    starts.extend(range(base + at, base + len(raw)))
    ends.extend(range(base + at + 1, base + len(raw) + 1))
    return Mapped("".join(text), starts, ends)


def unicode_escapes(text: str) -> Iterator[View]:
    r"""The text with ``\u0040`` and the like decoded, if it has any: broken JSON, source code."""
    if "\\u" in text and _UNICODE_ESCAPE.search(text):
        yield _decoded_escapes(text, 0, _UNICODE_ESCAPE)


def percent_encoded(text: str) -> Iterator[View]:
    """Each percent-encoded token, decoded as UTF-8; undecodable bytes become U+FFFD."""
    if not _PERCENT.search(text):
        return
    for match in _TOKEN.finditer(text):
        if _PERCENT.search(match.group()):
            yield Whole(unquote_plus(match.group()), match.start(), match.end())


def data_urls(text: str) -> Iterator[tuple[int, int, str | None]]:
    """Start, end and text content of each data: URL (RFC 2397); no content where it is not text."""
    if "ata:" not in text and "ATA:" not in text:
        return
    for match in _DATA_URL.finditer(text):
        head, _, body = match.group().partition(",")
        decoded = decode_base64(body) if head.lower().endswith(";base64") else unquote_plus(body)
        yield match.start(), match.end(), decoded


def base64_tokens(text: str) -> Iterator[tuple[int, int, str | None]]:
    """Start, end and decoded text of each run of base64 or base64url; None for binary content we cannot look into.

    Runs that decode to no text and are too short to be content are left out: words, digests, identifiers.
    """
    if not _ENCODED_RUN.search(one_byte_a_code_point(text)):
        return
    for match in _BASE64.finditer(text):
        token = match.group()
        decoded = decode_base64(token)
        if decoded is not None:
            yield match.start(), match.end(), decoded
        elif _is_binary_content(token):
            yield match.start(), match.end(), None


def decode_base64(token: str) -> str | None:
    """The UTF-8 text a base64 or base64url token encodes; None if it is no base64 or no text."""
    compact = _NEWLINE.sub("", token).rstrip("=").replace("-", "+").replace("_", "/")
    if len(compact) % 4 == 1:
        return None
    try:
        text = base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return text if _is_readable(text) else None


def _is_readable(text: str) -> bool:
    if not text or any(unicodedata.category(char) in ("Cc", "Cn", "Co") and char not in "\t\r\n" for char in text):
        return False
    return sum(char.isalnum() or char.isspace() for char in text) >= _TEXT_SHARE * len(text)


def _is_binary_content(token: str) -> bool:
    if len(token) >= _BINARY_HEAD_FROM and token.startswith(_BINARY_HEADS):
        return True
    is_mixed = any(c.isupper() for c in token) and any(c.islower() for c in token) and any(c.isdigit() for c in token)
    return len(token) >= _BINARY_FROM and is_mixed


def normalized(text: str) -> Iterator[View]:
    """The text without invisible characters, with compatibility forms and look-alikes in ASCII, where that differs."""
    if text.isascii():
        return
    odd = {char: plain for char in set(text) if not char.isascii() and (plain := _plain(char)) != char}
    if not odd:
        return
    chars: list[str] = []
    origins: list[int] = []
    for index, char in enumerate(text):
        plain = odd.get(char, char)
        chars.append(plain)
        origins.extend([index] * len(plain))
    if origins:
        yield Mapped("".join(chars), origins, [origin + 1 for origin in origins])


@lru_cache(maxsize=4096)
def _plain(char: str) -> str:
    if char in _KEPT:
        return char
    if _INVISIBLE.match(char):
        return ""
    if char.isdecimal():
        return str(int(char))
    return unicodedata.normalize("NFKC", char.translate(_PUNCTUATION)).translate(_LOOK_ALIKES)
