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
]
