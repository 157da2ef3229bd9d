"""Fictitious people whose every identifier lies in a range reserved for examples, tests or fiction.

Sources of the ranges: RFC 2606 (names), RFC 5737 and RFC 3849 (addresses), RFC 7042 (MAC), the 555-01xx block of the
North American Numbering Plan, the drama numbers of Ofcom, Bundesnetzagentur, ARCEP and ACMA, area numbers 900-999 that
the SSA has never issued, the NHS numbers from 999 000 0000, and the card numbers payment processors publish for tests.
IBANs carry bank codes that no registry has given out and correct check digits (ISO 13616).
"""

import random
from collections.abc import Callable, Sequence

FIRST_NAMES: dict[str, tuple[str, ...]] = {
    "US": (
        "Maya",
        "Jordan",
        "Denise",
        "Marcus",
        "Alicia",
        "Trevor",
        "Priya",
        "Caleb",
        "Renee",
        "Hector",
        "Joanna",
        "Darius",
        "Wendy",
        "Malik",
    ),
    "GB": ("Imogen", "Callum", "Gemma", "Rhys", "Harriet", "Alistair", "Nadia", "Owen", "Beatrix", "Kieran"),
    "DE": ("Annika", "Jürgen", "Katrin", "Matthias", "Sabine", "Torsten", "Leonie", "Björn", "Heike", "Emre"),
    "FR": ("Élodie", "Mathieu", "Camille", "Bastien", "Amélie", "Théo", "Solène", "Karim", "Margaux", "Hugo"),
    "ES": ("Lucía", "Álvaro", "Carmen", "Íñigo", "Marisol", "Sergio", "Noelia", "Gonzalo", "Paloma", "Rubén"),
    "AU": ("Bronte", "Lachlan", "Tahlia", "Angus", "Matilda", "Darcy", "Indigo", "Hamish"),
}
LAST_NAMES: dict[str, tuple[str, ...]] = {
    "US": (
        "Whitfield",
        "Okafor",
        "Castellano",
        "Nguyen",
        "Brandt",
        "Delacroix",
        "Abernathy",
        "Patel",
        "Sorensen",
        "Montoya",
        "Huang",
        "Kowalczyk",
        "Freeman",
        "Ridley",
    ),
    "GB": ("Ashdown", "Pemberton", "Llewellyn", "MacInnes", "Hargreaves", "Begum", "Thistlewood", "Okoro", "Featherby"),
    "DE": ("Brückner", "Lindemann", "Vogelsang", "Reinhardt", "Özdemir", "Kästner", "Hohlfeld", "Sommerfeld"),
    "FR": ("Lefèvre", "Benhamou", "Charpentier", "Delaunay", "Rousselet", "Marchetti", "Garnier-Blanc", "Pichon"),
    "ES": ("Ferrándiz", "Echeverría", "Quintanilla", "Montalbán", "Arreola", "Villaseñor", "Robledo", "Cifuentes"),
    "AU": ("Hawthorne", "Brightwell", "Cassidy", "Tran", "Maddocks", "O'Rourke", "Fenwick"),
}
STREETS: dict[str, tuple[str, ...]] = {
    "US": ("{n} Juniper Hollow Rd", "{n} W Larkspur Ave, Apt {a}", "{n} Old Mill Pond Ln", "{n} Cannery St, Unit {a}"),
    "GB": ("{n} Thornfield Crescent", "Flat {a}, {n} Weaver's Row", "{n} Saltmarsh Road"),
    "DE": ("Lindenwinkel {n}", "Am Alten Speicher {n}", "Kastanienstieg {n}"),
    "FR": ("{n} rue des Tisserands", "{n} bis, chemin du Vieux Lavoir", "{n} allée des Amandiers"),
    "ES": ("Calle del Almendral {n}, {a}º B", "Avenida de los Tilos {n}", "Plaza del Alfarero {n}"),
    "AU": ("{n} Banksia Parade", "Unit {a}/{n} Kurrajong St"),
}
TOWNS: dict[str, tuple[str, ...]] = {
    "US": ("Millbrook Falls, OR 97009", "Cedar Landing, OH 44099", "Port Avery, ME 04999", "Dry Creek, TX 78699"),
    "GB": ("Wexcombe WX4 7QJ", "Little Hadley LH12 9ZZ", "Port Carrow PC1 3XW"),
    "DE": ("09999 Altwiesen", "24998 Norderhafen", "88999 Bergkirchen am See"),
    "FR": ("69990 Saint-Aubin-les-Forges", "33995 Port-Lantin", "59991 Vieux-Moulin"),
    "ES": ("28999 Valdemora del Río", "46990 Puerto Almagre", "41995 Torrecilla"),
    "AU": ("Wattle Bay NSW 2999", "Kurunda QLD 4999"),
}
MAIL_DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com", "post.example.org", "work.example.net")
TEST_CARDS = (
    "4242424242424242", "4111111111111111", "4012888888881881", "4000056655665556", "5555555555554444",
    "5105105105105100", "5200828282828210", "2223003122003222", "378282246310005", "371449635398431",
    "6011111111111117", "6011000990139424", "3530111333300000",
)  # fmt: skip
IBAN_BODIES: dict[str, str] = {
    "DE": "00000000{d10}",
    "FR": "0000000000{d11}00",
    "ES": "00000000{d12}",
    "GB": "TEST000000{d8}",
    "NL": "TEST{d10}",
}
PASSWORD_WORDS = ("Harbor", "velvet", "Pepper", "cobalt", "Walnut", "Quasar", "maple", "Tundra", "Saffron", "biscuit")
TRADES = ("pediatric nurse", "line cook", "bookkeeper", "carpenter", "paralegal", "bus driver", "geologist", "florist")
PLAIN_LETTERS = str.maketrans("áéíóúàèùçâêîôûëïüöäñåøßÁÉÍÓÚÖÜÄÑÇ'", "aeiouaeucaeioueiuoanaosAEIOUOUANC.")


