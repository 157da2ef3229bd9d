"""What the audit is told of a long job over a dataset that ended with an error."""

from typing import Protocol
from uuid import UUID

from datasets.models import Dataset
from datasets.selectors import resource_of
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.event import Event, EventType


class _Job(Protocol):
    pk: UUID
    dataset_id: UUID
    purpose: str
    requested_by: UUID


def failed(type_: EventType, row: _Job, error: VaultError, *, job: str, operation: str = "write") -> Event:
    """The event of ``row``, a ``job``, in an open scope."""
    return Event(
        type=type_,
        operation=operation,
        status="failure",
        severity="warning",
        resource=resource_of(Dataset.objects.get(pk=row.dataset_id)),
        purpose=row.purpose,
        failure_reason=error.code,
        metadata={job: str(row.pk), "requested_by": str(row.requested_by)},
    )
