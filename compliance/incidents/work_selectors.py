"""What of incidents waits for one person. Counted inside the open scope."""

from django.db.models import Min, Q
from django.db.models.functions import Now

from access.selectors import may
from access.work_selectors import COUNTED, Waiting
from compliance.incidents.selectors import may_manage
from compliance.models import Incident, IncidentState, IncidentTask
from vaultsite.kernel.tenancy.principal import Principal

_ENDED = (IncidentState.DISMISSED, IncidentState.CLOSED)


def incidents_to_settle(principal: Principal) -> Waiting:
    """Incidents that have not ended, and ended ones whose clock is nearly over; not those about the principal."""
    if not may(principal, "incident.manage"):
        return Waiting(0)
    soon = Q(next_due_at__lt=Now())
    rows = Incident.objects.filter(~Q(state__in=_ENDED) | soon).order_by("next_due_at")[:COUNTED]
    mine = [row for row in rows if may_manage(principal, row)]
    return Waiting(len(mine), min((row.next_due_at for row in mine if row.next_due_at), default=None))


def incident_tasks(principal: Principal) -> Waiting:
    """Tasks that the principal was asked to do and that are not done."""
    if not may(principal, "incident.read"):
        return Waiting(0)
    rows = IncidentTask.objects.filter(assignee=principal.id, done_at=None).exclude(incident__state__in=_ENDED)
    return Waiting(rows[:COUNTED].count(), rows.aggregate(due=Min("due_at"))["due"])
