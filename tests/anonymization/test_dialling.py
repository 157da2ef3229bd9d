"""Digits are numbers exactly where libphonenumber says so."""

import random

import phonenumbers
import pytest

from anonymization.detectors.dialling import is_dialled

#: With and without national prefixes, carriers' codes, rewriting rules, shared country codes and leading zeros.
REGIONS = (
    "US", "GB", "DE", "FR", "IL", "IN", "CA", "BR", "IT", "AR", "MX", "AU", "ES", "JP", "RU", "KZ", "IM", "TR", "PL",
    "SE", "NL", "CR", "HU",
)  # fmt: skip
PREFIXES = ("", "", "", "0", "1", "8", "00", "011", "0015", "000")
TYPES = range(9)


def _examples():
    made = [phonenumbers.example_number_for_type(region, kind) for region in REGIONS for kind in TYPES]
    return [number for number in made if number is not None]


def _mistyped(rng, digits):
    """The digits, mostly as they are, else with one changed, more or less."""
    place, digit = rng.randrange(len(digits)), rng.choice("0123456789")
    return rng.choice(
        (digits, digits, digits[:place] + digit + digits[place + 1 :], digits + digit, digits[:-1] or digit)
    )


def _dialled(rng, examples):
    if rng.random() < 0.3:
        return "".join(rng.choice("0123456789") for _ in range(rng.randint(3, 18)))
    number = rng.choice(examples)
    national = _mistyped(rng, phonenumbers.national_significant_number(number))
    return rng.choice(PREFIXES) + rng.choice(("", str(number.country_code))) + rng.choice(("", "0")) + national


def _as_libphonenumber_says(region, digits):
    found = phonenumbers.PhoneNumberMatcher(digits, region, leniency=phonenumbers.Leniency.VALID)
    return found._parse_and_verify(digits, 0) is not None


@pytest.mark.parametrize("region", REGIONS)
def test_digits_are_a_number_where_libphonenumber_says_so(region):
    rng, examples = random.Random(region), _examples()
    dialled = [_dialled(rng, examples) for _ in range(600)]
    expected = [_as_libphonenumber_says(region, digits) for digits in dialled]
    assert [is_dialled(region, digits) for digits in dialled] == expected
    assert 10 < sum(expected) < 590
