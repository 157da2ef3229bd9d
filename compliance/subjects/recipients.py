"""Who took data of an erased person out of the vault, and the proof that they were told (GDPR Art. 19)."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils import timezone

from access.services.authorize import authorize
from audit.archive.read import archived_parts, events_or_none
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

_TAKEN: Final = (EventType.EXPORTED, EventType.EXPORTED_ANALYTICS)
_ASKED: Final = EventFilter(types=tuple(kind.value for kind in _TAKEN), status="success")


@dataclass
class _Downloads:
    """The exports that somebody downloaded of a dataset, and when the last time."""

    exports: list[str]
    last: datetime


#: By dataset and recipient.
_Taken = dict[tuple[UUID, UUID], _Downloads]


def make_tasks(
    erasure: SubjectErasure, dataset_ids: Iterable[UUID], *, scope: Callable[[], AbstractContextManager[None]]
) -> tuple[int, list[str]]:
    """One task for whoever downloaded an export of a dataset; returns how many there are, and months nobody can read.

    Whether the person's records were in a file that was filtered nobody can say afterwards: who took any is told. A
    part of the archive that is gone or does not open keeps nobody's data from being erased: its month is named. The
    database comes first, then the archive part by part, each in a ``scope`` of its own: what moves from one into the
    other meanwhile is found.
    """
    wanted, taken, unknown = frozenset(dataset_ids), _Taken(), set()
    with scope():
        rows = AuditEvent.objects.filter(type__in=_TAKEN, status="success", dataset_id__in=list(wanted))
        _note(taken, rows.order_by("time").iterator(), wanted)
        parts = archived_parts(current_tenant_id(), _ASKED)
    for part in parts:
        with scope():
            events = events_or_none(part, _ASKED)
        if events is None:
            unknown.add(f"{part.month:%Y-%m}")
        else:
            _note(taken, events, wanted)
    with scope():
        tasks = [_task(erasure, key, downloads) for key, downloads in taken.items()]
        RecipientTask.objects.bulk_create(tasks, ignore_conflicts=True)
        return RecipientTask.objects.filter(erasure=erasure).count(), sorted(unknown)


def _note(taken: _Taken, events: Iterable[AuditEvent], wanted: frozenset[UUID]) -> None:
    for event in events:
        if event.dataset_id is not None and event.dataset_id in wanted:
            one = taken.setdefault((event.dataset_id, event.actor_id), _Downloads([], event.time))
            one.last = max(one.last, event.time)
            export = read_body(event)["metadata"].get("export", "")
            if export not in one.exports:
                one.exports.append(export)


def _task(erasure: SubjectErasure, key: tuple[UUID, UUID], downloads: _Downloads) -> RecipientTask:
    dataset_id, recipient = key
    return RecipientTask(
        erasure=erasure,
        dataset_id=dataset_id,
        recipient=recipient,
        exports=downloads.exports,
        downloaded_at=downloads.last,
    )


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
