"""Clocks of incidents: they begin by themselves, run out when the law says, and keep an incident open until then."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from compliance.errors.incidents import IncidentDutiesOpen
from compliance.incidents.clocks import GDPR, HIPAA, Status
from compliance.incidents.facts import IncidentFacts
from compliance.incidents.open import open_incident
from compliance.incidents.standing import duties_of_one
from compliance.incidents.states import close_incident, confirm_incident, contain_incident
from compliance.models import Incident
from compliance.posture.outcome import Outcome, judged
from compliance.posture.sandbox import actor, sandbox

_AUTHORITY: Final = "gdpr.authority"
_PERSONS: Final = "hipaa.persons"
#: GDPR article 33(1); 45 CFR 164.404(b): the end of the 60th day after the day of discovery.
_HOURS: Final = timedelta(hours=72)
_DAYS: Final = timedelta(days=61)
_WHY: Final = "A probe of the vault itself"


def probe(tenant_id: UUID) -> Outcome:
    officer, breaches = actor(tenant_id, "privacy_officer"), list[str]()
    now = timezone.now()
    with sandbox(tenant_id, officer):
        facts = IncidentFacts(title="A probe", laws=(GDPR, HIPAA), discovered_at=now, aware_at=now)
        incident = open_incident(officer, facts=facts)
        if incident.next_due_at is None or incident.next_due_at > now + _HOURS:
            breaches.append("no clock began when an incident was opened")
        breaches += _late(incident)
        confirm_incident(officer, incident_id=incident.pk, reason=_WHY)
        contain_incident(officer, incident_id=incident.pk, reason=_WHY)
        try:
            close_incident(officer, incident_id=incident.pk, reason=_WHY)
        except IncidentDutiesOpen:
            pass
        else:
            breaches.append("an incident was closed before those concerned were told")
    return judged(breaches, clocks=2)


def _late(incident: Incident) -> list[str]:
    """Clocks that have run out by the law and do not say so, or say so before."""
    assert incident.aware_at is not None
    ends = {_AUTHORITY: _HOURS, _PERSONS: _DAYS}
    found = []
    for code, end in ends.items():
        for after, is_over in ((end + timedelta(minutes=1), True), (end - timedelta(days=1, minutes=1), False)):
            duties = {one.code: one.status for one in duties_of_one(incident, incident.aware_at + after)}
            if (duties.get(code) == Status.OVERDUE) is not is_over:
                found.append(f"the clock of {code} does not {'end' if is_over else 'run'} when the law says")
    return found
