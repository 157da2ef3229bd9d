"""Tables of policies, tokens, privacy budgets, releases and the trust put in detectors."""

from anonymization.models.budget import BudgetShare, BudgetSpend, PrivacyBudget
from anonymization.models.release import RecipientAttestation, Release, ReleaseFamily, ReleaseSegment
from anonymization.models.token import Token, TokenGeneration, TokenResealing, TokenSpace, TokenUse

__all__ = [
    "BudgetShare",
    "BudgetSpend",
    "PrivacyBudget",
    "RecipientAttestation",
    "Release",
    "ReleaseFamily",
    "ReleaseSegment",
    "Token",
    "TokenGeneration",
    "TokenResealing",
    "TokenSpace",
    "TokenUse",
]
