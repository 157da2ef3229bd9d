"""The states of a dataset: archived, deleted with time to undo, restored, purged."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from access.services.authorize import authorize, may
from access.services.clock import database_now
from datasets.errors.lifecycle import NothingToRestore, PurgeNotFound
from datasets.models import Dataset, Purge
from datasets.selectors import get_dataset, resource_of
from datasets.services.preconditions import before
from datasets.services.purge import shred
from datasets.services.suppression import flag_returns_in
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.jobs import FINAL, JobStatus, enqueue, new_lease
from vaultsite.kernel.tenancy.principal import Principal

#: Deleted datasets that are listed.
LISTED: Final = 1000


def archive_dataset(principal: Principal, *, dataset_id: UUID) -> Dataset:
    """Make the dataset one that is only read. Raises DatasetNotFound, AccessDenied."""
    return put_away(_hold(principal, dataset_id, action="dataset.archive"))


def put_away(dataset: Dataset) -> Dataset:
    """Archive a dataset that the open scope holds locked, whoever decided on it; again changes nothing."""
    if dataset.archived_at is None:
        dataset.archived_at = database_now()
        dataset.save(update_fields=["archived_at"])
        emit(_fact(EventType.ARCHIVED, dataset))
    return dataset


def delete_dataset(principal: Principal, *, dataset_id: UUID) -> Dataset:
    """Take the dataset away from everybody; it can be restored until ``delete_after``, then it is purged.

    Its name stays taken that long. Jobs that would change it end without effect. Raises DatasetNotFound, AccessDenied,
    DatasetHeld, DatasetKept.
    """
    return take_away(_hold(principal, dataset_id, action="dataset.delete"), by=principal.id)


def take_away(dataset: Dataset, *, by: UUID) -> Dataset:
    """Delete a dataset that the open scope holds locked, whoever decided on it. Raises DatasetHeld, DatasetKept."""
    before("delete", dataset)
    dataset.deleted_at = database_now()
    dataset.delete_after = dataset.deleted_at + timedelta(days=settings.DELETE_UNDO_DAYS)
    dataset.save(update_fields=["deleted_at", "delete_after"])
    due = dataset.delete_after
    Purge.objects.create(dataset_id=dataset.pk, requested_by=by, lease_until=due, progress={"stage": "waits"})
    emit(_fact(EventType.DELETED, dataset, delete_after=due.isoformat()))
    return dataset


def restore_dataset(principal: Principal, *, dataset_id: UUID) -> Dataset:
    """Undo the deletion; of a dataset that is not deleted, undo the archiving.

    Raises DatasetNotFound (also when it was purged), AccessDenied, NothingToRestore.
    """
    dataset = _hold(principal, dataset_id, action="dataset.restore", with_deleted=True)
    if dataset.deleted_at is not None:
        dataset.deleted_at = dataset.delete_after = None
        _waiting(dataset_id).update(status=JobStatus.CANCELLED, finished_at=timezone.now())
    elif dataset.archived_at is not None:
        dataset.archived_at = None
    else:
        raise NothingToRestore
    dataset.save(update_fields=["deleted_at", "delete_after", "archived_at"])
    flag_returns_in(dataset, cause="restore")
    emit(_fact(EventType.RESTORED, dataset, is_archived=dataset.archived_at is not None))
    return dataset


def purge_dataset(principal: Principal, *, dataset_id: UUID) -> Purge:
    """Destroy the dataset's keys now, in the open scope, and queue the removal of its rows and objects.

    Nothing of it can be read once the scope has committed, and its name is free. Raises DatasetNotFound, AccessDenied,
    DatasetHeld, DatasetKept.
    """
    return remove_for_good(_hold(principal, dataset_id, action="dataset.purge", with_deleted=True), by=principal.id)


def remove_for_good(dataset: Dataset, *, by: UUID) -> Purge:
    """Purge a dataset that the open scope holds locked, whoever decided on it. Raises DatasetHeld, DatasetKept."""
    versions = shred(dataset)
    purge = _waiting(dataset.pk).first() or Purge(dataset_id=dataset.pk, requested_by=by)
    purge.versions, purge.lease_until, purge.progress = versions, new_lease(), {"stage": "queued"}
    purge.save()
    enqueue(purge)
    return purge


def list_deleted(principal: Principal) -> list[Dataset]:
    """The deleted datasets that can be restored, those to be purged first first. Raises AccessDenied."""
    authorize(principal, "dataset.restore", ResourceRef("dataset"))
    rows = Dataset.objects.deleted_to(principal).prefetch_related("tags")
    return list(rows.order_by("delete_after", "pk")[:LISTED])


def get_purge(principal: Principal, purge_id: UUID) -> Purge:
    """A purge, for who may purge. Raises PurgeNotFound, AccessDenied."""
    authorize(principal, "dataset.purge", ResourceRef("purge", str(purge_id)))
    purge = Purge.objects.filter(pk=purge_id).first() if may(principal, "dataset.purge") else None
    if purge is None:
        raise PurgeNotFound
    return purge


def _hold(principal: Principal, dataset_id: UUID, *, action: str, with_deleted: bool = False) -> Dataset:
    """The dataset, decided on and locked: after its purge, in the order in which the worker locks."""
    dataset = get_dataset(principal, dataset_id, action=action, with_deleted=with_deleted)
    authorize(principal, action, resource_of(dataset))
    lock_dataset(dataset_id)
    return get_dataset(principal, dataset_id, action=action, with_deleted=with_deleted)


def lock_dataset(dataset_id: UUID) -> Dataset | None:
    """The dataset, locked until the open scope ends, after its purge: the order in which the worker locks."""
    list(_waiting(dataset_id).select_for_update().values_list("pk"))
    return Dataset.objects.select_for_update().filter(pk=dataset_id).first()


def _waiting(dataset_id: UUID) -> QuerySet[Purge]:
    return Purge.objects.filter(dataset_id=dataset_id).exclude(status__in=FINAL)


def _fact(kind: EventType, dataset: Dataset, **facts: Any) -> Event:
    return Event(type=kind, operation="update", resource=resource_of(dataset), metadata=facts)
