"""Who took data of an erased person out of the vault, and the proof that they were told (GDPR Art. 19)."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from django.utils import timezone

from access.services.authorize import authorize
from audit.archive.read import archived_events
from audit.models import AuditEvent
from audit.selectors import EventFilter, read_body
from compliance.errors.subjects import RecipientTaskNotFound, RecipientTaskSettled
from compliance.models import RecipientTask, SubjectErasure
from compliance.subjects.erase import get_subject_erasure
from datasets.services.descriptions import refuse_personal_data
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_tenant_id

_TAKEN = (EventType.EXPORTED, EventType.EXPORTED_ANALYTICS)


def make_tasks(erasure: SubjectErasure, dataset_ids: Iterable[UUID]) -> int:
    """In the open scope: one task for whoever downloaded an export of a dataset; returns how many there are.

    Whether the person's records were in a file that was filtered nobody can say afterwards: who took any is told.
    """
    taken: dict[tuple[UUID, UUID], RecipientTask] = {}
    for event in _taken(frozenset(dataset_ids)):
        assert event.dataset_id is not None
        task = taken.setdefault(
            (event.dataset_id, event.actor_id),
            RecipientTask(erasure=erasure, dataset_id=event.dataset_id, recipient=event.actor_id, exports=[]),
        )
        task.downloaded_at = event.time
        export = read_body(event)["metadata"].get("export", "")
        if export not in task.exports:
            task.exports.append(export)
    RecipientTask.objects.bulk_create(taken.values(), ignore_conflicts=True)
    return RecipientTask.objects.filter(erasure=erasure).count()


def _taken(dataset_ids: frozenset[UUID]) -> Iterator[AuditEvent]:
    """Every download of an export of the datasets, those of months in the archive first."""
    asked = EventFilter(types=tuple(kind.value for kind in _TAKEN), status="success")
    archived = archived_events(current_tenant_id(), asked)
    yield from (event for event in archived if event.dataset_id in dataset_ids)
    rows = AuditEvent.objects.filter(type__in=_TAKEN, status="success", dataset_id__in=list(dataset_ids))
    yield from rows.order_by("time").iterator()


def list_tasks(principal: Principal, erasure_id: UUID, *, after: UUID | None, limit: int) -> list[RecipientTask]:
    """The tasks of an erasure, in the order they were made. Raises AccessDenied, SubjectErasureNotFound."""
    erasure = get_subject_erasure(principal, erasure_id)
    rows = RecipientTask.objects.filter(erasure=erasure).order_by("id")
    return list((rows.filter(pk__gt=after) if after else rows)[:limit])


def settle_task(principal: Principal, *, erasure_id: UUID, task_id: UUID, proof: str) -> RecipientTask:
    """Say how a recipient was told.

    Raises AccessDenied, RecipientTaskNotFound, RecipientTaskSettled, PersonalDataInText.
    """
    authorize(principal, "subject.erase", ResourceRef("subject_erasure", str(erasure_id)))
    task = RecipientTask.objects.select_for_update().filter(pk=task_id, erasure_id=erasure_id).first()
    if task is None:
        raise RecipientTaskNotFound
    if task.told_at is not None:
        raise RecipientTaskSettled
    refuse_personal_data(proof=proof)
    task.proof, task.told_by, task.told_at = proof, principal.id, timezone.now()
    task.save(update_fields=["proof", "told_by", "told_at"])
    resource = ResourceRef("subject_erasure", str(erasure_id), dataset_id=task.dataset_id)
    facts = {"task": str(task.pk), "recipient": str(task.recipient)}
    emit(Event(EventType.RECIPIENT_TOLD, operation="update", resource=resource, metadata=facts))
    return task
