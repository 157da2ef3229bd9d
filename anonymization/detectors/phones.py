"""Phone numbers as presidio's recognizer finds them, with one look at each candidate instead of one a region."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any, Final

import phonenumbers
from phonenumbers import phonenumbermatcher as matcher

from anonymization.detectors.dialling import is_dialled

_DIGITS: Final = re.compile(r"\d+")
#: All that a candidate of plain form is made of; others may carry an extension, whose digits do not count.
_PLAIN: Final = re.compile(r"[\d\s\-+().\[\]/\uff0b\u2010-\u2015\u00a0\u200b\u2060\u3000]+")
_PLUS: Final = ("+", "\uff0b")
_PLUS_FIRST: Final = re.compile(r"[^\d+\uff0b]*[+\uff0b]")
_COUNTRIES: Final = frozenset(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
_TYPES: Final = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan",
    "voicemail",
)  # fmt: skip
#: More digits are no number with whatever prefixes (ITU-T E.164: at most 15, without them).
_LONGEST: Final = 32
#: Up to as many groups of digits, libphonenumber's own limit cuts no candidate short.
_MOST_GROUPS: Final = 18
#: A rule that keeps one group, which is the rest of the number.
_REST: Final = re.compile(r"\\\d")


@dataclass(frozen=True, slots=True)
class Plan:
    """What can be dialled within a region: necessary conditions for libphonenumber to find a number there."""

    region: str
    #: A valid national number of the region's country, by itself and behind whatever prefixes.
    national: "re.Pattern[str]"
    behind_prefix: "re.Pattern[str]"
    #: The length of the shortest such number.
    shortest: int
    #: Begins with the prefix for calls abroad.
    abroad: "re.Pattern[str]"
    #: Some national numbers are rewritten while they are read, so that nothing can be said beforehand.
    is_rewritten: bool

    def may_be_dialled(self, digits: str, runs: Sequence[tuple[int, int]]) -> bool:
        """Whether one of these runs of the digits may be a number."""
        return any(
            self.behind_prefix.fullmatch(digits, start, end) or self.abroad.match(digits, start, end)
            for start, end in runs
        )

    def may_contain(self, digits: str) -> bool:
        return bool(self.national.search(digits)) or bool(self.abroad.search(digits))


#: Longer candidates are no numbers to libphonenumber, which counts more than their length.
_LONGEST_CANDIDATE: Final = 200
#: Stands for the number of a match, which nobody asks for.
_SOME_NUMBER: Final = phonenumbers.PhoneNumber()


class QuickMatcher(phonenumbers.PhoneNumberMatcher):
    """libphonenumber's matcher, which does not begin to parse what cannot be a number of the region.

    ``known`` holds what the matchers of other regions found out about candidates that name their country.
    """

    def __init__(
        self,
        text: str,
        plan: Plan,
        leniency: int = phonenumbers.Leniency.VALID,
        known: dict[tuple[str, int], Any] | None = None,
    ) -> None:
        super().__init__(text, plan.region, leniency=leniency)
        self._plan, self._known = plan, {} if known is None else known
        self._asks_all = leniency < phonenumbers.Leniency.VALID

    def _parse_and_verify(self, candidate: str, offset: int) -> Any:
        if _PLUS_FIRST.match(candidate):
            return self._international(candidate, offset)
        if self._asks_all or len(candidate) > _LONGEST_CANDIDATE or not _PLAIN.fullmatch(candidate):
            return super()._parse_and_verify(candidate, offset)
        digits = _in_ascii("".join(_DIGITS.findall(candidate)))
        if is_dialled(self._plan.region, digits) and self._may_stand_here(candidate, offset):
            return phonenumbers.PhoneNumberMatch(offset, candidate, _SOME_NUMBER)
        return None

    def _may_stand_here(self, candidate: str, offset: int) -> bool:
        """What libphonenumber asks of a candidate besides its digits: brackets in pairs, no letters next to it."""
        if not matcher._MATCHING_BRACKETS.fullmatch(candidate) or matcher._PUB_PAGES.search(candidate):  # noqa: SLF001 - its own patterns
            return False
        before = self.text[offset - 1 : offset] if not matcher._LEAD_PATTERN.match(candidate) else ""  # noqa: SLF001
        behind = self.text[offset + len(candidate) :][:1]
        return not any(
            self._is_invalid_punctuation_symbol(character) or self._is_latin_letter(character)
            for character in (before, behind)
            if character
        )

    def _international(self, candidate: str, offset: int) -> Any:
        if (candidate, offset) in self._known:
            return self._known[candidate, offset]
        match = super()._parse_and_verify(candidate, offset)
        if _names_country(candidate):
            self._known[candidate, offset] = match
        return match


def _names_country(candidate: str) -> bool:
    """Whether a code of some country follows the plus; if not, libphonenumber goes on as if there were none."""
    digits = _in_ascii("".join(_DIGITS.findall(candidate)))
    return any(digits[:length] in _COUNTRIES for length in (1, 2, 3))


class PhoneScan:
    """Start and end of every number of some region, exactly where presidio's PhoneRecognizer finds one.

    The order of its eight passes does not matter, since what a number contains is dropped: so a candidate that is a
    number as a whole in one region needs no look in the others, and a region in which nothing of a candidate can be
    dialled needs none either. Both follow from the metadata; the tests compare with presidio's own passes.
    """

    def __init__(self, regions: Sequence[str], leniency: int) -> None:
        self._leniency = leniency
        self._asks_all = leniency < phonenumbers.Leniency.VALID
        self._plans = tuple(_distinct_plans(regions))
        self._rewritten = tuple(plan for plan in self._plans if plan.is_rewritten)
        self._fewest = min(plan.shortest for plan in self._plans)
        #: What no region's numbers match is a number nowhere.
        self._anywhere = re.compile("|".join(f"(?:{plan.behind_prefix.pattern})" for plan in self._plans))
        self._abroad = re.compile("|".join(f"(?:{plan.abroad.pattern})" for plan in self._plans))
        fewest = 2 if self._asks_all else self._fewest
        #: A pattern without which there is no number.
        self.necessary = rf"\d(?:[^\d]{{0,8}}\d){{{fewest - 1}}}"

    def spans(self, text: str) -> set[tuple[int, int]]:
        found: set[tuple[int, int]] = set()
        for candidate, start, is_whole in _candidates(text):
            found.update(self._numbers(text, candidate, start, is_whole=is_whole))
        return found

    def _numbers(self, text: str, candidate: str, start: int, *, is_whole: bool) -> Iterator[tuple[int, int]]:
        groups = [_in_ascii(group) for group in _DIGITS.findall(candidate)]
        is_settled = is_whole and len(groups) <= _MOST_GROUPS and _PLAIN.fullmatch(candidate) is not None
        known: dict[tuple[str, int], Any] = {}
        for plan in self._fitting(groups, is_settled=is_settled, is_international=any(map(candidate.count, _PLUS))):
            search = QuickMatcher(text, plan, self._leniency, known)
            match = search._extract_match(candidate, start)  # noqa: SLF001 - the step that its own loop takes
            if match is None:
                continue
            yield match.start, match.end
            if match.start == start and match.end == start + len(candidate):
                if is_settled:
                    return
                continue
            # It goes on behind what it found, which may lie within this candidate.
            search._search_index = match.end  # noqa: SLF001
            yield from ((after.start, after.end) for after in search)

    def _fitting(self, groups: Sequence[str], *, is_settled: bool, is_international: bool) -> Iterable[Plan]:
        """The regions in which something of the candidate may be a number."""
        if is_international or self._asks_all:
            return self._plans
        digits = "".join(groups)
        if not is_settled:
            return (plan for plan in self._plans if plan.is_rewritten or plan.may_contain(digits))
        runs = list(self._runs(digits, groups))
        asked = self._plans if runs else self._rewritten
        return (plan for plan in asked if plan.is_rewritten or plan.may_be_dialled(digits, runs))

    def _runs(self, digits: str, groups: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Neighbouring groups of digits that may be a number somewhere; what is too long for one is not tried."""
        edges = [0, *accumulate(map(len, groups))]
        for place, start in enumerate(edges[:-1]):
            if self._abroad.match(digits, start):
                yield start, len(digits)
            for end in edges[place + 1 :]:
                if end - start > _LONGEST:
                    break
                if end - start >= self._fewest and self._anywhere.fullmatch(digits, start, end):
                    yield start, end


