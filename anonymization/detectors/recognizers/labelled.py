"""Identifiers of people that only a label before them tells from other numbers."""

from dataclasses import dataclass
from typing import Final

from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer

_START: Final = r"(?<![^\W_])"
_NUMBER_WORD: Final = r"(?:numbers?|nos?\b\.?|num\b\.?|nr\b\.?|ids?\b|#|\u2116)"
_ASSIGN: Final = r"(?:is|was|:|=|=>|->|-|\u2013)"
_OPEN: Final = r"[\s_]{0,3}[\"'`(#]{0,2}\s?"
#: Between label and value, all of it optional: "number is", "# ", '": "'.
_LINK: Final = rf"[\"'`]?(?:[\s_-]{{0,2}}{_NUMBER_WORD}){{0,2}}[\"'`]?\s{{0,3}}{_ASSIGN}?{_OPEN}"
#: Like _LINK, but a sign or a word that announces an identifier must be there.
_ANNOUNCED: Final = rf"(?:[\"'`]?\s{{0,3}}[:=#]|[\s_-]{{0,2}}{_NUMBER_WORD}[\"'`]?\s{{0,3}}{_ASSIGN}?){_OPEN}"

#: Letters and digits, at least one digit, perhaps grouped; not the beginning of an e-mail address.
_CODE: Final = r"(?=[A-Z0-9/-]{0,24}\d)[A-Z0-9](?:[A-Z0-9]|[-/](?=[A-Z0-9])){3,24}(?![\w@])"
_PEOPLE: Final = (
    r"(?:national|identity|personal|member|patient|employee|student|customer|subscriber|policy|insurance|beneficiary"
    r"|tax(?:payer)?|voter|citizen|resident|case|claim|badge|user)"
    r"(?:[\s_-]?(?:id|identification|identity|insurance|card|file))?"
)


@dataclass(frozen=True, slots=True)
class _Identifier:
    entity_type: str
    recognizer: str
    label: str
    value: str = _CODE
    link: str = _LINK
    score: float = 0.6


_IDENTIFIERS: Final = (
    _Identifier("MEDICAL_RECORD_NUMBER", "MedicalRecordRecognizer", r"mrn|medical[\s_-]records?|patient[\s_-]id"),
    _Identifier(
        "BANK_ACCOUNT",
        "BankAccountRecognizer",
        r"(?:(?:bank|checking|savings|current)[\s_-]?)?(?:account|acct|a/c)",
        r"[A-Z]{0,6}\d(?:[ -]?\d){4,17}[A-Z]?(?![\w@])",
        _ANNOUNCED,
    ),
    _Identifier("ABA_ROUTING_NUMBER", "LabelledRoutingRecognizer", r"(?:aba[\s_-])?routing|aba|rtn", r"\d{9}\b"),
    _Identifier("UK_SORT_CODE", "SortCodeRecognizer", r"sort[\s_-]?code", r"\d{2}[- ]?\d{2}[- ]?\d{2}\b"),
    _Identifier(
        "SWIFT_CODE",
        "SwiftRecognizer",
        r"swift(?:[\s_/-]?(?:bic|code))?|bic",
        r"(?-i:[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?)\b",
        score=0.5,
    ),
    _Identifier(
        "US_SSN",
        "LabelledSsnRecognizer",
        r"ssn|social[\s_-]?security(?:[\s_-]number)?",
        r"(?:\d{3}[ .-]?\d{2}[ .-]?\d{4}|[x*]{3}-?[x*]{2}-?\d{4})\b",
    ),
    _Identifier(
        "IN_AADHAAR",
        "LabelledAadhaarRecognizer",
        r"aadhaa?r(?:[\s_-]?card)?|uidai",
        r"\d{4}[ -]?\d{4}[ -]?\d{4,8}\b",
    ),
    _Identifier(
        "IN_PAN",
        "LabelledPanRecognizer",
        r"pan(?:[\s_-]?card)?|permanent[\s_-]account",
        r"[A-Z]{4,10}\d{3,6}[A-Z]{0,2}\b",
    ),
    _Identifier("US_TIN", "LabelledTinRecognizer", r"tin|f?ein", r"\d{2}-?\d{7}\b"),
    _Identifier("PASSPORT_NUMBER", "PassportRecognizer", r"passport"),
    _Identifier("DRIVER_LICENSE", "LabelledLicenseRecognizer", r"driv(?:er['\u2019]?s?|ing)[\s_-]?licen[cs]e|\bdln?"),
    _Identifier("ID_NUMBER", "LabelledIdRecognizer", _PEOPLE, link=_ANNOUNCED),
)


def labelled_id_recognizers() -> list[EntityRecognizer]:
    """One recognizer an identifier; the span is the value without its label."""
    return [
        PatternRecognizer(
            supported_entity=identifier.entity_type,
            name=identifier.recognizer,
            version="1",
            patterns=[
                Pattern(
                    "after its label",
                    rf"{_START}(?:{identifier.label})(?![^\W\d_]){identifier.link}\K{identifier.value}",
                    identifier.score,
                )
            ],
        )
        for identifier in _IDENTIFIERS
    ]


class InternalEmailRecognizer(PatternRecognizer):
    """E-mail addresses under domains no public registry knows, such as ``.local`` and ``.internal``.

    The stock recognizer drops them because their top-level domain is not on the public suffix list.
    """

    def __init__(self) -> None:
        super().__init__(
            supported_entity="EMAIL_ADDRESS",
            name="InternalEmailRecognizer",
            version="1",
            patterns=[
                Pattern("internal address", r"(?<![\w.+%-])[\w.+%-]{1,64}@\w+(?:-+\w+)*(?:\.\w+(?:-+\w+)*){1,8}\b", 0.5)
            ],
        )
