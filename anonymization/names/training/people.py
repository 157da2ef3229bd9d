"""Invents people, places and organizations of many cultures for generated text."""
# ruff: noqa: PLR2004 - a share of a draw means nothing beyond its line

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from faker import Faker

from anonymization.names.training.gazetteers import faker_countries, faker_names, phone_places, read_list

_LOCALES: Final = (
    "en_US", "en_US", "en_US", "en_US", "en_US", "en_GB", "en_GB", "en_CA", "en_AU", "en_IN", "en_IE", "en_NZ", "de_DE",
    "de_AT", "fr_FR", "fr_CA", "es_ES", "es_MX", "it_IT", "nl_NL", "pl_PL", "sv_SE", "pt_BR", "pt_PT", "tr_TR", "cs_CZ",
    "fi_FI", "da_DK", "no_NO", "hu_HU", "ro_RO", "hr_HR", "id_ID", "tl_PH", "sl_SI", "et_EE", "lv_LV", "lt_LT", "sk_SK",
    "yo_NG", "zu_ZA", "es_CO", "en_PH", "vi_VN", "de_CH", "fr_BE",
)  # fmt: skip
_HONORIFICS: Final = ("Mr", "Mrs", "Ms", "Mr.", "Mrs.", "Ms.", "Dr", "Dr.", "Miss", "Prof.", "Professor", "Sir")


@dataclass(frozen=True, slots=True)
class Person:
    """A made-up person: given name, surname, and the honorific before the surname."""

    first: str
    last: str
    honorific: str
    middle: str = ""

    @property
    def full(self) -> str:
        return " ".join(filter(None, (self.first, self.middle, self.last)))


class Society:
    """Draws people, places and organizations with one set of dice: the same seed draws the same."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - not for secrets
        self._fakers = [Faker(locale) for locale in _LOCALES]
        for number, faker in enumerate(self._fakers):
            faker.seed_instance(seed * 1000 + number)
        self.english = self._fakers[0]
        self._lists: dict[str, list[str]] = {}
        self._firsts, self._lasts = read_list("first"), read_list("last")
        self._orgs, self._cities, self._regions = read_list("org"), read_list("city"), read_list("region")
        self._countries = sorted(faker_countries()) + read_list("country") * 3
        self._towns = sorted(place for place in phone_places() if place.isascii() and len(place) > 3)
        self._chains = {kind: Chain(sorted(faker_names(kind)), self.dice) for kind in ("first", "last")}
        self._town_chain = Chain(self._towns, self.dice)

    def person(self) -> Person:
        first, last = self._names()
        draw = self.dice.random()
        if draw < 0.06:
            last = f"{last}-{self._names()[1]}"
        elif draw < 0.10:
            last = f"{self.dice.choice(('van', 'de', 'von', 'Van', 'De', 'el', 'da', 'bin', 'van der', 'di'))} {last}"
        middle = ""
        if draw > 0.92:
            middle = f"{self.dice.choice('ABCDEFGHJKLMNPRSTW')}."
        elif draw > 0.87:
            middle = self._names()[0]
        return Person(first, last, self.dice.choice(_HONORIFICS), middle)

    def city(self) -> str:
        draw = self.dice.random()
        if draw < 0.35:
            return self.dice.choice(self._cities)
        if draw < 0.6:
            return self._faker().city()
        return self._town_chain.word() if draw > 0.9 else self.dice.choice(self._towns)

    def country(self) -> str:
        return self.dice.choice(self._countries)

    def region(self) -> str:
        return self.dice.choice(self._regions)

    def place(self) -> str:
        draw = self.dice.random()
        if draw < 0.5:
            return self.city()
        if draw < 0.7:
            return self.country()
        if draw < 0.8:
            return self.region()
        if draw < 0.86:
            return f"{self.city()}, {self.english.state_abbr() if self.dice.random() < 0.5 else self.country()}"
        return self.landmark() if draw < 0.94 else self._faker().street_name()

    def landmark(self) -> str:
        name = self._names()[1] if self.dice.random() < 0.5 else self.city()
        return self.one("landmark").format(name)

    def street(self) -> str:
        return self._faker().street_address().replace("\n", " ")

    def address(self) -> str:
        draw = self.dice.random()
        if draw < 0.35:
            return f"{self.street()}, {self.city()}"
        if draw < 0.45:
            return f"{self.street()}, {self.city()}, {self.country()}"
        return self._faker().address().replace("\n", self.dice.choice((", ", ", ", " ")))

    def organization(self) -> str:
        forms: tuple[tuple[float, Callable[[], str]], ...] = (
            (0.20, lambda: self._faker().company()),
            (0.42, lambda: self.dice.choice(self._orgs)),
            (0.60, lambda: f"{self._names()[1]} {self.one('org-end')}"),
            (0.72, self._compound),
            (0.84, lambda: self.one("org-of-place").format(self.city())),
            (0.90, lambda: self.one("authority")),
            (0.95, lambda: "".join(self.dice.choices("ABCDEFGHIKLMNOPRSTU", k=self.dice.randint(2, 5)))),
            (0.97, lambda: f"{self._names()[1]}, {self._names()[1]} & {self._names()[1]}"),
            (1.00, lambda: self._names()[1]),
        )
        draw = self.dice.random()
        return next(form() for share, form in forms if draw < share)

    def _compound(self) -> str:
        end = self.one("org-tail") if self.dice.random() < 0.5 else f" {self.one('org-end')}"
        return self.one("org-beginning") + end

    def authority(self) -> str:
        """A court, ministry or the like, as court decisions name them."""
        if self.dice.random() < 0.4:
            return self.one("authority")
        return self.one("org-of-place").format(self.city())

    def one(self, name: str) -> str:
        """An entry of a list."""
        if name not in self._lists:
            self._lists[name] = read_list(name)
        return self.dice.choice(self._lists[name])

    def _faker(self) -> Faker:
        return self.dice.choice(self._fakers)

    def _names(self) -> tuple[str, str]:
        draw = self.dice.random()
        if draw < 0.55:
            faker = self._faker()
            return faker.first_name(), faker.last_name()
        if draw < 0.8:
            return self.dice.choice(self._firsts), self.dice.choice(self._lasts)
        return self._chains["first"].word(), self._chains["last"].word()


class Chain:
    """Makes words that look like those given, letter by letter, so that a model meets names in no list."""

    def __init__(self, words: list[str], dice: random.Random) -> None:
        self._dice = dice
        self._next: dict[str, list[str]] = {}
        for word in words:
            if word.isalpha() and word.istitle():
                marked = f"^^{word.lower()}$"
                for place in range(len(marked) - 2):
                    self._next.setdefault(marked[place : place + 2], []).append(marked[place + 2])

    def word(self) -> str:
        while True:
            made = "^^"
            while made[-1] != "$" and len(made) < 14:
                made += self._dice.choice(self._next[made[-2:]])
            word = made.strip("^$")
            if len(word) > 3 and made[-1] == "$":
                return word.title()
