"""The people who are told of incidents: those who manage them, never those whom one is about."""

from uuid import UUID

from django.urls import reverse

from audit.notifications.kinds import ALERT
from audit.notifications.notify import notify
from audit.notifications.people import holders_of
from compliance.incidents.selectors import hands_of_all
from compliance.models import Incident


def tell_managers(
    incident: Incident, *, cause: str, subject: str, but: UUID | None = None, is_critical: bool = True
) -> int:
    """Tell them once of ``cause`` (a code that this incident has once); returns how many were told."""
    people = holders_of("incident.manage") - hands_of_all(incident.principals) - {but}
    return notify(
        people,
        kind=ALERT,
        cause=f"incident:{incident.pk}:{cause}",
        subject=subject,
        url=reverse("admin:incident", args=[incident.pk]),
        is_critical=is_critical,
    )
