"""What somebody has to do about an incident, until it is done and shown to be."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID

from django.db.models.functions import Now

from access.models import User
from audit.notifications.people import holders_of
from compliance.errors.incidents import IncidentTaskDone, IncidentTaskNotFound, WrongIncidentState
from compliance.incidents.selectors import find_incident, hands_of_all, open_incident_for
from compliance.incidents.timeline import record
from compliance.models import Incident, IncidentState, IncidentTask
from datasets.services.descriptions import refuse_personal_data
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_scope

MAX_TITLE: Final = 200
MAX_PROOF: Final = 1000
#: What every confirmed incident begins with: the title, and in how many hours after awareness.
FIRST: Final[Mapping[str, int]] = MappingProxyType(
    {
        "Keep the evidence: export the audit of the time in question": 24,
        "Stop it: end access, put versions in quarantine": 24,
        "Compute the scope and judge the risk": 48,
    }
)


def begin_tasks(incident: Incident) -> None:
    """Make the FIRST tasks, in the open scope."""
    since = incident.aware_at
    for title, hours in FIRST.items():
        _make(incident, title, assignee=None, due_at=since + timedelta(hours=hours) if since else None)


def create_task(
    principal: Principal,
    *,
    incident_id: UUID,
    title: str,
    assignee: UUID | None = None,
    due_at: datetime | None = None,
) -> IncidentTask:
    """Ask one of those who may be asked, or (None) whoever manages the incident, to do something.

    Raises AccessDenied, IncidentNotFound, IncidentAboutYourself, WrongIncidentState, InvalidInput, PersonalDataInText.
    """
    incident = open_incident_for(principal, "incident.manage", incident_id)
    if incident.state in (IncidentState.DISMISSED, IncidentState.CLOSED):
        raise WrongIncidentState(is_now=incident.state)
    if not 0 < len(title.strip()) <= MAX_TITLE:
        raise InvalidInput(errors=[FieldProblem("title", f"1 to {MAX_TITLE} characters")])
    if assignee is not None and assignee not in may_be_asked(incident):
        raise InvalidInput(
            errors=[FieldProblem("assignee", "somebody who may look at incidents, and whom this one is not about")]
        )
    refuse_personal_data(title=title)
    return _make(incident, title.strip(), assignee=assignee, due_at=due_at)


def may_be_asked(incident: Incident) -> list[UUID]:
    """People who may look at incidents and whom this one is not about, in the open scope."""
    people = User.objects.filter(pk__in=holders_of("incident.read"), is_active=True).order_by("username")
    about = hands_of_all(incident.principals)
    return [pk for pk in people.values_list("pk", flat=True) if pk not in about]


def _make(incident: Incident, title: str, *, assignee: UUID | None, due_at: datetime | None) -> IncidentTask:
    by = current_scope().principal.id
    task = IncidentTask.objects.create(incident=incident, title=title, assignee=assignee, due_at=due_at, made_by=by)
    asked = {"assignee": str(assignee)} if assignee else {}
    record(incident, "task.made", text=title, facts={"task": str(task.pk), **asked})
    task.refresh_from_db()
    return task


def finish_task(principal: Principal, *, incident_id: UUID, task_id: UUID, proof: str) -> IncidentTask:
    """Say that a task is done, and by what that can be seen.

    Raises AccessDenied, IncidentNotFound, IncidentAboutYourself, IncidentTaskNotFound, IncidentTaskDone, InvalidInput,
    PersonalDataInText.
    """
    incident = open_incident_for(principal, "incident.manage", incident_id)
    task = IncidentTask.objects.select_for_update().filter(pk=task_id, incident=incident).first()
    if task is None:
        raise IncidentTaskNotFound
    if task.done_at is not None:
        raise IncidentTaskDone
    if not 0 < len(proof.strip()) <= MAX_PROOF:
        raise InvalidInput(errors=[FieldProblem("proof", f"1 to {MAX_PROOF} characters")])
    refuse_personal_data(proof=proof)
    IncidentTask.objects.filter(pk=task.pk).update(done_at=Now(), done_by=principal.id, proof=proof.strip())
    task.refresh_from_db()
    record(incident, "task.done", text=task.title, facts={"task": str(task.pk)})
    return task


def list_tasks(principal: Principal, *, incident_id: UUID) -> list[IncidentTask]:
    """All of an incident, in the order they were made. Raises AccessDenied, IncidentNotFound."""
    return tasks_of(find_incident(principal, incident_id))


def tasks_of(incident: Incident) -> list[IncidentTask]:
    return list(IncidentTask.objects.filter(incident=incident).order_by("id"))


def open_tasks(incident: Incident) -> list[IncidentTask]:
    return list(IncidentTask.objects.filter(incident=incident, done_at=None).order_by("id"))
