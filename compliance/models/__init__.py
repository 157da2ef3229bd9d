"""The tables of compliance."""

from compliance.models.backup import BackupRun, BackupStatus, DrillStatus, RestoreDrill
from compliance.models.consent import (
    Consent,
    ConsentKey,
    ConsentTask,
    ConsentWithdrawal,
    PurposeTerms,
    WithdrawalEffect,
    keys_of_live,
)
from compliance.models.correction import Correction
from compliance.models.hold import HoldScope, LegalHold
from compliance.models.hold_notice import HoldNotice
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
from compliance.models.intake_form import IntakeForm
from compliance.models.link import SubjectLink
from compliance.models.package import RequestPackage
from compliance.models.party import Party, PartyRole, Safeguard
from compliance.models.posture import ControlEvidence, ProbeResult, ProbeRun, ProbeState, ProbeTrigger
from compliance.models.report import Report, ReportFormat
from compliance.models.request import Correspondence, RequestMatch, SubjectRequest
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
from compliance.models.store_terms import RetentionStoreStep, StoreTerm
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
from compliance.models.transfer import RefusedBecause, Transfer, TransferOutcome

__all__ = [
    "BackupRun",
    "BackupStatus",
    "BreachNotice",
    "BreachNoticeText",
    "Consent",
    "ConsentKey",
    "ConsentTask",
    "ConsentWithdrawal",
    "ControlEvidence",
    "Correction",
    "Correspondence",
    "DrillStatus",
    "HoldNotice",
    "HoldScope",
    "Incident",
    "IncidentAssessment",
    "IncidentEntry",
    "IncidentScope",
    "IncidentSeverity",
    "IncidentState",
    "IncidentTask",
    "IntakeForm",
    "LegalBasis",
    "LegalHold",
    "MatchReason",
    "MatchState",
    "NoticeState",
    "PartState",
    "Party",
    "PartyRole",
    "ProbeResult",
    "ProbeRun",
    "ProbeState",
    "ProbeTrigger",
    "PurposeTerms",
    "RecipientTask",
    "RefusedBecause",
    "Report",
    "ReportFormat",
    "RequestMatch",
    "RequestPackage",
    "RestoreDrill",
    "RetentionAction",
    "RetentionClock",
    "RetentionEvent",
    "RetentionNotice",
    "RetentionPolicy",
    "RetentionRun",
    "RetentionStart",
    "RetentionStep",
    "RetentionStoreStep",
    "Safeguard",
    "StepOutcome",
    "StoreTerm",
    "SubjectErasure",
    "SubjectErasurePart",
    "SubjectLink",
    "SubjectMatch",
    "SubjectRequest",
    "SubjectSearch",
    "SubjectStore",
    "Transfer",
    "TransferOutcome",
    "WithdrawalEffect",
    "keys_of_live",
]