def _candidates(text: str) -> Iterator[tuple[str, int, bool]]:
    """What libphonenumber would look at, where it starts, and whether nothing was cut off its end."""
    match = matcher._PATTERN.search(text, 0)  # noqa: SLF001 - its own pattern, so that candidates are the same
    while match is not None:
        start, whole = match.start(), match.group()
        cut = matcher._SECOND_NUMBER_START_PATTERN.search(whole)  # type: ignore[attr-defined]  # noqa: SLF001
        candidate = whole[: cut.start()] if cut else whole
        yield candidate, start, cut is None
        match = matcher._PATTERN.search(text, start + len(candidate))  # noqa: SLF001


def _in_ascii(digits: str) -> str:
    return digits if digits.isascii() else "".join(str(unicodedata.digit(digit)) for digit in digits)


def _distinct_plans(regions: Sequence[str]) -> Iterator[Plan]:
    """A plan a region, without regions that libphonenumber reads exactly as an earlier one."""
    seen: set[tuple[object, ...]] = set()
    for region in regions:
        own: Any = phonenumbers.PhoneMetadata.metadata_for_region(region)
        reading = (
            own.country_code, own.international_prefix, own.national_prefix, own.national_prefix_for_parsing,
            own.national_prefix_transform_rule, str(own.general_desc),
        )  # fmt: skip
        if reading not in seen:
            seen.add(reading)
            yield plan_of(region)


