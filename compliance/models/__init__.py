"""The tables of compliance."""

from compliance.models.subjects import (
    LegalBasis,
    MatchReason,
    MatchState,
    PartState,
    RecipientTask,
    SubjectErasure,
    SubjectErasurePart,
    SubjectMatch,
    SubjectSearch,
    SubjectStore,
)

__all__ = [
    "LegalBasis",
    "MatchReason",
    "MatchState",
    "PartState",
    "RecipientTask",
    "SubjectErasure",
    "SubjectErasurePart",
    "SubjectMatch",
    "SubjectSearch",
    "SubjectStore",
]
