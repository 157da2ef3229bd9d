"""Incidents of a demo tenant: a canary was read, and the clocks of two laws run; and one that was none."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from access.models import Tenant
from audit.models import Alert
from compliance.incidents.assess import Factor, Judgement, assess_risk
from compliance.incidents.clocks import GDPR, HIPAA, Audience
from compliance.incidents.facts import IncidentFacts
from compliance.incidents.notices import begin_notice
from compliance.incidents.open import open_incident
from compliance.incidents.scope_request import request_scope
from compliance.incidents.scope_work import compute_scope
from compliance.incidents.states import confirm_incident, dismiss_incident
from compliance.incidents.tasks import create_task
from compliance.incidents.timeline import add_note
from compliance.models import Incident, IncidentSeverity
from vaultsite.demo.people import acting_as

_SECURITY: Final = "security-officer"
_OFFICER: Final = "privacy-officer"
_COPIED: Final = IncidentFacts(
    title="Evaluation records were read by somebody who had no reason to",
    summary="A canary of the evaluation set was released to a session that reads it page by page.",
    severity=IncidentSeverity.HIGH,
    laws=(GDPR, HIPAA),
)
_SHARED: Final = IncidentFacts(
    title="A page with invented names was shared outside",
    summary="A screenshot of the sample conversations was sent to a supplier.",
    severity=IncidentSeverity.LOW,
)
_JUDGED: Final = Judgement(
    factors={
        "nature": Factor("medium", "Questions with names and contact data; no health data"),
        "recipient": Factor("low", "An employee with a duty of confidence"),
        "acquired": Factor("high", "The records were shown on a screen"),
        "mitigation": Factor("medium", "The session was ended the same day"),
    },
    hipaa="breach",
    gdpr_risk="risk",
    grounds="No high risk: the reader is known, and nothing was taken out. The authority is told, the persons are not.",
)


def have_incidents(tenant: Tenant, _: dict[str, UUID]) -> None:
    """One is confirmed, with its scope, its judgement and a draft for the authority; one was dismissed."""
    with acting_as(tenant, _SECURITY) as security:
        if Incident.objects.exists():
            return
        alert = Alert.objects.filter(kind="canary.released").first()
        rumour = open_incident(security, facts=_SHARED)
        copied = open_incident(security, facts=_COPIED, alert_id=alert.pk if alert else None)
    with acting_as(tenant, _OFFICER) as officer:
        dismiss_incident(officer, incident_id=rumour.pk, reason="Every name in the samples is invented")
        confirm_incident(officer, incident_id=copied.pk, reason="The session reads record after record, without a task")
        since = timezone.now() - timedelta(days=1)
        scope = request_scope(officer, incident_id=copied.pk, since=since)
    compute_scope(tenant.pk, scope.pk)
    _work_on(tenant, copied.pk)


def _work_on(tenant: Tenant, incident_id: UUID) -> None:
    with acting_as(tenant, _SECURITY) as security:
        assignee = security.id
    with acting_as(tenant, _OFFICER) as officer:
        assess_risk(officer, incident_id=incident_id, judgement=_JUDGED)
        due_at = timezone.now() + timedelta(days=1)
        title = "Ask the reader what the records were for"
        create_task(officer, incident_id=incident_id, title=title, assignee=assignee, due_at=due_at)
        add_note(officer, incident_id=incident_id, text="The reader was asked not to delete anything")
    with acting_as(tenant, "legal-counsel") as counsel:
        begin_notice(counsel, incident_id=incident_id, audience=Audience.AUTHORITY)
