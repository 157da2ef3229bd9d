"""Surrogates by kind of personal data: names for names, numbers for numbers, and nothing that could be somebody's."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from anonymization.operators.base import keyed_number
from anonymization.operators.lists import country_names, surrogates
from anonymization.operators.shapes import Draw, drawn_from, reshaped, without_checksum
from vaultsite.kernel.crypto.keys import SecretKey

_LABEL: Final = b"llm-data-vault/operators/pseudonymize/v1"

_WORD: Final = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_NUMBER: Final = re.compile(r"\d+")
_TITLES: Final = frozenset(
    """
    mr mrs ms miss mx dr prof professor sir madam lord lady herr frau monsieur madame mme m señor señora sr sra jr sr
    ii iii iv signor signora van von de der den del della di da dos la le el al bin ibn
    """.split()  # noqa: SIM905 - a table of words reads better than a list
)
_POSSESSIVE: Final = re.compile(r"['\u2019][sS]$")
#: Domains that nobody can register (RFC 2606).
_DOMAINS: Final = ("example.com", "example.org", "example.net")
#: Networks for documentation (RFC 5737, RFC 3849) and hardware addresses for it (RFC 7042).
_NETWORKS: Final = ("192.0.2", "198.51.100", "203.0.113")
_MAC_HEAD: Final = "00005e0053"
_STREET_WORD: Final = re.compile(
    r"(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|way|court|ct|blvd|straße|strasse|str|weg|platz|rue|via|calle)\.?",
    re.IGNORECASE,
)
_NANP: Final = 10
_HEX: Final = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Inventor:
    """Makes surrogates for texts: the same for the same text under one key, and for one person written differently."""

    key: SecretKey
    locale: str

    def draw(self, kind: str, text: str) -> Draw:
        return drawn_from(keyed_number(self.key, _LABEL, kind, normalized(text)))

    def choose(self, kind: str, text: str, words: str) -> str:
        """A word of the list that is not the text itself."""
        choices = surrogates(self.locale)[words]
        draw = self.draw(kind, text)
        for _ in range(4):
            chosen = choices[draw(len(choices))]
            if normalized(chosen) != normalized(text):
                break
        return chosen

    def invent(self, text: str, entity_type: str) -> str:
        """A surrogate for a text of that kind."""
        maker = _MAKERS.get(entity_type, _code)
        return maker(self, text)


def normalized(text: str) -> str:
    """What two ways to write one thing have in common."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(_POSSESSIVE.sub("", folded.strip()).split())


def _person(inventor: Inventor, text: str) -> str:
    """Word for word, so that a family name alone is that of the full name; titles and initials' dots stay."""
    words = [match for match in _WORD.finditer(text) if normalized(match.group()) not in _TITLES]
    if not words:
        return inventor.choose("last", text, "last_names")
    shown = text
    is_reversed = "," in text
    for place in range(len(words) - 1, -1, -1):
        is_last = (place == 0 if is_reversed else place == len(words) - 1) and (len(words) > 1 or len(text) > 1)
        match = words[place]
        shown = shown[: match.start()] + _name_for(inventor, match.group(), is_last=is_last) + shown[match.end() :]
    return shown


def _name_for(inventor: Inventor, word: str, *, is_last: bool) -> str:
    if len(word) == 1:
        return inventor.choose("initial", word, "first_names")[0]
    possessive = _POSSESSIVE.search(word)
    # One word alone may be either: it gets a family name, as it has behind a given name.
    chosen = inventor.choose("last", word, "last_names") if is_last else inventor.choose("first", word, "first_names")
    return _as_cased(word, chosen) + (possessive.group() if possessive else "")


def _as_cased(old: str, new: str) -> str:
    if old.isupper() and len(old) > 1:
        return new.upper()
    return new.lower() if old.islower() else new


def _organization(inventor: Inventor, text: str) -> str:
    suffixes = surrogates(inventor.locale)["company_suffixes"]
    draw = inventor.draw("company", text)
    name = inventor.choose("company name", text, "last_names")
    return f"{name} {suffixes[draw(len(suffixes))]}"


def _place(inventor: Inventor, text: str) -> str:
    if normalized(text) in country_names():
        return inventor.choose("country", text, "countries")
    if _NUMBER.search(text):
        return _address(inventor, text)
    chosen = inventor.choose(
        "street" if _has_street(text) else "city", text, "streets" if _has_street(text) else "cities"
    )
    return _as_cased(text, chosen)


def _address(inventor: Inventor, text: str) -> str:
    """Part for part: numbers by numbers as long, the part with the number of a house by a street, others by towns."""
    return "".join(_address_part(inventor, part) for part in re.split(r"(\s*[,\n;]\s*)", text))


def _address_part(inventor: Inventor, part: str) -> str:
    words = _WORD.search(part)
    if not words:
        return reshaped(part, inventor.draw("number", part))
    numbers = [reshaped(number, inventor.draw("number", number)) for number in _NUMBER.findall(part)]
    if _has_street(part) or (numbers and part.lstrip()[:1].isdecimal() and len(numbers[0]) < 5):  # noqa: PLR2004 - ZIPs
        street = inventor.choose("street", part, "streets")
        return " ".join([*numbers[:1], street]) if part.lstrip()[:1].isdecimal() else " ".join([street, *numbers[:1]])
    if not numbers and len(part) == 2 and part.isupper():  # noqa: PLR2004 - a state stays: it is no address
        return part
    city = inventor.choose("city", _NUMBER.sub("", part), "cities")
    if not numbers:
        return city
    return " ".join([*numbers[:1], city]) if part.lstrip()[:1].isdecimal() else " ".join([city, *numbers[:1]])


