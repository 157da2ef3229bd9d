"""The tables of compliance."""

from compliance.models.report import Report, ReportFormat
from compliance.models.retention import (
    NoticeState,
    RetentionAction,
    RetentionClock,
    RetentionEvent,
    RetentionNotice,
    RetentionPolicy,
    RetentionRun,
    RetentionStart,
    RetentionStep,
    StepOutcome,
)
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
    "NoticeState",
    "PartState",
    "RecipientTask",
    "Report",
    "ReportFormat",
    "RetentionAction",
    "RetentionClock",
    "RetentionEvent",
    "RetentionNotice",
    "RetentionPolicy",
    "RetentionRun",
    "RetentionStart",
    "RetentionStep",
    "StepOutcome",
    "SubjectErasure",
    "SubjectErasurePart",
    "SubjectMatch",
    "SubjectSearch",
    "SubjectStore",
]
