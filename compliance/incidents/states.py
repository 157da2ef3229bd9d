"""An incident goes from suspicion to its end, one state at a time, each with its reason."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.db.models.functions import Now
from django.utils import timezone

from compliance.errors.incidents import IncidentDutiesOpen, WrongIncidentState
from compliance.incidents.clocks import GDPR, HIPAA, Status
from compliance.incidents.selectors import open_incident_for
from compliance.incidents.standing import duties_of_one, latest_assessment, wind_clocks
from compliance.incidents.tasks import begin_tasks, open_tasks
from compliance.incidents.timeline import record
from compliance.models import Incident, IncidentAssessment, IncidentState
from datasets.services.descriptions import refuse_personal_data
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import Severity
from vaultsite.kernel.tenancy.principal import Principal

MAX_REASON: Final = 1000
#: State -> the states it is reached from.
FROM: Final[Mapping[IncidentState, tuple[IncidentState, ...]]] = MappingProxyType(
    {
        IncidentState.CONFIRMED: (IncidentState.SUSPECTED,),
        IncidentState.DISMISSED: (IncidentState.SUSPECTED,),
        IncidentState.CONTAINED: (IncidentState.CONFIRMED,),
        IncidentState.CLOSED: (IncidentState.CONTAINED,),
    }
)


def confirm_incident(
    principal: Principal, *, incident_id: UUID, reason: str, aware_at: datetime | None = None
) -> Incident:
    """It was a breach: the organization is aware of it since ``aware_at`` (None: as said before, or now).

    Raises AccessDenied, IncidentNotFound, IncidentAboutYourself, WrongIncidentState, InvalidInput, PersonalDataInText.
    """
    now = timezone.now()
    if aware_at is not None and aware_at > now:
        raise InvalidInput(errors=[FieldProblem("aware_at", "lies in the future")])
    incident = _entering(principal, incident_id, IncidentState.CONFIRMED, reason)
    since = aware_at or incident.aware_at or now
    _enter(incident, IncidentState.CONFIRMED, reason, {"aware_at": since, "confirmed_at": Now()})
    begin_tasks(incident)
    return incident


def dismiss_incident(principal: Principal, *, incident_id: UUID, reason: str) -> Incident:
    """It was no breach; the register keeps it with the reason. Raises as confirm_incident."""
    incident = _entering(principal, incident_id, IncidentState.DISMISSED, reason)
    _enter(incident, IncidentState.DISMISSED, reason, {"ended_at": Now()})
    return incident


def contain_incident(principal: Principal, *, incident_id: UUID, reason: str) -> Incident:
    """Nothing more can leave by it; ``reason`` says what was done. Raises as confirm_incident."""
    incident = _entering(principal, incident_id, IncidentState.CONTAINED, reason)
    _enter(incident, IncidentState.CONTAINED, reason, {"contained_at": Now()})
    return incident


def close_incident(principal: Principal, *, incident_id: UUID, reason: str) -> Incident:
    """Nothing is left to do. What only the log of the year asks for goes on beyond the end, and is watched still.

    Raises IncidentDutiesOpen, and as confirm_incident.
    """
    incident = _entering(principal, incident_id, IncidentState.CLOSED, reason)
    if left := left_to_do(incident):
        raise IncidentDutiesOpen(errors=left)
    _enter(incident, IncidentState.CLOSED, reason, {"ended_at": Now()})
    return incident


def left_to_do(incident: Incident) -> list[FieldProblem]:
    """What keeps an incident from being closed: duties, assessments and tasks, in words."""
    left = [
        FieldProblem(duty.code, f"{duty.title} ({duty.source}): {duty.why}")
        for duty in duties_of_one(incident)
        if duty.is_unmet and not (duty.is_yearly and duty.status is Status.RUNNING)
    ]
    assessed = latest_assessment(incident)
    left += [FieldProblem("assessment", said) for said in _unassessed(incident, assessed)]
    return left + [FieldProblem("tasks", task.title) for task in open_tasks(incident)]


def _unassessed(incident: Incident, assessed: IncidentAssessment | None) -> list[str]:
    missing = []
    if GDPR in incident.laws and not (assessed and assessed.gdpr_risk):
        missing.append("The risk to persons was not assessed (GDPR art. 33(5)).")
    if HIPAA in incident.laws and not (assessed and assessed.hipaa):
        missing.append("The four factors were not assessed (45 CFR 164.402).")
    return missing


def _entering(principal: Principal, incident_id: UUID, state: IncidentState, reason: str) -> Incident:
    incident = open_incident_for(principal, "incident.manage", incident_id)
    if incident.state not in FROM[state]:
        raise WrongIncidentState(is_now=incident.state)
    if not 0 < len(reason.strip()) <= MAX_REASON:
        raise InvalidInput(errors=[FieldProblem("reason", f"1 to {MAX_REASON} characters")])
    refuse_personal_data(reason=reason)
    return incident


def _enter(incident: Incident, state: IncidentState, reason: str, columns: Mapping[str, Any]) -> None:
    Incident.objects.filter(pk=incident.pk).update(state=state, reason=reason.strip(), **columns)
    incident.refresh_from_db()
    aware = {"aware_at": incident.aware_at.isoformat()} if incident.aware_at else {}
    severity: Severity = "warning" if state is IncidentState.CONFIRMED else "info"
    record(incident, state.value, text=reason.strip(), facts=aware, severity=severity)
    wind_clocks(incident)
