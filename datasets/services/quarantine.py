"""What does not open or verify is marked, reported once, and served to nobody until a scrub finds it whole again."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Now

from datasets.models import Chunk, Dataset, FindingsBlob
from datasets.selectors import resource_of
from vaultsite.kernel.events.buffer import EventBuffer
from vaultsite.kernel.events.event import Event, EventType, Recorded
from vaultsite.kernel.tenancy.scope import current_scope, durable_effect


def quarantine(rows: QuerySet[Chunk] | QuerySet[FindingsBlob], *, dataset_id: UUID, digest: bytes, fault: str) -> bool:
    """Mark ``rows`` as damaged, inside a scope; whatever becomes of that, the mark and its event stay.

    ``fault`` is the code of what was raised. False when they were marked before, or have moved meanwhile.
    """
    with durable_effect():
        if not rows.filter(damaged_at=None).update(damaged_at=Now()):
            return False
        scope = current_scope()
        event = _detected(dataset_id, digest, fault)
        EventBuffer.write([Recorded(event, scope.tenant_id, scope.principal, scope.request)])
    return True


def _detected(dataset_id: UUID, digest: bytes, fault: str) -> Event:
    facts: dict[str, Any] = {"digest": digest.hex(), "fault": fault}
    return Event(
        type=EventType.CORRUPTION_DETECTED,
        operation="read",
        status="failure",
        severity="critical",
        resource=resource_of(Dataset.objects.get(pk=dataset_id)),
        failure_reason=fault,
        metadata=facts,
    )
