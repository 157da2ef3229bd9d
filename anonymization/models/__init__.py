"""Tables of policies, tokens, privacy budgets, releases and the trust put in detectors."""

from anonymization.models.budget import BudgetShare, BudgetSpend, PrivacyBudget
from anonymization.models.policy import AnonymizationPolicy, AttachmentKind, PolicyAttachment, PolicyVersion
from anonymization.models.release import RecipientAttestation, Release, ReleaseFamily, ReleaseSegment
from anonymization.models.token import Token, TokenGeneration, TokenResealing, TokenSpace, TokenUse
from anonymization.models.trust import (
    DetectionCase,
    FieldEntry,
    FindingFeedback,
    ListEntry,
    ListKind,
    ThresholdEntry,
    TrustEpoch,
)

__all__ = [
    "AnonymizationPolicy",
    "AttachmentKind",
    "BudgetShare",
    "BudgetSpend",
    "DetectionCase",
    "FieldEntry",
    "FindingFeedback",
    "ListEntry",
    "ListKind",
    "PolicyAttachment",
    "PolicyVersion",
    "PrivacyBudget",
    "RecipientAttestation",
    "Release",
    "ReleaseFamily",
    "ReleaseSegment",
    "ThresholdEntry",
    "Token",
    "TokenGeneration",
    "TokenResealing",
    "TokenSpace",
    "TokenUse",
    "TrustEpoch",
]
