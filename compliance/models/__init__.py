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

__all__ = [
    "Consent",
    "ConsentKey",
    "ConsentTask",
    "ConsentWithdrawal",
    "PurposeTerms",
    "WithdrawalEffect",
    "keys_of_live",
]
