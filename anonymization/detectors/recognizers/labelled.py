"""Identifiers of people that only a label before them tells from other numbers."""

from typing import Final

from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer

#: Between label and value: "number is", "# ", '": "'.
_LINK: Final = (
    r"[\"'`]?(?:[\s_-]{0,2}(?:numbers?|nos?\b\.?|num\b\.?|nr\b\.?|ids?\b|#|№)){0,2}[\"'`]?\s{0,3}(?:is|was|:|=|=>|->|-|–)?\s{0,3}"
    r"[\"'`(#]{0,2}\s?"
)
#: Like _LINK, but a sign or a word that announces an identifier must be there.
_ANNOUNCED: Final = (
    r"(?:[\"'`]?\s{0,3}[:=#]|[\s_-]{0,2}(?:numbers?|nos?\b\.?|num\b\.?|nr\b\.?|ids?\b|#|№)[\"'`]?\s{0,3}(?:is|was|:|=|=>|->)?)"
    r"\s{0,3}[\"'`(#]{0,2}\s?"
)
_CODE: Final = r"\K(?=[A-Z0-9/-]{0,24}\d)[A-Z0-9](?:[A-Z0-9]|[-/](?=[A-Z0-9])){3,24}(?![\w@])"
_START: Final = r"(?<![^\W_])"


def _labelled(
    entity: str, name: str, label: str, value: str, score: float = 0.6, link: str = _LINK
) -> EntityRecognizer:
    return PatternRecognizer(
        supported_entity=entity,
        name=name,
        version="1",
        patterns=[Pattern(name, rf"{_START}(?:{label})(?![^\W\d_]){link}{value}", score)],
    )


def labelled_id_recognizers() -> list[EntityRecognizer]:
    """One recognizer an identifier; the span is the value without its label."""
    return [
        _labelled("MEDICAL_RECORD_NUMBER", "MedicalRecordRecognizer", r"mrn|medical[\s_-]records?|patient[\s_-]id", _CODE),
        _labelled(
            "BANK_ACCOUNT",
            "BankAccountRecognizer",
            r"(?:bank|checking|savings|current|routing and)?[\s_-]?(?:account|acct|a/c)",
            r"\K\d(?:[ -]?\d){4,17}(?![\w@])",
            link=_ANNOUNCED,
        ),
        _labelled("ABA_ROUTING_NUMBER", "LabelledRoutingRecognizer", r"(?:aba[\s_-])?routing|aba|rtn", r"\K\d{9}\b"),
        _labelled("UK_SORT_CODE", "SortCodeRecognizer", r"sort[\s_-]?code", r"\K\d{2}[- ]?\d{2}[- ]?\d{2}\b"),
        _labelled("SWIFT_CODE", "SwiftRecognizer", r"swift(?:[\s_/-]?(?:bic|code))?|bic", r"\K(?-i:[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?)\b", 0.5),
        _labelled("US_SSN", "LabelledSsnRecognizer", r"ssn|social[\s_-]?security(?:[\s_-]number)?", r"\K(?:\d{3}[ .-]?\d{2}[ .-]?\d{4}|[x*]{3}-?[x*]{2}-?\d{4})\b"),
        _labelled("IN_AADHAAR", "LabelledAadhaarRecognizer", r"aadhaa?r(?:[\s_-]?card)?|uidai", r"\K\d{4}[ -]?\d{4}[ -]?\d{4}\b"),
        _labelled("IN_PAN", "LabelledPanRecognizer", r"pan(?:[\s_-]?card)?|permanent[\s_-]account", r"\K[A-Z]{5}\d{4}[A-Z]\b"),
        _labelled("PASSPORT_NUMBER", "PassportRecognizer", r"passport", _CODE),
        _labelled("DRIVER_LICENSE", "LabelledLicenseRecognizer", r"driv(?:er'?s?|ing)[\s_-]?licen[cs]e|\bdln?", _CODE),
        _labelled(
            "ID_NUMBER",
            "LabelledIdRecognizer",
            r"(?:national|identity|personal|member|patient|employee|student|customer|subscriber|policy|insurance|beneficiary|tax(?:payer)?"
            r"|voter|citizen|resident|case|claim|badge|user)(?:[\s_-]?(?:id|identification|identity|insurance|card|file))?",
            _CODE,
            link=_ANNOUNCED,
        ),
    ]  # fmt: skip


class InternalEmailRecognizer(PatternRecognizer):  # type: ignore[misc]  # presidio is untyped
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
