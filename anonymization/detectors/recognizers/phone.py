"""Phone numbers, by the metadata of libphonenumber."""

import unicodedata
from collections.abc import Iterator
from typing import Any, ClassVar, Final

import phonenumbers
import regex
from presidio_analyzer import AnalysisExplanation, EntityRecognizer, RecognizerResult
from presidio_analyzer.predefined_recognizers import PhoneRecognizer as StockPhoneRecognizer

from anonymization.detectors.phones import QuickMatcher, plan_of

#: Shorter numbers are valid somewhere (four digits in Germany) but not worth what they would hide.
SHORTEST: Final = 7

_SCORE: Final = 0.4
_DIGIT: Final = regex.compile(r"\d")
#: What libphonenumber allows between two digits of one number, at most four of it.
_GAP: Final = (
    r"[-xX\u2010-\u2015\u2212\u30fc\uff0d-\uff0f \u00a0\u00ad\u200b\u2060\u3000()\uff08\uff09\uff3b\uff3d.\[\]/~\u2053"
    r"\u223c\uff5e]{0,4}"
)
#: Enough digits close together to be a number; a necessary condition for the recognizer to find any.
ENOUGH_DIGITS: Final = rf"\d(?:{_GAP}\d){{{SHORTEST - 1}}}"

_CANDIDATE: Final = regex.compile(rf"[+\uff0b(\uff08\[\uff3b]{{0,2}}\d(?:{_GAP}\d)*+")
#: Sums and amounts: a number before an equals sign or after a currency sign.
_SUM_FOLLOWS: Final = regex.compile(r"\s?=")
_CURRENCY: Final = frozenset("$€£¥₹")
#: Around a candidate, so that libphonenumber sees the letters and extensions next to it.
_BEFORE: Final = 4
_AFTER: Final = 24
_GROUP: Final = regex.compile(r"\d+")
#: Shorter and longer runs of digits are no number with or without prefixes (ITU-T E.164: at most 15 digits).
_SHORTEST_DIALLED: Final = 4
_LONGEST_DIALLED: Final = 24
_EXTENSION: Final = regex.compile(r"[^\W\d_xX\u30fc]")


class PhoneRecognizer(StockPhoneRecognizer):
    """The stock recognizer without numbers under seven digits, sums, and ``number`` as a supporting word.

    It looks at each run of digits once and asks only the regions whose numbering plan the digits fit, instead of
    reading the whole text once a region.
    """

    NAME: ClassVar = "PhoneRecognizer"
    #: Without it there is no number: the prefilter's condition.
    NECESSARY: ClassVar = ENOUGH_DIGITS

    def __init__(self) -> None:
        super().__init__(
            name=self.NAME,
            context=["phone", "telephone", "tel", "cell", "cellphone", "mobile", "call", "called", "calling", "fax",
                     "whatsapp", "signal", "dial", "text", "sms", "contact", "reach", "hotline", "ring"],
        )  # fmt: skip
        self._plans = {region: _numbering_plan(region) for region in self.supported_regions}

    def spans(self, text: str) -> set[tuple[int, int]]:
        """Start and end of every number that is valid in one of the supported regions."""
        return {
            span
            for candidate in _CANDIDATE.finditer(text)
            if len(_DIGIT.findall(candidate.group())) >= SHORTEST and not _is_amount(text, *candidate.span())
            for span in self._numbers(text, candidate.start(), candidate.end())
        }

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        del entities, nlp_artifacts
        metadata = {
            RecognizerResult.RECOGNIZER_NAME_KEY: self.NAME,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
        }
        results = [
            RecognizerResult("PHONE_NUMBER", start, end, _SCORE, AnalysisExplanation(self.NAME, _SCORE), dict(metadata))
            for start, end in self.spans(text)
        ]
        found: list[RecognizerResult] = EntityRecognizer.remove_duplicates(results)
        return found

    def _numbers(self, text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
        offset = max(0, start - _BEFORE)
        nearby = text[offset : end + _AFTER]
        known: dict[tuple[str, int], Any] = {}
        for region in self._regions(text[start:end]):
            for match in QuickMatcher(nearby, plan_of(region), known=known):
                first, last = match.start + offset, match.end + offset
                if first < end and last > start and _is_long_enough(match.raw_string):
                    yield first, last
                    if first <= start + 1 and last >= end:
                        return

    def _regions(self, candidate: str) -> tuple[str, ...]:
        """The regions in which some run of neighbouring groups of digits can be dialled; others need not be asked."""
        dialled = set(_dialled(_GROUP.findall(candidate)))
        is_international = "+" in candidate or "\uff0b" in candidate  # it names its country itself: any region will do
        return tuple(
            region
            for index, (region, plan) in enumerate(self._plans.items())
            if (is_international and not index) or any(plan.fullmatch(digits) for digits in dialled)
        )


def _dialled(groups: list[str]) -> Iterator[str]:
    """Every run of neighbouring groups, joined, that is long enough to be a number, in ASCII digits.

    A run ends where it would be too long, so the work grows with the groups and not with their square.
    """
    plain = ["".join(str(unicodedata.digit(digit)) for digit in group) for group in groups]
    for first in range(len(plain)):
        run = ""
        for group in plain[first : first + _LONGEST_DIALLED]:
            run += group
            if len(run) > _LONGEST_DIALLED:
                break
            if len(run) >= _SHORTEST_DIALLED:
                yield run


def _is_amount(text: str, start: int, end: int) -> bool:
    return _SUM_FOLLOWS.match(text, end) is not None or text[max(0, start - 1) : start] in _CURRENCY


def _is_long_enough(number: str) -> bool:
    return len(_DIGIT.findall(_EXTENSION.split(number, maxsplit=1)[0])) >= SHORTEST


def _numbering_plan(region: str) -> "regex.Pattern[str]":
    """Matches what can be dialled from within a region: a necessary condition for libphonenumber to find a number.

    That is a national number, behind the country's own code and the national prefix or without them, or anything behind
    the prefix for calls abroad.
    """
    own = phonenumbers.PhoneMetadata.metadata_for_region(region)
    assert own is not None
    country = phonenumbers.country_code_for_region(region)
    plans = (
        phonenumbers.PhoneMetadata.metadata_for_region(member)
        for member in phonenumbers.region_codes_for_country_code(country)
    )
    described = {str(plan.general_desc.national_number_pattern) for plan in plans if plan and plan.general_desc}
    national = "|".join(f"(?:{pattern})" for pattern in sorted(described))
    prefix = own.national_prefix_for_parsing or own.national_prefix or "(?!)"
    return regex.compile(
        rf"(?:{country})?(?:{prefix})?(?:{national})|(?:{country})?(?:{prefix})|(?:{own.international_prefix})\d+"
    )
