"""What policies of the tenant forbade becomes an alert for each policy, principal and day."""

import hashlib
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Max, Min
from django.db.models.functions import TruncDay
from django.utils import timezone

from audit.alerts.open import About, raise_alert
from audit.alerts.selectors import last_of_cause
from audit.models import AuditEvent
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_tenant_id, tenant_scope

KIND: Final = "policy.violation"
#: From so many attempts on somebody tries again and again.
OFTEN: Final = 10
#: Characters of the ids of policies that a cause has room for.
_SHOWN: Final = 80


def watch_violations(tenant_id: UUID, *, now: datetime | None = None) -> int:
    """Raise alerts for the violations of today and yesterday that are not told of; returns how many.

    No scope may be open.
    """
    since = (now or timezone.now()).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        rows = AuditEvent.objects.filter(
            tenant_id=current_tenant_id(), type=EventType.POLICY_VIOLATED.value, time__gte=since
        )
        grouped = rows.annotate(day=TruncDay("time")).values("policy", "actor_id", "day")
        counted = grouped.annotate(events=Count("id"), first=Min("time"), last=Max("time")).order_by("first")
        return sum(_tell(dict(row)) for row in counted)


def _policies(ids: str) -> str:
    """The policies of an event in a cause: many of them are long, and differ at their end."""
    return ids if len(ids) <= _SHOWN else f"{ids[:_SHOWN]} ({hashlib.sha256(ids.encode()).hexdigest()[:24]})"


def _tell(row: dict[str, Any]) -> bool:
    """Only what was not counted yet is added: an event may be committed after younger ones."""
    cause = f"{_policies(row['policy'])}, principal {row['actor_id']}, {row['day']:%Y-%m-%d}"
    told = last_of_cause(KIND, cause)
    new = row["events"] - (told.facts["events"] if told else 0)
    if new <= 0:
        return False
    attempts = f"{row['events']:,} attempt{'' if row['events'] == 1 else 's'}"
    raise_alert(
        kind=KIND,
        cause=cause,
        severity="warning" if row["events"] >= OFTEN else "info",
        facts={"events": row["events"], "policy": row["policy"]},
        summary=f"{attempts} on {row['day']:%Y-%m-%d} at what a policy forbids",
        about=About(principal_id=row["actor_id"], since=row["first"], until=row["last"] + timedelta(seconds=1)),
        occurrences=new,
    )
    return True
