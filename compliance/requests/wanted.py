"""By what a subject is looked for: what they and the officer gave, as identifiers of known kinds."""

import re
from typing import Final

from anonymization.findings import ACT_FROM
from anonymization.services.detect import detect_text
from compliance.requests.sealed import SubjectFacts, is_mail_address
from compliance.subjects.identifiers import NAME, OTHER, Identifier, problem_of
from datasets.services.ingest.subjects import INDEXED

_PHONE: Final = re.compile(r"\+\d[\d\s()./-]{6,}")


def identifiers_of(facts: SubjectFacts) -> list[Identifier]:
    """What can be searched for of what the request says of its subject. Raises DetectionFailed."""
    return [
        one if one.type == NAME else Identifier(kind_of(one.value), one.value)
        for one in _given(facts)
        if not problem_of(one)
    ]


def too_short(facts: SubjectFacts) -> int:
    """How many of the things given cannot be searched for, because they would be found everywhere."""
    return sum(bool(problem_of(one)) for one in _given(facts))


def _given(facts: SubjectFacts) -> list[Identifier]:
    others = [Identifier(OTHER, value.strip()) for value in (facts.contact, *facts.identifiers)]
    return list(dict.fromkeys([Identifier(NAME, facts.name.strip()), *others]))


def kind_of(value: str) -> str:
    """The kind that the subject index would know a value by; OTHER where it knows no such. Raises DetectionFailed."""
    text = value.strip()
    if is_mail_address(text):
        return "EMAIL_ADDRESS"
    if _PHONE.fullmatch(text):
        return "PHONE_NUMBER"
    whole = [
        span
        for span in detect_text(text)
        if (span.start, span.end) == (0, len(text)) and span.entity_type in INDEXED and span.score >= ACT_FROM
    ]
    return max(whole, key=lambda span: span.score).entity_type if whole else OTHER
