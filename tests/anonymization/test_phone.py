import random

import pytest
from faker import Faker

from anonymization.detectors.recognizers.phone import PhoneRecognizer


class AskingEveryRegion(PhoneRecognizer):
    """The recognizer without the look at numbering plans."""

    def _regions(self, candidate: str) -> tuple[str, ...]:  # noqa: ARG002 - the rule it does without
        return tuple(self.supported_regions)


@pytest.fixture(scope="module")
def recognizers() -> tuple[PhoneRecognizer, PhoneRecognizer]:
    return PhoneRecognizer(), AskingEveryRegion()


def _texts(seed: int, count: int) -> list[str]:
    """Runs of digits, grouped or not, behind prefixes or not, and numbers as people of ten countries write them."""
    rng = random.Random(seed)
    people = [Faker(locale) for locale in ("en_US", "en_GB", "de_DE", "fr_FR", "pt_BR", "en_IN", "he_IL", "en_CA")]
    for person in people:
        person.seed_instance(seed)
    made = []
    for _ in range(count):
        digits = "".join(rng.choice("0123456789") for _ in range(rng.randint(7, 16)))
        groups = [digits[at : at + rng.choice((2, 3, 4))] for at in range(0, len(digits), 4)]
        lead = rng.choice(("", "", "00", "011", "0", "1", "+", "(0)", "44", "0049 "))
        made += [lead + digits, lead + rng.choice(" -./").join(groups), rng.choice(people).phone_number()]
    return [f"at {number} ok" for number in made]


@pytest.mark.parametrize("seed", range(4))
def test_asking_only_the_fitting_regions_finds_the_same_numbers(recognizers, seed):
    quick, thorough = recognizers
    for text in _texts(seed, 120):
        assert quick.spans(text) == thorough.spans(text), text


def test_numbers_with_prefixes_and_extensions_are_found(recognizers):
    quick, thorough = recognizers
    for text in (
        "call 0015 11 98765-4321",
        "ring (212) 555-0142 ext. 77",
        "tel 00 49 30 901820",
        "0800 1111",
        "1-800-356-9377 x3",
    ):
        assert quick.spans(text) == thorough.spans(text), text
