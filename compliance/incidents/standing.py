"""Where the clocks of incidents stand: what is stored, brought into the form in which the rules are asked."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Min
from django.utils import timezone

from audit.alerts.open import resolve_cause
from compliance.incidents.clocks import Duty, Facts, Status, duties, next_due
from compliance.models import BreachNotice, Incident, IncidentAssessment, IncidentState

#: The kind of alert that stands while a clock has run out.
ALERT_KIND: Final = "incident.overdue"


def duties_of(incidents: Iterable[Incident], now: datetime | None = None) -> dict[UUID, list[Duty]]:
    """The duties of each incident as they stand at ``now``, in two queries however many they are."""
    rows = list(incidents)
    ids = [row.pk for row in rows]
    assessed = _assessed(ids)
    sent = _sent(ids)
    moment = now or timezone.now()
    return {row.pk: duties(_facts(row, assessed.get(row.pk), sent.get(row.pk, {})), moment) for row in rows}


def duties_of_one(incident: Incident, now: datetime | None = None) -> list[Duty]:
    return duties_of([incident], now)[incident.pk]


def wind_clocks(incident: Incident) -> None:
    """Keep when the next clock runs out, after anything the clocks depend on has changed; alerts of clocks that have
    not run out any more end.
    """
    found = duties_of_one(incident)
    for duty in found:
        if duty.status is not Status.OVERDUE:
            resolve_cause(ALERT_KIND, alert_cause(incident, duty))
    due = next_due(found)
    if due != incident.next_due_at:
        incident.next_due_at = due
        Incident.objects.filter(pk=incident.pk).update(next_due_at=due)


def alert_cause(incident: Incident, duty: Duty) -> str:
    """What tells the alert of one duty from others."""
    return f"{incident.pk} {duty.code}"


def latest_assessment(incident: Incident) -> IncidentAssessment | None:
    return IncidentAssessment.objects.filter(incident=incident).order_by("-id").first()


def latest_assessments(incidents: Iterable[Incident]) -> dict[UUID, IncidentAssessment]:
    """The latest judgement of each incident that was judged."""
    return _assessed([row.pk for row in incidents])


def _assessed(ids: list[UUID]) -> dict[UUID, IncidentAssessment]:
    rows = IncidentAssessment.objects.filter(incident_id__in=ids).order_by("incident_id", "-id").distinct("incident_id")
    return {row.incident_id: row for row in rows}


def _sent(ids: list[UUID]) -> dict[UUID, dict[str, datetime]]:
    rows = BreachNotice.objects.filter(incident_id__in=ids, sent_at__isnull=False)
    found: dict[UUID, dict[str, datetime]] = {}
    for incident_id, audience, first in rows.values_list("incident_id", "audience").annotate(first=Min("sent_at")):
        found.setdefault(incident_id, {})[audience] = first
    return found


def _facts(incident: Incident, assessed: IncidentAssessment | None, sent: Mapping[str, datetime]) -> Facts:
    return Facts(
        laws=frozenset(incident.laws),
        discovered_at=incident.discovered_at,
        aware_at=incident.aware_at,
        is_processor=incident.is_processor,
        is_dismissed=incident.state == IncidentState.DISMISSED,
        zone=incident.time_zone,
        persons=incident.persons,
        residents=incident.residents,
        hipaa=assessed.hipaa if assessed else "",
        gdpr_risk=assessed.gdpr_risk if assessed else "",
        exception=assessed.exception if assessed else "",
        sent=sent,
    )
