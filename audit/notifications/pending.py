"""Events that people have to be told of, noted on their way out of the vault."""

from collections.abc import Sequence
from uuid import UUID

from audit.models import AuditEvent, PendingNotice
from audit.notifications.told import TOLD


def note_events(tenant_id: UUID, events: Sequence[AuditEvent]) -> int:
    """Keep which of ``events`` somebody has to be told of; returns how many.

    Called by the relay as vault_system inside its transaction (alias ``system``); it may repeat itself. Who is told is
    found later, inside the tenant's scope.
    """
    rows = [
        PendingNotice(tenant_id=tenant_id, event_id=event.pk, event_time=event.time)
        for event in events
        if event.type in TOLD
    ]
    PendingNotice.objects.using("system").bulk_create(rows, ignore_conflicts=True)
    return len(rows)
