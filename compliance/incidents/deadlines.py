"""Clocks that run out: those who manage incidents are told before, and an alert stands from then on."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID

from django.db import DatabaseError
from django.utils import timezone

from audit.alerts.open import About, raise_alert
from compliance.incidents.clocks import Duty
from compliance.incidents.standing import ALERT_KIND, alert_cause, duties_of_one
from compliance.incidents.telling import tell_managers
from compliance.incidents.timeline import record
from compliance.models import Incident, IncidentEntry
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

OVERDUE: Final = "overdue"
#: What is told of -> so long before the end, the latest first.
MARKS: Final[Mapping[str, timedelta]] = MappingProxyType(
    {OVERDUE: timedelta(0), "6h": timedelta(hours=6), "24h": timedelta(hours=24)}
)
_SUBJECTS: Final = MappingProxyType(
    {
        OVERDUE: "Somebody was not told of an incident in time",
        "6h": "A clock of an incident runs out within 6 hours",
        "24h": "A clock of an incident runs out within 24 hours",
    }
)
logger = logging.getLogger("vault.incidents")


def watch_all(now: datetime | None = None) -> int:
    """Look at every incident of which a clock ends soon, as the vault itself; returns what was told of.

    One that fails does not keep the others waiting. No scope may be open.
    """
    moment = now or timezone.now()
    rows = Incident.objects.using("system").filter(next_due_at__lt=moment + max(MARKS.values()))
    late = list(rows.order_by("next_due_at").values_list("tenant_id", "pk"))
    return sum(_watch(tenant_id, pk, moment) for tenant_id, pk in late)


def _watch(tenant_id: UUID, incident_id: UUID, now: datetime) -> int:
    try:
        with tenant_scope(tenant_id, Principal.system(tenant_id)):
            incident = Incident.objects.select_for_update(no_key=True).get(pk=incident_id)
            return sum(_tell(incident, duty, now) for duty in duties_of_one(incident, now) if duty.is_unmet)
    except (VaultError, DatabaseError) as error:
        logger.warning("the clocks of an incident wait: %s", getattr(error, "code", type(error).__name__))
        return 0


def _tell(incident: Incident, duty: Duty, now: datetime) -> bool:
    """Once for each mark and end: a clock that was moved is told of anew."""
    mark = _mark(duty, now)
    if mark is None or duty.due_at is None:
        return False
    facts = {"duty": duty.code, "mark": mark, "due_at": duty.due_at.isoformat()}
    if IncidentEntry.objects.filter(incident=incident, kind="deadline", facts=facts).exists():
        return False
    record(incident, "deadline", facts=facts, severity="critical" if mark == OVERDUE else "warning")
    cause = f"{duty.code}:{mark}:{duty.due_at:%Y%m%d%H%M}"
    tell_managers(incident, cause=cause, subject=_SUBJECTS[mark])
    if mark == OVERDUE:
        _raise(incident, duty)
    return True


def _mark(duty: Duty, now: datetime) -> str | None:
    if duty.due_at is None:
        return None
    left = duty.due_at - now
    return next((mark for mark, before in MARKS.items() if left < before), None)


def _raise(incident: Incident, duty: Duty) -> None:
    """About the first whom the incident is about, so that they do not settle it."""
    suspect = UUID(incident.principals[0]) if incident.principals else None
    raise_alert(
        kind=ALERT_KIND,
        cause=alert_cause(incident, duty),
        severity="critical",
        facts={"incident": incident.number, "duty": f"{duty.title}, {duty.source}"},
        summary=f"Incident {incident.number}: not told in time: {duty.title}",
        about=About(principal_id=suspect, since=duty.due_at),
    )