@lru_cache(maxsize=256)
def plan_of(region: str) -> Plan:
    """The numbering plan of a region, by its two letters."""
    own: Any = phonenumbers.PhoneMetadata.metadata_for_region(region)
    kinds = list(_kinds(own.country_code))
    national = "|".join(f"(?:{one})" for one in sorted({str(kind.national_number_pattern) for kind in kinds}))
    return Plan(
        region,
        re.compile(national),
        re.compile(rf"{_prefixes(own)}(?:{national})"),
        min(length for kind in kinds for length in kind.possible_length if length > 0),
        re.compile(own.international_prefix or r"(?!)"),
        _REST.fullmatch(own.national_prefix_transform_rule or "\\1") is None,
    )


def _prefixes(own: Any) -> str:
    """What libphonenumber takes off the front of a number dialled within the region: it looks for its prefix twice."""
    if own.national_prefix_transform_rule is not None:
        return r"\d*?"
    prefix = own.national_prefix_for_parsing or own.national_prefix
    return rf"(?:{own.country_code})?" + (rf"(?:{prefix}){{0,2}}" if prefix else "")


def _kinds(country_code: int) -> Iterator[Any]:
    """The descriptions of all kinds of numbers of all regions that share the country code."""
    for region in phonenumbers.region_codes_for_country_code(country_code):
        for name in _TYPES:
            kind = getattr(_metadata(region, country_code), name)
            if kind is not None and kind.national_number_pattern:
                yield kind


def _metadata(region: str, country_code: int) -> Any:
    if region == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY:
        return phonenumbers.PhoneMetadata.metadata_for_nongeo_region(country_code)
    return phonenumbers.PhoneMetadata.metadata_for_region(region)
