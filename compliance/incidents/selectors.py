"""Reading incidents, and the one door to changing them: not for whom they are about."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from access.selectors import hands_of
from access.services.authorize import authorize
from compliance.errors.incidents import IncidentAboutYourself, IncidentNotFound
from compliance.models import Incident, IncidentState
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal


@dataclass(frozen=True)
class IncidentFilter:
    """What to look for; empty does not restrict. ``state`` "open": neither dismissed nor closed."""

    state: str = ""
    severity: str = ""


def resource_of(incident_id: UUID | str = "") -> ResourceRef:
    return ResourceRef("incident", str(incident_id))


def list_incidents(
    principal: Principal, criteria: IncidentFilter, *, limit: int, after: UUID | None = None
) -> list[Incident]:
    """At most ``limit`` incidents, those opened last first. Raises AccessDenied."""
    authorize(principal, "incident.read", resource_of())
    rows = Incident.objects.order_by("-id")
    if criteria.state == "open":
        rows = rows.exclude(state__in=(IncidentState.DISMISSED, IncidentState.CLOSED))
    elif criteria.state:
        rows = rows.filter(state=criteria.state)
    if criteria.severity:
        rows = rows.filter(severity=criteria.severity)
    return list((rows if after is None else rows.filter(pk__lt=after))[:limit])


def find_incident(principal: Principal, incident_id: UUID) -> Incident:
    """Raises AccessDenied, IncidentNotFound."""
    authorize(principal, "incident.read", resource_of(incident_id))
    found = Incident.objects.filter(pk=incident_id).first()
    if found is None:
        raise IncidentNotFound
    return found


def open_incident_for(principal: Principal, action: str, incident_id: UUID) -> Incident:
    """The incident with its row locked, for who may do ``action`` to it.

    Raises AccessDenied, IncidentNotFound, IncidentAboutYourself.
    """
    authorize(principal, action, resource_of(incident_id))
    found = Incident.objects.select_for_update(no_key=True).filter(pk=incident_id).first()
    if found is None:
        raise IncidentNotFound
    if not may_manage(principal, found):
        raise IncidentAboutYourself
    return found


def may_manage(principal: Principal, incident: Incident) -> bool:
    """Whether the incident is about others than who asks, by whatever program."""
    return hands_of(principal.id).isdisjoint(hands_of_all(incident.principals))


def hands_of_all(principals: Iterable[str]) -> frozenset[UUID]:
    """Every one of them, with whoever made a program among them."""
    return frozenset().union(*(hands_of(UUID(one)) for one in principals))


def incident_of_alert(alert_id: UUID) -> Incident | None:
    """The incident that an alert became, in the open scope."""
    return Incident.objects.filter(alert_id=alert_id).first()
