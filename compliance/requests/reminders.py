"""Before a request is late, those who answer it are told; once it is, an alert is raised."""

import logging
from typing import Final

from django.db import DatabaseError
from django.urls import reverse

from access.models import Tenant
from audit.alerts.open import raise_alert, resolve_cause
from audit.models.alert import Alert, AlertState
from audit.notifications.kinds import ENDING
from audit.notifications.notify import notify
from audit.notifications.people import holders_of
from compliance.models import SubjectRequest
from compliance.requests.intake import MANAGE
from compliance.requests.selectors import days_left
from compliance.requests.states import DONE, tell
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: Days before the last one on which people are told; what was missed is made up for by the next.
BEFORE: Final = (7, 3, 1)
KIND: Final = "subject_request.overdue"
logger = logging.getLogger("vault.subject_requests")


def remind_all() -> int:
    """In every tenant: tell of what is due, raise and end alerts; returns of how many requests was told."""
    told = 0
    for tenant_id in list(Tenant.objects.using("system").filter(is_active=True).values_list("pk", flat=True)):
        try:
            with tenant_scope(tenant_id, Principal.system(tenant_id)):
                told += remind()
        except (VaultError, DatabaseError) as error:
            logger.warning("reminders of a tenant wait: %s", getattr(error, "code", type(error).__name__))
    return told


def remind() -> int:
    """As remind_all, for the tenant of the open scope."""
    told, late = 0, set()
    for request in SubjectRequest.objects.exclude(state__in=DONE).order_by("due_on"):
        left = days_left(request)
        if left is not None and left < 0:
            late.add(str(request.pk))
            told += _alert(request, days=-left)
        elif left is not None and left <= max(BEFORE):
            told += _notify(request, left)
    for cause in Alert.objects.filter(kind=KIND).exclude(state=AlertState.RESOLVED).values_list("cause", flat=True):
        if cause not in late:
            resolve_cause(KIND, cause)
    return told


def _notify(request: SubjectRequest, left: int) -> bool:
    """Tell who works on it, once for each of BEFORE."""
    step = min(days for days in BEFORE if left <= days)
    people = {request.assignee} if request.assignee else holders_of(MANAGE)
    count = notify(
        people,
        kind=ENDING,
        cause=f"subject-request:{request.pk}:{request.due_on}:{step}",
        subject=f"A data subject's request is due within {step} day{'s' if step > 1 else ''}",
        url=reverse("admin:subject_request", args=[request.pk]),
        is_critical=step == min(BEFORE),
    )
    if count:
        tell(EventType.SUBJECT_REQUEST_DUE, request, days=left)
    return bool(count)


def _alert(request: SubjectRequest, *, days: int) -> bool:
    unresolved = Alert.objects.filter(kind=KIND, cause=str(request.pk)).exclude(state=AlertState.RESOLVED)
    if unresolved.exists():
        return False
    raise_alert(
        kind=KIND,
        cause=str(request.pk),
        severity="critical",
        facts={"reference": request.reference, "law": request.law, "due_on": request.due_on.isoformat(), "days": days},
    )
    return True