def digits(rng: random.Random, count: int) -> str:
    """Return ``count`` decimal digits."""
    return "".join(str(rng.randrange(10)) for _ in range(count))


def iban(rng: random.Random, country: str) -> str:
    """Return an IBAN with valid check digits (ISO 13616, mod 97) over a bank code that does not exist."""
    body = IBAN_BODIES.get(country, IBAN_BODIES["NL"])
    code = country if country in IBAN_BODIES else "NL"
    width = int(body[body.index("{d") + 2 : body.index("}")])
    account = body.replace(f"{{d{width}}}", digits(rng, width))
    value = int("".join(str(int(char, 36)) for char in account + code + "00"))
    return f"{code}{98 - value % 97:02d}{account}"


def spaced(text: str, group: int = 4) -> str:
    """Return ``text`` in groups separated by blanks, as people write card numbers and IBANs."""
    return " ".join(text[start : start + group] for start in range(0, len(text), group))


def nhs_number(rng: random.Random) -> str:
    """Return a number of the NHS test range (999 ...) with a valid modulus-11 check digit."""
    while True:
        stem = "999" + digits(rng, 6)
        check = 11 - sum(int(digit) * (10 - place) for place, digit in enumerate(stem)) % 11
        if check != 10:  # noqa: PLR2004 - modulus 11 has no single digit for ten
            number = stem + str(check % 11)
            return f"{number[:3]} {number[3:6]} {number[6:]}"


def pick(rng: random.Random, options: Sequence[str]) -> str:
    """Return one option (``randrange`` keeps its sequence over Python versions, ``choice`` has not always)."""
    return options[rng.randrange(len(options))]


PHONES: dict[str, Callable[[random.Random], str]] = {
    "US": lambda rng: pick(rng, ("({a}) 555-01{d}", "+1 {a}-555-01{d}", "{a}-555-01{d}", "{a}.555.01{d}")).format(
        a=pick(rng, ("206", "312", "415", "503", "617", "713", "919")), d=digits(rng, 2)
    ),
    "GB": lambda rng: pick(rng, ("020 7946 0{d}", "+44 20 7946 0{d}", "0161 496 0{d}")).format(d=digits(rng, 3)),
    "DE": lambda rng: pick(rng, ("030 23125 {d}", "+49 30 23125 {d}", "0049 89 99998 {d}")).format(d=digits(rng, 3)),
    "FR": lambda rng: f"{pick(rng, ('01 99 00', '+33 1 99 00', '04 65 71'))} {digits(rng, 2)} {digits(rng, 2)}",
    "AU": lambda rng: pick(rng, ("0491 570 156", "0491 570 157", "02 5550 {d}", "+61 2 5550 {d}")).format(
        d=digits(rng, 4)
    ),
}


def person(rng: random.Random, country: str) -> dict[str, str]:
    """Return the facts of one invented person of ``country``, by placeholder name."""
    first, last = pick(rng, FIRST_NAMES[country]), pick(rng, LAST_NAMES[country])
    plain = f"{first}.{last}".translate(PLAIN_LETTERS).lower().replace(" ", "")
    local = pick(rng, (plain, plain.replace(".", "_"), plain[0] + plain.split(".", 1)[1], f"{plain}{digits(rng, 2)}"))
    street = pick(rng, STREETS[country]).format(n=rng.randrange(2, 900), a=rng.randrange(1, 30))
    card = pick(rng, TEST_CARDS)
    account = iban(rng, country)
    born = rng.randrange(1944, 2006)
    return {
        "first": first,
        "last": last,
        "name": f"{first} {last}",
        "email": f"{local}@{pick(rng, MAIL_DOMAINS)}",
        "phone": PHONES.get(country, PHONES["US"])(rng),
        "street": street,
        "address": f"{street}, {pick(rng, TOWNS[country])}",
        "dob": f"{born}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}",
        "age": str(2026 - born),
        "trade": pick(rng, TRADES),
        "ssn": f"9{digits(rng, 2)}-{rng.randrange(10, 50)}-{rng.randrange(1, 10000):04d}",
        "nhs": nhs_number(rng),
        "mrn": f"{rng.randrange(100000, 999999):08d}",
        "card": card if rng.randrange(3) else spaced(card),
        "card_last4": card[-4:],
        "expiry": f"{rng.randrange(1, 13):02d}/{rng.randrange(27, 32)}",
        "iban": account if rng.randrange(2) else spaced(account),
        "ip": f"{pick(rng, ('192.0.2', '198.51.100', '203.0.113'))}.{rng.randrange(1, 255)}",
        "ip6": f"2001:db8:{rng.randrange(1, 65536):x}::{rng.randrange(1, 65536):x}",
        "mac": f"00:00:5e:00:53:{rng.randrange(256):02x}",
        "username": plain.replace(".", "")[:10] + digits(rng, 2),
        "password": f"{pick(rng, PASSWORD_WORDS)}{pick(rng, '!#%_-')}{pick(rng, PASSWORD_WORDS)}{digits(rng, 3)}",
        "api_key": f"crv_test_{rng.getrandbits(112):028x}",
        "passport": f"X{digits(rng, 8)}",
        "license": f"D{digits(rng, 3)}-{digits(rng, 4)}-{digits(rng, 4)}",
        "plate": f"{pick(rng, ('KX', 'ZT', 'QV'))}{digits(rng, 2)} {pick(rng, ('TST', 'XMP', 'DMO'))}",
    }
