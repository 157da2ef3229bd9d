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
from compliance.models.report import Report, ReportFormat

__all__ = [
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
