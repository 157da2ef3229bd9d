"""The tables of compliance."""

from compliance.models.incidents import (
    BreachNotice,
    BreachNoticeText,
    Incident,
    IncidentAssessment,
    IncidentEntry,
    IncidentScope,
    IncidentSeverity,
    IncidentState,
    IncidentTask,
)
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

__all__ = [
    "BreachNotice",
    "BreachNoticeText",
    "Incident",
    "IncidentAssessment",
    "IncidentEntry",
    "IncidentScope",
    "IncidentSeverity",
    "IncidentState",
    "IncidentTask",
    "NoticeState",
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
]
