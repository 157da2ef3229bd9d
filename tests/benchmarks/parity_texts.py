"""Texts to compare detectors on: prose with and without personal data, and runs of numbers glued together."""

import random
from collections.abc import Callable, Iterator
from functools import partial

from faker import Faker

LOCALES = (
    "en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "pl_PL", "pt_BR", "en_IN", "he_IL", "sv_SE", "nl_NL",
    "ja_JP", "tr_TR",
)  # fmt: skip
_GLUE = ("", " ", "  ", ", ", "\n", ": ", "-", "/", "; ", " - ", "=", "(", ") ", '"', "\t", " phone ", " card ",
         " ssn: ", "#", "+", " x", ".", " call me at ", " my bank account ", " date of birth ")  # fmt: skip
#: What sentences of prose tell of people: as often by name and place as by number.
_TOLD = (
    "name", "name", "name", "city", "street_address", "company", "date", "job", "email", "phone_number", "url",
    "credit_card_number", "ssn", "iban", "ipv4",
)  # fmt: skip
_SENTENCES = (
    "My {word} number is {value}, please {word} it soon.",
    "Write to {value} or ask {name} about the {word}.",
    "{name} from {city} sent {value} on {date}.",
    "The {word} of {value} was {word} by the {word}.",
    "Please update the account: {value}.",
    "I {word} my card {value} {word} at the {word}, and it was {word}.",
    "Is {value} still the right phone for {name}?",
    "The server {value} answered after {number} ms.",
)


def fuzz(seed: int, count: int) -> Iterator[str]:
    """Values of many countries with anything or nothing between them."""
    rng = random.Random(f"fuzz/{seed}")
    people = _people(seed)
    for _ in range(count):
        made = [_value(rng, rng.choice(people)) for _ in range(rng.randint(1, 5))]
        yield "".join(part for value in made for part in (value, rng.choice(_GLUE)))


def texts_200(seed: int, count: int) -> list[str]:
    """Texts of about 200 characters, three sentences in ten with personal data."""
    people = _people(seed)
    return [_prose(random.Random(f"200/{seed}/{number}"), people, 217, 0.3) for number in range(count)]


def texts_2000(seed: int, count: int) -> list[str]:
    """Texts of about 1,900 characters, three sentences in ten with personal data."""
    people = _people(seed)
    return [_prose(random.Random(f"2000/{seed}/{number}"), people, 1876, 0.3) for number in range(count)]


def clean_200(seed: int, count: int) -> list[str]:
    """Texts of about 200 characters without personal data."""
    people = _people(seed)
    return [_prose(random.Random(f"clean/{seed}/{number}"), people, 218, 0) for number in range(count)]


def _prose(rng: random.Random, people: list[Faker], length: int, share: float) -> str:
    made: list[str] = []
    while sum(map(len, made)) < length:
        person = people[0] if rng.random() < 0.7 else rng.choice(people)
        person.seed_instance(rng.randrange(1 << 30))
        made.append(_sentence(rng, person) if rng.random() < share else person.sentence(rng.randint(6, 18)))
    return " ".join(made)


def _sentence(rng: random.Random, person: Faker) -> str:
    words = {
        "value": getattr(person, rng.choice(_TOLD))(),
        "name": person.name(),
        "city": person.city(),
        "date": person.date(),
    }
    return rng.choice(_SENTENCES).format(word=person.word(), number=rng.randrange(1, 10_000), **words)


def _value(rng: random.Random, person: Faker) -> str:
    makers: tuple[Callable[[], object], ...] = (
        person.phone_number, person.phone_number, person.phone_number, person.email, person.iban, person.ssn,
        person.ipv4, person.ipv6, person.mac_address, person.url, person.uuid4, person.date, person.credit_card_number,
        person.credit_card_full, person.swift, person.bban, partial(person.bothify, "?######?"),
        partial(person.numerify, "###-##-####"), partial(person.numerify, "+%# ### ### ####"),
        partial(person.numerify, "00%# ### #######"), partial(person.numerify, "%" + "#" * rng.randint(5, 17)),
        partial(person.numerify, "%#.%#.20## %#:##"), person.postcode, person.street_address, person.name,
    )  # fmt: skip
    return str(rng.choice(makers)())


def _people(seed: int) -> list[Faker]:
    people = [Faker(locale) for locale in LOCALES]
    for number, person in enumerate(people):
        person.seed_instance(seed * 100 + number)
    return people
