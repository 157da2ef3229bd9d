"""Dates, ages, nationalities and honorifics: kinds of personal data that rules find better than a learned model."""

import re
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from anonymization.detectors.base import Span
from anonymization.names.base import AGE, DATE_TIME, NRP, PERSON, TITLE
from anonymization.names.tokens import Line

VERSION: Final = "1"

_MONTH: Final = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY: Final = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_WEEKDAY: Final = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_SHORT_WEEKDAY: Final = r"(?:mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun)\b\.?"
_YEAR: Final = r"(?:1[6-9]\d\d|20\d\d)"
_CLOCK: Final = r"(?:1[0-2]|0?[1-9])(?:[:.][0-5]\d(?::[0-5]\d)?)?\s?[ap]\.?m\b"
_TIME: Final = r"(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?"
_PLAIN_DAY: Final = r"(?:0?[1-9]|[12]\d|3[01])"
_GAP: Final = r"\s{1,3}"
_BEFORE_DAY: Final = rf"(?:(?:{_WEEKDAY}|{_SHORT_WEEKDAY}),?{_GAP}(?:the{_GAP})?)?"
_DAYS: Final = rf"{_DAY}(?:\s?(?:[-\u2013/,]|and|to|or)\s?{_DAY}){{0,3}}\b"

