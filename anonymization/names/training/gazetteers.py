"""Makes the lexicon: names from Faker (MIT), places from phonenumbers (Apache-2.0), and lists of our own."""

import importlib
import pkgutil
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from zoneinfo import available_timezones

import faker.providers.address
import faker.providers.company
import faker.providers.person
from phonenumbers.geodata import GEOCODE_DATA

from anonymization.names.lexicon import Kind, Lexicon

_LISTS: Final = Path(__file__).parent / "lists"
_WORD: Final = re.compile(r"[^\W_]+(?:['\u2019](?!s\b)[^\W_]+)*")
_LAST_LATIN: Final = "\u024f"
_CITY_ATTRIBUTES: Final = frozenset(
    {"cities", "city_names", "cities_names", "municipalities", "city_name", "_cities", "metropolitan_cities", "towns"}
)
_SECTIONS: Final = {
    "first": Kind.FIRST, "last": Kind.LAST, "city": Kind.CITY, "country": Kind.COUNTRY, "region": Kind.REGION,
    "org-word": Kind.ORG_WORD, "title": Kind.TITLE, "street": Kind.STREET, "nation": Kind.NATION, "month": Kind.MONTH,
    "org": Kind.ORG_NAME, "particle": Kind.NAME_PART,
}  # fmt: skip
#: Shorter ones ("Au", "Ed") are words or names more often than places.
_SHORTEST_CITY: Final = 4
#: A word is common when texts have it in small letters at least this often, and in no name more often than that.
_COMMON_FROM: Final = 2


def read_list(name: str) -> list[str]:
    """The entries of a list file: separated by commas and line breaks; lines that begin with ``#`` are remarks."""
    lines = (_LISTS / f"{name}.txt").read_text(encoding="utf-8").split("\n")
    entries = ",".join(line for line in lines if not line.startswith("#")).split(",")
    return [entry.strip() for entry in entries if entry.strip()]


def faker_names(kind: str) -> set[str]:
    """All ``first`` or ``last`` names of Faker's locales in Latin letters."""
    found: set[str] = set()
    for provider in _providers(faker.providers.person):
        attributes = [name for name in dir(provider) if name.startswith((f"{kind}_name", f"{kind}_romanized_name"))]
        found.update(name for name in _strings(provider, attributes) if _is_latin(name))
    return found


def faker_cities() -> set[str]:
    found: set[str] = set()
    for provider in _providers(faker.providers.address):
        found.update(_strings(provider, [name for name in dir(provider) if name in _CITY_ATTRIBUTES]))
    return found


def faker_countries() -> set[str]:
    return set(_strings(importlib.import_module("faker.providers.address.en_US").Provider, ["countries"]))


def phone_places() -> set[str]:
    """Places that telephone prefixes belong to: towns of most countries, in their English spelling."""
    names = {names["en"] for names in GEOCODE_DATA.values() if "en" in names}
    return {re.split(r",| - | / |\(|/", name)[0].strip() for name in names}


def build_lexicon(common: Mapping[str, int]) -> Lexicon:
    """The lexicon; ``common`` counts lower-case words of ordinary text outside names."""
    kinds: Counter[str] = Counter()
    phrases: set[tuple[str, ...]] = set()
    for entry, kind in _entries():
        words = tuple(_WORD.findall(entry.lower()))
        if len(words) == 1:
            kinds[words[0]] |= kind
        elif kind in {Kind.CITY, Kind.COUNTRY, Kind.REGION, Kind.ORG_NAME} and words:
            phrases.add(words)
        elif kind in {Kind.FIRST, Kind.LAST}:
            for word in words:
                kinds[word] |= kind if len(word) > 3 else Kind.NAME_PART  # noqa: PLR2004 - "de", "van"
    for word, count in common.items():
        if count >= _COMMON_FROM:
            kinds[word] |= Kind.COMMON
    return Lexicon({word: int(kind) for word, kind in sorted(kinds.items())}, sorted(phrases))


def _entries() -> Iterator[tuple[str, Kind]]:
    sources: list[tuple[Iterable[str], Kind]] = [
        (faker_names("first"), Kind.FIRST),
        (faker_names("last"), Kind.LAST),
        (faker_cities() | phone_places(), Kind.CITY),
        (faker_countries(), Kind.COUNTRY),
        ((zone.split("/")[-1].replace("_", " ") for zone in available_timezones() if "/" in zone), Kind.CITY),
    ]
    sources += [(read_list(name), kind) for name, kind in _SECTIONS.items()]
    for entries, kind in sources:
        for entry in sorted(entries):
            if _is_latin(entry) and len(entry) >= (_SHORTEST_CITY if kind is Kind.CITY else 2):
                yield entry, kind


def _is_latin(name: str) -> bool:
    return all(char <= _LAST_LATIN for char in name)


def _providers(package: Any) -> Iterator[Any]:
    for module in sorted(found.name for found in pkgutil.iter_modules(package.__path__)):
        yield importlib.import_module(f"{package.__name__}.{module}").Provider


def _strings(provider: Any, attributes: Iterable[str]) -> Iterator[str]:
    for attribute in attributes:
        values = getattr(provider, attribute, ())
        if isinstance(values, Mapping | list | tuple | set):
            yield from (value for value in values if isinstance(value, str))
