"""Dates, ages, nationalities and honorifics: kinds of personal data that rules find better than a learned model."""

import re
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
_LONG_MONTH: Final = (
    r"(?:January|February|April|June|July|August|September|October|November|December"
    r"|JANUARY|FEBRUARY|APRIL|JUNE|JULY|AUGUST|SEPTEMBER|OCTOBER|NOVEMBER|DECEMBER)"
)
_DAY: Final = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_WEEKDAY: Final = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_SHORT_WEEKDAY: Final = r"(?:mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun)\b\.?"
_YEAR: Final = r"(?:1[6-9]\d\d|20\d\d)"
_CLOCK: Final = r"(?:1[0-2]|0?[1-9])(?:[:.][0-5]\d(?::[0-5]\d)?)?\s?[ap]\.?m\b"
_GAP: Final = r"\s{1,3}"
_BEFORE_DAY: Final = rf"(?:(?:{_WEEKDAY}|{_SHORT_WEEKDAY}),?{_GAP}(?:the{_GAP})?)?"
_DAYS: Final = rf"{_DAY}(?:\s?(?:[-–/,]|and|to|or)\s?{_DAY}){{0,3}}\b"

#: The first that matches at a place wins, so the longer forms come first. Every repetition is bounded: no text takes
#: more than linear time.
_DATES: Final = (
    rf"{_YEAR}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{{1,9}})?)?(?:Z|[+-]\d\d:?\d\d)?)?",
    rf"{_YEAR}[/.](?:0?[1-9]|1[0-2])[/.](?:0?[1-9]|[12]\d|3[01])",
    r"(?:0?[1-9]|[12]\d|3[01])(?:/(?:0?[1-9]|[12]\d|3[01])/|-(?:0?[1-9]|[12]\d|3[01])-|\.(?:0?[1-9]|1[0-2])\.)"
    r"(?:(?:1[89]|20)\d\d|\d\d)",
    rf"{_BEFORE_DAY}{_DAYS}[ -](?:day{_GAP})?(?:of{_GAP})?{_MONTH}(?:,?[ -]{_YEAR}|{_GAP}'\d\d)?",
    rf"{_BEFORE_DAY}{_MONTH}{_GAP}{_DAYS}(?:,?{_GAP}{_YEAR}\b)?",
    rf"{_MONTH}(?:\s?(?:[-–/]|and|to)\s?{_MONTH})?,?{_GAP}(?:of{_GAP})?{_YEAR}",
    rf"(?:0?[1-9]|1[0-2])/{_YEAR}",
    rf"(?:(?:early|mid|late)[ -](?:the )?)?{_YEAR}s",
    rf"(?:spring|summer|autumn|winter|fall|christmas|easter){_GAP}(?:of{_GAP})?{_YEAR}",
    rf"{_YEAR}\s?(?:[-–/]|to|and)\s?(?:{_YEAR}|\d\d)",
    rf"{_WEEKDAY}s?",
    _CLOCK,
)
_PATTERN: Final = re.compile(rf"\b(?=[\dA-Za-z])(?:{'|'.join(_DATES)})", re.IGNORECASE)
_MONTHS_ALONE: Final = re.compile(rf"\b{_LONG_MONTH}\b")
_YEAR_ALONE: Final = re.compile(rf"\b{_YEAR}\b")
_DIGIT: Final = re.compile(r"\d")
_NAMED: Final = re.compile(r"[A-Za-z]{3}")
_DATE_WORDS: Final = (
    *(["january", "february", "april", "june", "july", "august", "september", "october", "november", "december"]),
    *(f"{day}{end}" for day in ["mon", "tues", "wednes", "thurs", "fri", "satur", "sun"] for end in ("day", "days")),
)
#: Words that can be a date without a digit, as they are written.
DATE_WORDS: Final = frozenset(form for word in _DATE_WORDS for form in (word, word.title(), word.upper()))

#: Words after which a bare year is a date rather than a count.
_BEFORE_YEAR: Final = frozenset(
    """
    in since from until till by of during early mid late year years and to between before after around circa born
    about for through c ca date dated summer winter spring autumn fall fy class vintage
    """.split()  # noqa: SIM905 - a table of words reads better than a list
)
_UNITS: Final = re.compile(r"(?i)\s*(?:%|°|[€$£]|(?:km|kg|mg|ml|m|cm|mm|miles?|people|employees|dollars|euros|pounds|usd|eur|calories|"
    r"words|votes|units|pieces|seats|points|times|hours|minutes|feet|ft|mah|rpm|px|mb|gb|mhz|watts?)\b)")  # fmt: skip

