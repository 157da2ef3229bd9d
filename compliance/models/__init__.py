"""The tables of compliance."""

from compliance.models.backup import BackupRun, BackupStatus, DrillStatus, RestoreDrill
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
    "BackupRun",
    "BackupStatus",
    "DrillStatus",
    "NoticeState",
    "Report",
    "ReportFormat",
    "RestoreDrill",
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
