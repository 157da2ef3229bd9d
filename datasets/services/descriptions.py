"""Descriptive texts of datasets are shown and indexed in the clear, so personal data in them is refused at save."""

from anonymization.services.descriptions import personal_data_in
from datasets.errors import PersonalDataInText


def refuse_personal_data(**texts: str) -> None:
    """Scan each named text; raises PersonalDataInText saying which field holds what kind, never the value."""
    if problems := personal_data_in(**texts):
        raise PersonalDataInText(errors=problems)
