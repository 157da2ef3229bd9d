"""What happened last: of everybody, for who may read the audit; of oneself, for everybody else."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from audit.alerts.kinds import WITHHELD
from audit.models import AuditEvent
from audit.selectors import Actor, EventFilter, list_events, open_actor
from datasets.models import Dataset
from vaultsite.dashboard.filters import Filters
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.tenancy.principal import Principal

SHOWN: Final = 12
#: What looking at the vault makes happen by itself; shown where it was refused.
LOOKING: Final = frozenset({EventType.ADMIN_READ.value, EventType.AUDIT_READ.value})
#: What decisions about the home page and its pieces are about.
RESOURCE: Final = "dashboard"
#: Events that are gone through to find SHOWN that may be shown.
_SIFTED: Final = 400


@dataclass(frozen=True)
class Deed:
    """One event of the reader's own; ``dataset`` is empty for what is about none they may know of."""

    time: datetime
    type: str
    outcome: str
    operation: str
    about: str
    dataset: str
    purpose: str


def latest_activity(principal: Principal, filters: Filters) -> list[tuple[AuditEvent, Actor]]:
    """The last SHOWN events of the chosen time with who caused them, newest first, without mere LOOKING."""
    events = _events(principal, filters, None, _SIFTED)
    told = [event for event in events if not _is_looking(event)]
    return [(event, open_actor(event)) for event in told[:SHOWN]]


def _is_looking(event: AuditEvent) -> bool:
    return event.status == "success" and (event.type in LOOKING or event.resource_type == RESOURCE)


def own_activity(principal: Principal, filters: Filters) -> list[Deed]:
    """The reader's last SHOWN events of the chosen time, newest first, and none of an alert."""
    found = _events(principal, filters, principal.id, _SIFTED)
    events = [event for event in found if event.type not in WITHHELD][:SHOWN]
    about = {event.dataset_id for event in events if event.dataset_id}
    names = dict(Dataset.objects.visible_to(principal).filter(pk__in=about).values_list("pk", "name"))
    return [_deed(event, names.get(event.dataset_id, "") if event.dataset_id else "") for event in events]


def _deed(event: AuditEvent, dataset: str) -> Deed:
    return Deed(event.time, event.type, event.status, event.operation, event.resource_type, dataset, event.purpose)


def _events(principal: Principal, filters: Filters, actor_id: UUID | None, limit: int) -> list[AuditEvent]:
    criteria = EventFilter(actor_id=actor_id, dataset_id=filters.dataset_id, since=filters.since, until=filters.until)
    return list_events(tenant_id=principal.tenant_id, criteria=criteria, limit=limit)
