"""Reasons that people give for what they do to budgets and releases."""

from typing import Final

from anonymization.privacy.errors import ReasonMissing
from anonymization.services.descriptions import refuse_personal_data

#: Longest reason, characters.
MAX_REASON: Final = 500


def require_reason(reason: str) -> str:
    """The reason, stripped. Raises ReasonMissing, PersonalDataInName."""
    reason = reason.strip()
    if not 0 < len(reason) <= MAX_REASON:
        raise ReasonMissing(f"A reason has 1 to {MAX_REASON} characters")
    refuse_personal_data(reason=reason)
    return reason
