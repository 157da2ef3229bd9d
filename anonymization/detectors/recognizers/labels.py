"""Values that stand after their label: how label and value are joined, and recognizers made from a table row."""
# ruff: noqa: E501 - a pattern or a row of a table reads better in one piece

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import regex
from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer

#: Nothing that belongs to a word may stand before a label; an underscore may: user_ssn.
START: Final = r"(?<![^\W_])"
#: No letter may go on behind a label: "pan" is not in "panel".
STOP: Final = r"(?![^\W\d_])"

NUMBER_WORD: Final = (
    r"(?:numbers?\b|nos?\b\.?|num\b\.?|nr\b\.?|ids?\b|codes?\b|#|\u2116|n[\u00ba\u00b0]|no[\u00ba\u00b0])"
)
_QUOTE: Final = r"[\"'`*\u201c\u2018\u201d\u2019]"
_SAID: Final = (
    r"(?:(?:is|was|are|to|as|of|ist|est|es|\u00e8|\u00e9|reads|shows|remains|equals|(?:will|should|must|may)\sbe"
    r"|(?:is|was|has\sbeen|came\sback|got)?\s?(?:given|listed|recorded|shown|stored|entered|noted|registered|printed"
    r"|changed|updated|set|issued)\s(?:as|to|under|with))\b(?:\snow\b)?\s?:?)"
)
#: A sentence of its own: "I gave you my passport number. It is ..".
_NEXT: Final = (
    r"[.,;]\s(?:it|this|that|which|mine|hers?|his|ours)(?:['\u2019]s|\s(?:is|was|reads|(?:should|must|will)\sbe))"
)
#: Any words up to a colon: "was rejected: ..", "back to me: ..".
_WORDS: Final = r"[a-z'\u2019]{1,14}(?:\s[a-z'\u2019]{1,14}){0,4}\s?:"
_CELL: Final = r"</\w{1,10}>\s{0,4}<\w{1,10}>"
_ASSIGN: Final = rf"(?:{_SAID}|{_NEXT}|{_WORDS}|{_CELL}|:=|=>|->|[:=|;\-\u2013\u2014])"
_CLEAR: Final = rf"[\s_]{{0,3}}{_QUOTE}{{0,2}}"
OPEN: Final = rf"{_CLEAR}[(\[<#]{{0,2}}\s?"
#: Whose it is, between the label and "is" or a colon.
_OWNER: Final = r"(?:\s(?:that\s|which\s)?(?:I|we|you|he|she|they)\s\w{1,12}(?:\s\w{1,12}){0,2}(?=\s(?:is|was)\b|\s?[:=])|\s(?:for|of|on|in|with|from|belonging\sto)(?:\s[\w.'\u2019-]{1,20}){1,4}?(?=\s(?:is|was|reads|shows)\b|\s?[:=]))?"
_NOTE: Final = r"(?:\s?\([^()\d\r\n]{1,24}\))?"

#: Between label and value, all of it optional: "number is", "# ", '": "', " for Jane Doe is ".
_JOINED: Final = (
    rf"{_QUOTE}{{0,2}}(?:[\s_-]{{0,2}}{NUMBER_WORD}){{0,2}}{_NOTE}{_QUOTE}{{0,2}}{_OWNER},?\s{{0,3}}{_ASSIGN}?"
)
LINK: Final = f"{_JOINED}{OPEN}"
#: Like LINK, and an opening bracket belongs to the value: "(415) 555-0199".
LINK_BEFORE_BRACKET: Final = f"{_JOINED}{_CLEAR}"
#: Like LINK, but a sign or a word that announces an identifier must be there.
ANNOUNCED: Final = (
    rf"(?:{_QUOTE}{{0,2}}{_NOTE}{_OWNER},?\s{{0,3}}(?:[:=#|]|{_NEXT}|{_CELL})"
    rf"|[\s_-]{{0,2}}{NUMBER_WORD}{_NOTE}{_QUOTE}{{0,2}}{_OWNER},?\s{{0,3}}{_ASSIGN}?){OPEN}"
)

#: Neither a date nor a year, which stand after many labels: "passport issued 2015".
_DAY: Final = r"(?:0?[1-9]|[12]\d|3[01])"
_MONTH: Final = r"(?:0?[1-9]|1[0-2])"
NO_DATE: Final = (
    rf"(?!(?:{_DAY}[/.-]{_MONTH}[/.-](?:19|20)?\d\d|{_MONTH}[/.-]{_DAY}[/.-](?:19|20)?\d\d|(?:19|20)\d\d[/.-]{_MONTH}[/.-]{_DAY}"
    r"|(?:19|20)\d\d)(?![\w/-]))"
)
#: Letters and digits, at least one digit, perhaps grouped; not the beginning of an e-mail address.
CODE: Final = (
    rf"{NO_DATE}(?=[A-Z0-9/._-]{{0,24}}\d)[A-Z0-9](?:[A-Z0-9]|[-/._](?=[A-Z0-9])){{3,24}}(?![\w@])(?!\s?[=*+<>%])"
)
#: A code that may also be grouped by spaces between runs of digits.
SPACED_CODE: Final = rf"{NO_DATE}(?=[A-Z0-9/._-]{{0,24}}\d)[A-Z0-9](?:[A-Z0-9]|[-/._](?=[A-Z0-9])|(?<=\d)[ ](?=\d\d)){{3,24}}(?![\w@])(?!\s?[=*+<>%])"

Check = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Identifier:
    """A kind of value and the labels that announce it; ``check`` makes a value certain, its failure changes nothing."""

    entity_type: str
    recognizer: str
    label: str
    value: str = CODE
    link: str = LINK
    score: float = 0.6
    check: Check | None = None


class LabelledRecognizer(PatternRecognizer):
    """Values after a label; the span is the value without it."""

    def __init__(self, identifier: Identifier) -> None:
        self._check = identifier.check
        super().__init__(
            supported_entity=identifier.entity_type,
            name=identifier.recognizer,
            version="2",
            patterns=[
                Pattern(
                    "after its label",
                    rf"{START}(?:{identifier.label}){STOP}{identifier.link}\K{identifier.value}",
                    identifier.score,
                )
            ],
        )

    def validate_result(self, pattern_text: str) -> bool | None:
        return True if self._check is not None and self._check(pattern_text) else None


class CheckedRecognizer(PatternRecognizer):
    """Values known by their shape, and certain only where their check digits hold; others are dropped."""

    def __init__(
        self, entity_type: str, name: str, patterns: list[Pattern], *, check: Check, context: list[str], certain: bool
    ) -> None:
        self._check = check
        self._certain = certain
        super().__init__(supported_entity=entity_type, name=name, version="1", patterns=patterns, context=context)

    def validate_result(self, pattern_text: str) -> bool | None:
        if not self._check(pattern_text):
            return False
        return True if self._certain else None


def labelled(*identifiers: Identifier) -> list[EntityRecognizer]:
    """One recognizer a row."""
    return [LabelledRecognizer(identifier) for identifier in identifiers]


def shaped(
    entity_type: str,
    name: str,
    *shapes: tuple[str, str, float],
    context: list[str] | None = None,
    any_case: bool = False,
) -> PatternRecognizer:
    """A recognizer of shapes that need no label: name, pattern and score of each."""
    flags = regex.DOTALL | regex.MULTILINE | (regex.IGNORECASE if any_case else 0)
    patterns = [Pattern(kind, shape, score) for kind, shape, score in shapes]
    return PatternRecognizer(
        supported_entity=entity_type,
        name=name,
        version="1",
        patterns=patterns,
        context=context or [],
        global_regex_flags=flags,
    )
