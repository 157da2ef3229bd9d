"""The tables of compliance."""

from compliance.models.hold import HoldScope, LegalHold
from compliance.models.consent import (
    Consent,
    ConsentKey,
    ConsentTask,
    ConsentWithdrawal,
    PurposeTerms,
    WithdrawalEffect,
    keys_of_live,
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
    "HoldScope",
    "LegalHold",
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
    "Consent",
    "ConsentKey",
    "ConsentTask",
    "ConsentWithdrawal",
    "PurposeTerms",
    "Report",
    "ReportFormat",
    "WithdrawalEffect",
    "keys_of_live",
]
