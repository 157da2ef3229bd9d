"""Invents people, places and organizations of many cultures for generated text."""
# ruff: noqa: PLR2004 - a share of a draw means nothing beyond its line

import random
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
_ORG_ENDS: Final = (
    "Group", "Holdings", "Systems", "Labs", "Partners", "Consulting", "Bank", "Insurance", "Logistics", "Pharma", "Energy",
    "Capital", "Media", "Software", "Technologies", "Industries", "Foods", "Airlines", "University", "Hospital", "Clinic",
    "Foundation", "Trust", "Council", "Institute", "College", "School", "Union", "Church", "Police Department", "Court",
    "Committee", "Agency", "Association", "Bros", "& Sons", "Motors", "Networks", "Solutions", "Analytics", "Robotics",
    "Studios", "Press", "Times", "Herald", "Dental", "Pharmacy", "Bakery", "Grill", "Salon", "Auto Repair", "Realty",
    "Law Firm", "Medical Center", "Health", "Records", "Brewery", "Construction", "Plumbing", "Electric", "Travel",
    "& Co", "& Associates", "Ltd", "Inc.", "LLC", "GmbH", "plc", "Corp.", "S.A.", "AG", "B.V.", "Pty Ltd", "AB",
)  # fmt: skip
_OF_PLACE: Final = (
    "{} University", "University of {}", "{} General Hospital", "{} City Council", "{} Police", "{} Football Club",
    "{} High School", "{} District Court", "{} Chamber of Commerce", "{} Airport Authority", "{} Public Library",
    "{} Regional Court", "{} Court of Appeal", "{} Assize Court", "{} State Security Court", "{} Prosecutor's Office",
    "{} Town Council", "{} Administrative Court", "{} Medical Center", "{} Children's Hospital", "Bank of {}",
    "{} United", "{} City", "{} Symphony Orchestra", "{} Magistrates' Court", "{} Housing Association", "{} Gazette",
    "{} Department of Health", "{} Fire Department", "{} Bar Association", "Diocese of {}", "{} Community College",
    "{} Social Insurance Board", "{} Forensic Medicine Institute", "{} Land Registry", "{} Prison", "{} Tax Office",
)  # fmt: skip
_STATE: Final = (
    "Supreme Court", "Court of Cassation", "Constitutional Court", "Ministry of Justice", "Ministry of the Interior",
    "Ministry of Finance", "Ministry of Health", "Ministry of Foreign Affairs", "Court of Appeal", "High Court",
    "Federal Court of Justice", "Supreme Administrative Court", "Council of State", "Department of Justice",
    "Department of Labor", "Department of Education", "Department of Homeland Security", "Home Office", "Crown Court",
    "Social Insurance Institution", "National Health Service", "Federal Reserve", "Treasury", "Parole Board",
    "Immigration Board", "Military Court of Cassation", "Legal Aid Board", "Crown Prosecution Service", "City Hall",
    "General Staff", "Central Bank", "State Treasury", "Employment Tribunal", "Bar Council", "Medical Council",
    "National Archives", "Civil Aviation Authority", "Data Protection Commission", "Red Crescent", "Child Welfare Board",
)  # fmt: skip
_WORDS: Final = (
    "Blue", "Green", "North", "South", "Sun", "Star", "River", "Stone", "Iron", "Silver", "Golden", "Bright", "Clear",
    "Data", "Cloud", "Cyber", "Micro", "Omni", "Inter", "Trans", "Global", "First", "Prime", "Apex", "Summit", "Delta",
    "Nova", "Vertex", "Quantum", "Fusion", "Metro", "Urban", "Pacific", "Atlantic", "Alpine", "Liberty", "Pioneer",
    "Harbor", "Oak", "Maple", "Cedar", "Eagle", "Falcon", "Lion", "Phoenix", "Crystal", "Diamond", "Royal", "Imperial",
)  # fmt: skip
_TAILS: Final = ("ly", "ify", "soft", "tech", "nova", "io", "base", "hub", "ware", "net", "gen", "wise", "works", "com")
_LANDMARKS: Final = (
    "Lake {}", "Mount {}", "{} River", "{} Park", "{} Airport", "{} Station", "{} Bridge", "{} Beach", "{} Valley",
    "{} Island", "{} Bay", "{} County", "Port {}", "Fort {}", "North {}", "{} Hills", "{} Square", "{} Prison", "Upper {}",
)  # fmt: skip
_DISTRICTS: Final = ("{} district", "{} region", "{} province", "district of {}", "province of {}", "village of {}")


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
        return self.dice.choice(_LANDMARKS).format(name)

    def district(self) -> str:
        return self.dice.choice(_DISTRICTS).format(self.city())

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
        draw = self.dice.random()
        if draw < 0.2:
            return self._faker().company()
        if draw < 0.42:
            return self.dice.choice(self._orgs)
        if draw < 0.6:
            return f"{self._names()[1]} {self.dice.choice(_ORG_ENDS)}"
        if draw < 0.72:
            first = self.dice.choice(_WORDS)
            second = self.dice.choice(_TAILS) if self.dice.random() < 0.5 else f" {self.dice.choice(_ORG_ENDS)}"
            return first + second
        if draw < 0.84:
            return self.dice.choice(_OF_PLACE).format(self.city())
        if draw < 0.9:
            return self.dice.choice(_STATE)
        if draw < 0.95:
            return "".join(self.dice.choice("ABCDEFGHIKLMNOPRSTU") for _ in range(self.dice.randint(2, 5)))
        return f"{self._names()[1]}, {self._names()[1]} & {self._names()[1]}" if draw < 0.97 else self._names()[1]

    def authority(self) -> str:
        """A court, ministry or the like, as court decisions name them."""
        if self.dice.random() < 0.4:
            return self.dice.choice(_STATE)
        return self.dice.choice(_OF_PLACE).format(self.city())

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