#: The first that matches at a place wins, so the longer forms come first. Every repetition is bounded: no text takes
#: more than linear time.
_DATES: Final = (
    rf"{_YEAR}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]){_TIME}",
    rf"{_YEAR}[/.](?:0?[1-9]|1[0-2])[/.](?:0?[1-9]|[12]\d|3[01])",
    rf"{_PLAIN_DAY}(?:/{_PLAIN_DAY}/|-{_PLAIN_DAY}-|\.(?:0?[1-9]|1[0-2])\.)(?:(?:1[89]|20)\d\d|\d\d)",
    rf"{_BEFORE_DAY}{_DAYS}[ -](?:day{_GAP})?(?:of{_GAP})?{_MONTH}(?:,?[ -]{_YEAR}|{_GAP}'\d\d)?",
    rf"{_BEFORE_DAY}{_MONTH}{_GAP}{_DAYS}(?:,?{_GAP}{_YEAR}\b)?",
    rf"{_MONTH}(?:\s?(?:[-\u2013/]|and|to)\s?{_MONTH})?,?{_GAP}(?:of{_GAP})?{_YEAR}",
    rf"(?:0?[1-9]|1[0-2])/{_YEAR}",
    rf"(?:(?:early|mid|late)[ -](?:the )?)?{_YEAR}s",
    rf"(?:spring|summer|autumn|winter|fall|christmas|easter){_GAP}(?:of{_GAP})?{_YEAR}",
    rf"{_YEAR}\s?(?:[-\u2013/]|to|and)\s?(?:{_YEAR}|\d\d)",
    rf"{_WEEKDAY}s?",
    _CLOCK,
)
_PATTERN: Final = re.compile("|".join(_DATES), re.IGNORECASE)
_YEAR_ALONE: Final = re.compile(_YEAR)
_HAS_YEAR: Final = re.compile(rf"\b{_YEAR}\b")
_DIGIT: Final = re.compile(r"\d")
_NAMED: Final = re.compile(r"[A-Za-z]{3}")
_MONTHS: Final = (
    "january", "february", "april", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_OTHER_BEGINNINGS: Final = (
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "march", "mon", "tue",
    "tues", "wed", "thu", "thur", "thurs", "fri", "sat", "sun", "early", "mid", "late", "spring", "summer", "autumn",
    "winter", "fall", "christmas", "easter",
)  # fmt: skip
_WEEKDAYS: Final = [f"{day}day" for day in ("mon", "tues", "wednes", "thurs", "fri", "satur", "sun")]


def _written(words: Iterable[str]) -> frozenset[str]:
    return frozenset(form for word in words for form in (word, word.title(), word.upper()))


#: A month that is a date by itself: not "may" or "march", and with its capital.
_MONTHS_ALONE: Final = frozenset(form for word in _MONTHS for form in (word.title(), word.upper()))
#: Words that a date without a digit may consist of, and all a date may begin with.
_WITHOUT_DIGIT: Final = _written([*_MONTHS, *_WEEKDAYS, *(f"{day}s" for day in _WEEKDAYS)])
_BEGINNINGS: Final = _WITHOUT_DIGIT | _written(_OTHER_BEGINNINGS)

#: Words after which a bare year is a date rather than a count.
_BEFORE_YEAR: Final = frozenset(
    """
    in since from until till by of during early mid late year years between before after around circa born
    for through c ca date dated summer winter spring autumn fall fy class vintage
    """.split()  # noqa: SIM905 - a table of words reads better than a list
)
_UNITS: Final = re.compile(
    r"\s?(?:%|°|[€$£]|(?:km|kg|mg|ml|m|cm|mm|miles?|people|employees|dollars|euros|pounds|usd|eur|calories|words|votes"
    r"|units|pieces|seats|points|times|hours|minutes|feet|ft|mah|rpm|px|mb|gb|mhz|watts?)\b)",
    re.IGNORECASE,
)

_NUMBER: Final = re.compile(r"\b1?\d{1,2}(?!\d)")
_OLD: Final = re.compile(r"[- ]?(?:years?|months?|yrs?)[- ]?(?:old|of age)\b|\s?-?\s?y/?o\b", re.IGNORECASE)
_AGED: Final = re.compile(
    r"\b(?:aged?|age of|age is|age[:=]|turn(?:s|ed|ing)|i am|i'm|he is|she is|he's|she's)\s?[\"']?\s?$", re.IGNORECASE
)
#: After "I am 45": what makes it no age.
_NO_AGE: Final = re.compile(
    r"\s?(?:[%$€£°:.,/-]\w|%|(?:km|kg|lbs?|cm|feet|minutes|hours|days|weeks|percent|miles|th|st|nd|rd)\b)",
    re.IGNORECASE,
)
_SPELLED: Final = re.compile(
    r"\b((?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)"
    r"(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?|one|two|three|four|five|six|seven|eight|nine|ten|eleven"
    r"|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen)[- ](?:years?|months?)[- ](?:old|of age)\b",
    re.IGNORECASE,
)

_HONORIFIC: Final = re.compile(
    r"\b(?:Mr|Mrs|Ms|Mx|Dr|Prof|Professor|Miss|Sir|Madam|Dame|Rev|Reverend|Fr|Sgt|Capt|Captain|Lt|Col|Gen|Hon|"
    r"Messrs|Herr|Frau|Mme|Mlle|Sr|Sra|Shri|Smt|Judge|Justice|MR|MRS|MS|DR|PROF)\b\.?\s*$"
)
_WORD_BEFORE: Final = re.compile(r"([^\W\d_]+)[\s.\"'(,:]*$")
#: A year right after one of these, as in "(1995)", is a date.
_OPENING: Final = frozenset("(\u2013\u2014")
_LANGUAGE_BEFORE: Final = frozenset(
    "in to into speak speaks spoke learn learning translate from fluent write written".split()  # noqa: SIM905
)
_REACH: Final = 24


def dates(text: str, lines: Sequence[Line]) -> list[Span]:
    """Dates, times of day with a.m. or p.m., weekdays, and years that a word before them makes a date.

    ``lines`` are those of the text: a date begins where a token begins.
    """
    if not _DIGIT.search(text) and all(_WITHOUT_DIGIT.isdisjoint(line.words) for line in lines):
        return []
    found: list[Span] = []
    reached = 0
    for word, (start, end) in _date_beginnings(lines):
        if start < reached:
            continue
        span = _date_at(text, word, start, end)
        if span:
            found.append(span)
            reached = span.end
    return found


def _date_beginnings(lines: Sequence[Line]) -> Iterator[tuple[str, tuple[int, int]]]:
    for line in lines:
        for word, place in zip(line.words, line.places, strict=True):
            if "0" <= word[0] <= "9" or word in _BEGINNINGS:
                yield word, place


def _date_at(text: str, word: str, start: int, end: int) -> Span | None:
    match = _PATTERN.match(text, start)
    if match and not _is_part(text, start, match.end()):
        value = match.group()
        return _span(start, match.end() - value.endswith("."), DATE_TIME, _date_score(value))
    if word in _MONTHS_ALONE:
        return _span(start, end, DATE_TIME, 0.5)
    if _YEAR_ALONE.fullmatch(text, start, end) and _is_year(text, start, end):
        return _span(start, end, DATE_TIME, 0.45)
    return None


def _date_score(value: str) -> float:
    """More for what has a year and more than a year; a weekday alone is hardly personal."""
    has_year = _HAS_YEAR.search(value) is not None or value.count("/") > 1 or value.count(".") > 1
    if _DIGIT.search(value) is None:
        return 0.5
    if has_year:
        return 0.6 if value[:4].isdecimal() and len(value) < 10 else 0.85  # noqa: PLR2004 - 1998-99, 1990s
    return 0.75 if _NAMED.search(value) else 0.55


def ages(text: str) -> list[Span]:
    """Numbers said to be an age; the number alone is the span."""
    found = [match.span() for match in _NUMBER.finditer(text) if _is_age(text, *match.span())]
    if " old" in text or "-old" in text:
        found += [match.span(1) for match in _SPELLED.finditer(text)]
    return [_span(start, end, AGE, 0.6) for start, end in found]


def _is_age(text: str, start: int, end: int) -> bool:
    after = text[end : end + _REACH]
    if _OLD.match(after):
        return True
    return (
        end - start > 1 and _AGED.search(text[max(0, start - _REACH) : start]) is not None and not _NO_AGE.match(after)
    )


def nationalities(text: str, lines: Iterable[Line], nations: frozenset[str]) -> list[Span]:
    """Adjectives of nations and creeds written with a capital, unless they name a language.

    ``nations`` has them with a capital and in capitals.
    """
    return [
        _span(start, end, NRP, 0.3 if _word_before(text, start) in _LANGUAGE_BEFORE else 0.5)
        for line in lines
        if not nations.isdisjoint(line.words)
        for word, (start, end) in zip(line.words, line.places, strict=True)
        if word in nations
    ]


def titles(text: str, people: Iterable[Span]) -> Iterator[Span]:
    """The honorific right before each person."""
    for person in people:
        if person.entity_type == PERSON:
            begin = max(0, person.start - _REACH)
            match = _HONORIFIC.search(text[begin : person.start])
            if match:
                yield _span(begin + match.start(), begin + match.start() + len(match.group().rstrip()), TITLE, 0.6)


def without_overlaps(preferred: Sequence[Span], others: Iterable[Span]) -> list[Span]:
    """All of ``preferred``, none over another, and those of ``others`` that touch none of them nor an earlier one."""
    kept = sorted(preferred)
    for span in others:
        place = bisect(kept, span)
        is_free = (not place or kept[place - 1].end <= span.start) and (
            place == len(kept) or kept[place].start >= span.end
        )
        if is_free:
            kept.insert(place, span)
    return kept


def _span(start: int, end: int, entity_type: str, score: float) -> Span:
    return Span(start, end, entity_type, score, "name-rules")


def _is_part(text: str, start: int, end: int) -> bool:
    """Whether the match goes on as a number, a version or a path: 10.1.2020.5, no. 18403/91."""
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    is_digit = text[start].isdigit()
    if is_digit and before and (before[-1] in "/.-:" and before[:1].isalnum()):
        return True
    if text[end - 1].isalnum() and after[:1].isalnum():
        return True
    return bool(text[end - 1].isdigit() and len(after) > 1 and after[0] in "/.-:" and after[1].isdigit())


def _is_year(text: str, start: int, end: int) -> bool:
    if _is_part(text, start, end) or _UNITS.match(text[end : end + _REACH]):
        return False
    return text[max(0, start - 1) : start] in _OPENING or _word_before(text, start) in _BEFORE_YEAR


def _word_before(text: str, start: int) -> str:
    match = _WORD_BEFORE.search(text[max(0, start - _REACH) : start])
    return match.group(1).lower() if match else ""
