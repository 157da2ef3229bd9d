"""Descriptive texts of datasets are shown and indexed in the clear, so personal data in them is refused at save."""

from collections.abc import Iterable

from anonymization.services.descriptions import personal_data_among, personal_data_in
from datasets.errors import PersonalDataInText


def refuse_personal_data(**texts: str) -> None:
    """Scan each named text; raises PersonalDataInText saying which field holds what kind, never the value."""
    if problems := personal_data_in(**texts):
        raise PersonalDataInText(errors=problems)


def refuse_personal_data_among(name: str, texts: Iterable[tuple[str, str]]) -> None:
    """As refuse_personal_data, of many texts in one field, each with its label (empty: none)."""
    if problems := personal_data_among(name, texts):
        raise PersonalDataInText(errors=problems)
