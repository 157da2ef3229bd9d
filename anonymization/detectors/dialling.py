"""Whether digits are a valid phone number as dialled within a region, decided as libphonenumber decides it.

libphonenumber (its port ``phonenumbers``, at leniency VALID) makes an object and several copies of the text of every
candidate. Here the same steps are taken on the digits alone, with its own metadata.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import phonenumbers
from phonenumbers import phonenumberutil as library

#: Digits of a number without its country's code, at least and at most (libphonenumber's own bounds).
_SHORTEST: Final = 2
_LONGEST: Final = 17
_NEVER: Final = re.compile(r"(?!)")
_KINDS: Final = (
    "premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail", "fixed_line",
)  # fmt: skip
_COUNTRIES: Final = frozenset(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE))


@dataclass(frozen=True, slots=True)
class _Description:
    """One kind of numbers: a pattern for the whole number, and lengths (none: any)."""

    pattern: "re.Pattern[str]"
    lengths: frozenset[int]

    def fits(self, number: str) -> bool:
        return (not self.lengths or len(number) in self.lengths) and self.pattern.fullmatch(number) is not None


@dataclass(frozen=True, slots=True)
class _Region:
    """The metadata of one region in the form that decisions take."""

    country: str
    metadata: Any
    general: _Description
    kinds: tuple[_Description, ...]
    #: Numbers that begin so belong to this region, valid or not; None where validity alone decides.
    leading: "re.Pattern[str] | None"
    #: What is dialled before a country's code, and before a national number.
    abroad: "re.Pattern[str]"
    prefix: "re.Pattern[str] | None"
    rewriting: str
    #: Lengths of numbers that may be dialled; those for local calls alone are not among them.
    possible: frozenset[int]
    local: frozenset[int]
    #: Whether some numbers are none unless the national prefix was dialled.
    asks_prefix: bool

    def is_valid(self, number: str) -> bool:
        return self.general.fits(number) and any(kind.fits(number) for kind in self.kinds)

    def without_prefix(self, number: str) -> tuple[str, bool]:
        """The number without national prefix and carrier's code, and whether there was one."""
        if not number or self.prefix is None:
            return number, False
        found = self.prefix.match(number)
        if found is None:
            return number, False
        if self.rewriting and found.group(self.prefix.groups) is not None:
            rest = self.prefix.sub(self.rewriting, number, count=1)
        else:
            rest = number[found.end() :]
        whole = self.general.pattern
        if whole.fullmatch(number) and not whole.fullmatch(rest):
            return number, False
        return rest, True

    def national(self, number: str) -> str:
        """The national number: its prefix goes where what is left has a length that can be dialled."""
        rest, _ = self.without_prefix(number)
        is_too_long = len(rest) > max(self.possible)
        return rest if len(rest) not in self.local and (len(rest) in self.possible or is_too_long) else number


def is_dialled(region: str, digits: str) -> bool:
    """Whether ``digits`` (ASCII, no plus before them) dialled within ``region`` are a valid number, of any country.

    Equals what ``phonenumbers`` finds at ``Leniency.VALID`` in a text of these digits and plain punctuation.
    """
    own = _region(region)
    country, number, is_national = _country_of(own, digits)
    if not country:
        return False
    main = own if country == own.country and _main(country) == region else _main_region(country)
    number = (own if is_national else main).national(number)
    if not _SHORTEST <= len(number) <= _LONGEST or not _is_valid(country, number):
        return False
    return not (is_national and main.asks_prefix) or _has_prefix_if_asked(main, number, digits)


def _country_of(own: _Region, digits: str) -> tuple[str, str, bool]:
    """Code of the country ("" where there is none such), what follows it, and whether it is that of the region."""
    found = own.abroad.match(digits)
    if found is not None and not digits.startswith("0", found.end()):
        rest = digits[found.end() :]
        code = _code_at_start(rest) if len(rest) > _SHORTEST else ""
        return code, rest[len(code) :], False
    if digits.startswith(own.country):
        rest, _ = own.without_prefix(digits[len(own.country) :])
        whole = own.general.pattern
        is_too_long = len(digits) not in own.local and len(digits) > max(own.possible)
        if (not whole.fullmatch(digits) and whole.fullmatch(rest)) or is_too_long:
            return own.country, rest, False
    return own.country, digits, True


def _code_at_start(digits: str) -> str:
    return next((digits[:length] for length in (1, 2, 3) if digits[:length] in _COUNTRIES), "")


def _is_valid(country: str, number: str) -> bool:
    """Whether it is a valid number of the first of the country's regions that it can belong to."""
    regions = _regions(country)
    if len(regions) == 1:
        return regions[0].is_valid(number)
    for region in regions:
        if region.leading is not None:
            if region.leading.match(number):
                return region.is_valid(number)
        elif region.is_valid(number):
            return True
    return False


def _has_prefix_if_asked(main: _Region, number: str, digits: str) -> bool:
    rule = library._choose_formatting_pattern_for_number(main.metadata.number_format, number)  # noqa: SLF001 - its own choice
    return rule is None or not _asks_prefix(rule) or main.without_prefix(digits)[1]


def _asks_prefix(rule: Any) -> bool:
    written = rule.national_prefix_formatting_rule
    return bool(
        written
        and not rule.national_prefix_optional_when_formatting
        and not library._formatting_rule_has_first_group_only(written)  # noqa: SLF001 - its own rule
    )


@lru_cache(maxsize=512)
def _main(country: str) -> str:
    return str(phonenumbers.region_code_for_country_code(int(country)))


def _main_region(country: str) -> _Region:
    return _regions(country)[0]


@lru_cache(maxsize=512)
def _regions(country: str) -> tuple[_Region, ...]:
    codes = phonenumbers.region_codes_for_country_code(int(country))
    if codes == (phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY,):
        return (_read(phonenumbers.PhoneMetadata.metadata_for_nongeo_region(int(country))),)
    return tuple(map(_region, codes))


@lru_cache(maxsize=512)
def _region(code: str) -> _Region:
    return _read(phonenumbers.PhoneMetadata.metadata_for_region(code))


def _read(metadata: Any) -> _Region:
    general = metadata.general_desc
    prefix = metadata.national_prefix_for_parsing
    return _Region(
        country=str(metadata.country_code),
        metadata=metadata,
        general=_description(general),
        kinds=tuple(_kinds(metadata)),
        leading=re.compile(metadata.leading_digits) if metadata.leading_digits is not None else None,
        abroad=re.compile(metadata.international_prefix) if metadata.international_prefix is not None else _NEVER,
        prefix=re.compile(prefix) if prefix else None,
        rewriting=metadata.national_prefix_transform_rule or "",
        possible=frozenset(general.possible_length),
        local=frozenset(general.possible_length_local_only),
        asks_prefix=any(map(_asks_prefix, metadata.number_format)),
    )


def _kinds(metadata: Any) -> Iterator[_Description]:
    names = _KINDS if metadata.same_mobile_and_fixed_line_pattern else (*_KINDS, "mobile")
    for name in names:
        kind = getattr(metadata, name)
        if kind is not None:
            yield _description(kind)


def _description(description: Any) -> _Description:
    pattern = description.national_number_pattern
    return _Description(re.compile(pattern) if pattern else _NEVER, frozenset(description.possible_length))