def _has_street(text: str) -> bool:
    return any(
        _STREET_WORD.fullmatch(word) or word.casefold().endswith(("straße", "strasse", "straat"))
        for word in text.split()
    )


def _email(inventor: Inventor, text: str) -> str:
    """Names within the local part get what they get as names, so that address and name still go together."""
    local, _, domain = text.rpartition("@")
    words = re.split(r"([._+-]+)", local)
    last = max((index for index, word in enumerate(words) if word.isalpha()), default=0)
    shown = "".join(_mail_word(inventor, word, is_last=index == last) for index, word in enumerate(words))
    draw = inventor.draw("domain", domain)
    return f"{shown}@{_DOMAINS[draw(len(_DOMAINS))]}"


def _mail_word(inventor: Inventor, word: str, *, is_last: bool) -> str:
    if len(word) > 1 and word.isalpha():
        return _ascii(_name_for(inventor, word, is_last=is_last)) or "user"
    return reshaped(word, inventor.draw("mail", word))


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "".join(char for char in plain if char.isalnum())


def _phone(inventor: Inventor, text: str) -> str:
    """Country code and separators stay. North American numbers are of 555-0100 to 555-0199, which are for fiction."""
    digits = [char for char in text if char.isdecimal()]
    draw = inventor.draw("phone", "".join(digits))
    national = digits[1:] if len(digits) == _NANP + 1 and digits[0] == "1" else digits
    if len(national) == _NANP and not text.lstrip().startswith(("+2", "+3", "+4", "+5", "+6", "+7", "+8", "+9", "00")):
        head = digits[: len(digits) - _NANP]
        made = [*head, *str(200 + draw(800)), *"55501", *f"{draw(100):02d}"]
    else:
        # Two zeros after the code of the country: one may be dialled before a number, but no number begins with one.
        code = 2 if text.lstrip().startswith("+") else 0
        made = [*digits[:code], "0", "0", *(str(draw(10)) for _ in digits[code + 2 :])][: len(digits)]
    return _refilled(text, made)


def _refilled(text: str, digits: Sequence[str]) -> str:
    """``text`` with its digits, in order, replaced by others."""
    left = iter(digits)
    return "".join(next(left) if char.isdecimal() else char for char in text)


def _ip(inventor: Inventor, text: str) -> str:
    draw = inventor.draw("ip", text)
    if ":" in text:
        return f"2001:db8::{draw(65536):x}:{draw(65536):x}"
    return f"{_NETWORKS[draw(len(_NETWORKS))]}.{1 + draw(254)}"


def _mac(inventor: Inventor, text: str) -> str:
    draw = inventor.draw("mac", text)
    left = iter(f"{_MAC_HEAD}{draw(256):02x}")
    return "".join(next(left, "0") if char.lower() in _HEX else char for char in text)


def _url(inventor: Inventor, text: str) -> str:
    scheme = text.partition("://")[0] if "://" in text else "https"
    draw = inventor.draw("url", text)
    return f"{scheme if scheme.isalpha() else 'https'}://{_DOMAINS[draw(len(_DOMAINS))]}/{draw(1 << 32):08x}"


def _user_name(inventor: Inventor, text: str) -> str:
    draw = inventor.draw("user", text)
    return f"{_ascii(inventor.choose('user name', text, 'first_names')).lower() or 'user'}{draw(10000):04d}"


def _ssn(inventor: Inventor, text: str) -> str:
    """No number that begins with 9, and none whose middle group is 00, is anybody's."""
    digits = [char for char in text if char.isdecimal()]
    draw = inventor.draw("ssn", "".join(digits))
    made = ["9", *(str(draw(10)) for _ in digits[1:])]
    made[3:5] = "00" if len(made) > 4 else made[3:5]  # noqa: PLR2004 - where the group stands
    return _refilled(text, made[: len(digits)])


def _code(inventor: Inventor, text: str) -> str:
    """Digit for digit and letter for letter; a country's letters before an IBAN stay."""
    kept = 2 if text[:2].isalpha() and text[:2].isupper() and text[2:4].isdecimal() else 0
    draw = inventor.draw("code", "".join(char for char in text if char.isalnum()))
    shown = without_checksum(reshaped(text, draw, kept=kept))
    return shown if shown != text else without_checksum(reshaped(text, draw, kept=kept))


_MAKERS: Final[Mapping[str, Callable[[Inventor, str], str]]] = MappingProxyType(
    {
        "ADDRESS": _address,
        "EMAIL_ADDRESS": _email,
        "FAX_NUMBER": _phone,
        "IP_ADDRESS": _ip,
        "LOCATION": _place,
        "MAC_ADDRESS": _mac,
        "ORGANIZATION": _organization,
        "PERSON": _person,
        "PHONE_NUMBER": _phone,
        "URL": _url,
        "USERNAME": _user_name,
        "US_ITIN": _ssn,
        "US_SSN": _ssn,
    }
)
