"""Descriptive texts are shown, listed and indexed in the clear, so personal data in them is refused at save."""

from collections.abc import Iterable
from typing import Final

from anonymization.detectors.walk import scan_records
from anonymization.errors import PersonalDataInName
from anonymization.findings import ACT_FROM
from anonymization.services.detect import active_detector, detect_text
from vaultsite.kernel.errors import FieldProblem

_NO_SECRETS: Final = frozenset({"DATE_TIME", "URL", "UUID", "LOCATION", "ORGANIZATION", "AGE", "NRP", "TITLE"})


def refuse_personal_data(**texts: str) -> None:
    """Scan each named text; raises PersonalDataInName saying which field holds what kind, never the value."""
    if problems := personal_data_in(**texts):
        raise PersonalDataInName(errors=problems)


def personal_data_in(**texts: str) -> list[FieldProblem]:
    """Which of the named texts holds what kind of personal data: a problem for each kind in each of them."""
    return [
        FieldProblem(field=f"/{name}", detail=f"contains {kind}")
        for name, text in texts.items()
        if text
        for kind in sorted({span.entity_type for span in detect_text(text) if _counts(span.entity_type, span.score)})
    ]


def personal_data_among(name: str, texts: Iterable[tuple[str, str]]) -> list[FieldProblem]:
    """As personal_data_in, of many texts in one field: each with the label it stands behind, and nothing else."""
    found = scan_records([{"data": {label: text}} for label, text in texts], active_detector())
    values = [one for findings in found for one in findings if one.part == "value"]
    kinds = {one.entity_type for one in values if _counts(one.entity_type, one.score)}
    return [FieldProblem(field=f"/{name}", detail=f"contains {kind}") for kind in sorted(kinds)]


def _counts(entity_type: str, score: float) -> bool:
    """Dates, links, plain identifiers, and the names of places and organizations are no secret in a description."""
    return score >= ACT_FROM and entity_type not in _NO_SECRETS