_NUMBER_WORDS: Final = (
    r"(?:(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?"
    r"|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen"
    r"|eighteen|nineteen)"
)
_AGES: Final = re.compile(
    rf"(?i)\b(?:(?:aged?|age of|age is|age[:=]|turn(?:s|ed|ing)|i am|i'm|he is|she is|he's|she's)\s*[\"']?\s*(1?\d\d)\b"
    rf"|(1?\d?\d|{_NUMBER_WORDS})(?:[- ](?:years?|months?|yrs?)[- ]?(?:old|of age)\b|\s?y/?o\b|\s?-\s?y/?o\b))"
)
#: After "I am 45": what makes it no age.
_NO_AGE: Final = re.compile(
    r"(?i)\s*(?:[%$€£°:.,/]\d|%|km|kg|lbs?|cm|feet|minutes|hours|days|weeks|percent|miles|th\b|st\b|nd\b|rd\b)"
)

_HONORIFIC: Final = re.compile(
    r"\b(?:Mr|Mrs|Ms|Mx|Dr|Prof|Professor|Miss|Sir|Madam|Dame|Rev|Reverend|Fr|Sgt|Capt|Captain|Lt|Col|Gen|Hon|"
    r"Messrs|Herr|Frau|Mme|Mlle|Sr|Sra|Shri|Smt|Judge|Justice|MR|MRS|MS|DR|PROF)\b\.?\s*$"
)
_WORD_BEFORE: Final = re.compile(r"([^\W\d_]+|[(–—-])[\s.\"'(,:]*$")
_LANGUAGE_BEFORE: Final = frozenset(
    [
        "in",
        "to",
        "into",
        "speak",
        "speaks",
        "spoke",
        "learn",
        "learning",
        "translate",
        "from",
        "fluent",
        "write",
        "written",
    ]
)
_REACH: Final = 24


def may_hold_dates(text: str, words: Iterable[str]) -> bool:
    """Whether looking for dates is worth the time; ``words`` are those of the text."""
    return _DIGIT.search(text) is not None or not DATE_WORDS.isdisjoint(words)


def dates(text: str) -> list[Span]:
    """Dates, times of day with a.m. or p.m., weekdays, and years that a word before them makes a date."""
    found = [
        _span(match.start(), match.end() - match.group().endswith("."), DATE_TIME, _date_score(match.group()))
        for match in _PATTERN.finditer(text)
        if not _is_part(text, match.start(), match.end())
    ]
    alone = [_span(*match.span(), DATE_TIME, 0.5) for match in _MONTHS_ALONE.finditer(text)]
    alone += [
        _span(*match.span(), DATE_TIME, 0.45) for match in _YEAR_ALONE.finditer(text) if _is_year(text, *match.span())
    ]
    return without_overlaps(found, alone)


def _date_score(value: str) -> float:
    """More for what has a year and more than a year; a weekday alone is hardly personal."""
    has_year = _YEAR_ALONE.search(value) is not None or value.count("/") > 1 or value.count(".") > 1
    if _DIGIT.search(value) is None:
        return 0.5
    if has_year:
        return 0.6 if value[:4].isdecimal() and len(value) < 10 else 0.85  # noqa: PLR2004 - 1998-99, 1990s
    return 0.75 if _NAMED.search(value) else 0.55


def ages(text: str) -> list[Span]:
    """Numbers said to be an age; the number alone is the span."""
    spans = []
    for match in _AGES.finditer(text):
        is_after = match.group(1) is not None
        start, end = match.span(1 if is_after else 2)
        if not is_after or not _NO_AGE.match(text[end : end + _REACH]):
            spans.append(_span(start, end, AGE, 0.6))
    return spans


def nationalities(text: str, lines: Iterable[Line], nations: frozenset[str]) -> list[Span]:
    """Adjectives of nations and creeds written with a capital, unless they name a language.

    ``nations`` has them with a capital and in capitals.
    """
    return [
        _span(start, end, NRP, 0.3 if _word_before(text, start) in _LANGUAGE_BEFORE else 0.5)
        for line in lines
        if not nations.isdisjoint(line.words)
        for word, start, end in zip(line.words, line.starts, line.ends, strict=True)
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


def without_overlaps(preferred: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """All of ``preferred`` and those of ``others`` that touch none of them nor an earlier one, by place."""
    kept = list(preferred)
    for span in others:
        if not any(span.start < one.end and one.start < span.end for one in kept):
            kept.append(span)
    return sorted(kept)


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
    word = _word_before(text, start)
    return word in _BEFORE_YEAR or word in "(–—-" if word else False


def _word_before(text: str, start: int) -> str:
    match = _WORD_BEFORE.search(text[max(0, start - _REACH) : start])
    return match.group(1).lower() if match else ""
