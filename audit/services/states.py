"""What the audit was told last about a state: the memory of those who tell of changes alone."""

from collections.abc import Sequence
from typing import Any

from audit.models import AuditEvent
from audit.selectors import read_body
from vaultsite.kernel.events.event import EventType, ResourceRef
from vaultsite.kernel.tenancy.scope import current_tenant_id


def last_facts(types: Sequence[EventType], resource: ResourceRef) -> dict[str, Any]:
    """The metadata of the tenant's last event of one of ``types`` about ``resource``; empty when there is none."""
    rows = AuditEvent.objects.filter(
        tenant_id=current_tenant_id(), type__in=types, resource_type=resource.type, resource_id=resource.id
    )
    row = rows.order_by("-time", "-pk").first()
    facts: dict[str, Any] = read_body(row)["metadata"] if row else {}
    return facts
