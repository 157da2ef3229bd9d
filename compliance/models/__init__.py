"""The tables of compliance."""

from compliance.models.consent import (
    Consent,
    ConsentKey,
    ConsentTask,
    ConsentWithdrawal,
    PurposeTerms,
    WithdrawalEffect,
    keys_of_live,
)
from compliance.models.hold import HoldScope, LegalHold
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
    "Consent",
    "ConsentKey",
    "ConsentTask",
    "ConsentWithdrawal",
    "ControlEvidence",
    "HoldScope",
    "LegalHold",
    "NoticeState",
    "ProbeResult",
    "ProbeRun",
    "ProbeState",
    "ProbeTrigger",
    "PurposeTerms",
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
    "WithdrawalEffect",
    "keys_of_live",
]
