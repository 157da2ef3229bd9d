"""The decisions among the events, for who explains or replays them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet

from access.ports import DecisionHistory, RecordedDecision
from audit.archive.read import page_of_archive
from audit.models import AuditEvent
from audit.proofs.events import find_event
from audit.selectors import EventFilter, EventPosition, open_actor, read_body
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.event import EventType, ResourceRef
from vaultsite.kernel.tenancy.scope import current_tenant_id

#: The types that events of decisions have.
_TYPES: Final = (
    EventType.ACCESS_READ,
    EventType.ACCESS_WRITE,
    EventType.ACCESS_DELETE,
    EventType.ACCESS_DENIED,
    EventType.ADMIN_READ,
    EventType.ADMIN_WRITE,
    EventType.AUDIT_READ,
)


class AuditedDecisions(DecisionHistory):
    """Decisions as the audit keeps them. Events of these types that name no action are none."""

    def page(
        self, *, since: datetime, until: datetime, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[RecordedDecision]:
        rows = _decisions().filter(time__gte=since, time__lt=until)
        if after is not None:
            rows = rows.filter(time__gte=after[0]).exclude(time=after[0], pk__lte=after[1])
        position = EventPosition(*after) if after else None
        asked = EventFilter(types=tuple(kind.value for kind in _TYPES), since=since, until=until)
        archived = page_of_archive(current_tenant_id(), asked, after=position, limit=limit)
        found = sorted([*archived, *rows.order_by("time", "id")[:limit]], key=lambda row: (row.time, row.pk))
        return [_recorded(row) for row in found[:limit]]

    def latest(
        self, *, limit: int, before: tuple[datetime, UUID] | None = None, denied_only: bool = False
    ) -> Sequence[RecordedDecision]:
        rows = _decisions()
        if denied_only:
            rows = rows.filter(status="denied")
        if before is not None:
            rows = rows.filter(Q(time__lt=before[0]) | Q(time=before[0], pk__lt=before[1]))
        return [_recorded(row) for row in rows.order_by("-time", "-id")[:limit]]

    def latest_of(self, actor_ids: Collection[UUID], *, limit: int) -> Sequence[RecordedDecision]:
        rows = _decisions().filter(actor_id__in=actor_ids)
        return [_recorded(row) for row in rows.order_by("-time", "-id")[:limit]]

    def find(self, event_id: UUID) -> RecordedDecision | None:
        row = find_event(current_tenant_id(), event_id)
        return _recorded(row, with_address=True) if row and row.type in _TYPES else None


def _decisions() -> QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(tenant_id=current_tenant_id(), type__in=_TYPES)


def _recorded(row: AuditEvent, *, with_address: bool = False) -> RecordedDecision:
    body = read_body(row)
    resource, metadata, context = body["resource"], body.get("metadata", {}), body.get("context", {})
    inputs: Mapping[str, Any] = metadata.get("inputs") or {}
    return RecordedDecision(
        event_id=row.pk,
        time=row.time,
        actor_kind=row.actor_kind,
        actor_id=row.actor_id,
        resource=ResourceRef(
            type=resource.get("type", ""),
            id=resource.get("id", ""),
            dataset_id=UUID(resource["dataset_id"]) if resource.get("dataset_id") else None,
            classification=resource.get("classification", ""),
            version=resource.get("version", ""),
        ),
        action=metadata.get("action", ""),
        purpose=context.get("purpose", ""),
        is_allowed=row.status != "denied",
        policies=tuple(context.get("policy_evaluated", ())),
        obligations=tuple(context.get("obligations", ())),
        reason=metadata.get("reason", ""),
        ip_address=_address(row) if with_address else "",
        failure=row.failure_reason,
        inputs=inputs,
    )


def _address(row: AuditEvent) -> str:
    """Where the request came from; empty when its key was destroyed or does not open it."""
    try:
        return open_actor(row).ip_address
    except VaultError:
        return ""
