"""The tables of compliance."""

from compliance.models.posture import ControlEvidence, ProbeResult, ProbeRun, ProbeState, ProbeTrigger
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
    "ControlEvidence",
    "NoticeState",
    "ProbeResult",
    "ProbeRun",
    "ProbeState",
    "ProbeTrigger",
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
