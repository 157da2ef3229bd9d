"""Remove a dataset for good: its keys at once, its rows and objects by a job that any worker can continue.

Every step looks for what is left and removes a batch of it: a worker killed anywhere leaves nothing to remember.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from django.db.models import Model
from django.utils import timezone

from access.services.clock import database_now
from access.services.keyring import destroy_keys
from anonymization.services.feedback import forget_feedback
from datasets.models import Blob, BlobState, Dataset, Purge, Version
from datasets.selectors import resource_of
from datasets.services.keeping import is_kept, is_time_trusted
from datasets.services.preconditions import before
from datasets.services.removal import remove_batch, tables_of_a_dataset
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.blobs.removal import removing_objects
from vaultsite.kernel.errors import BlobMissing, VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType
from vaultsite.kernel.jobs import FINAL, Claim, JobStatus, LongRunning
from vaultsite.kernel.regions import require_served
from vaultsite.kernel.turn import take_turn

#: How long a purge waits before it asks again whether the hold was lifted.
HELD_WAIT: Final = timedelta(hours=1)
#: A worker gives its turn back after this long, so that other jobs come to theirs.
TURN_SECONDS: Final = 480.0
#: Objects removed between two looks at the database.
_OBJECTS: Final = 100


def shred(dataset: Dataset) -> int:
    """Destroy the keys of a dataset that the open scope holds locked, and free its name. Returns its versions.

    Raises DatasetHeld, DatasetKept. Once the scope has committed no copy of any of its objects can be read.
    """
    before("delete", dataset)
    resource = resource_of(dataset)
    versions = Version.objects.filter(dataset=dataset).count()
    dataset.purged_at = timezone.now()
    dataset.deleted_at = dataset.deleted_at or dataset.purged_at
    dataset.name, dataset.description = f"purged {uuid4()}", ""
    dataset.save(update_fields=["purged_at", "deleted_at", "name", "description"])
    destroy_keys(dataset.pk)
    emit(Event(type=EventType.PURGED, operation="delete", resource=resource, metadata={"versions": versions}))
    return versions


def run_purge(tenant_id: UUID, purge_id: UUID) -> None:
    """Continue a purge until nothing is left, or until it is due."""

    def work(purge: Purge, held: Claim) -> None:
        Removal(purge, held).run()

    take_turn(Purge, tenant_id, purge_id, work, fail=_begin_anew, ends=lambda _: False)


def _begin_anew(_purge: Purge, held: Claim, _error: VaultError) -> None:
    """A purge is never given up."""
    held.wait()


class Removal:
    """One worker's hold on one purge."""

    def __init__(self, purge: Purge, held: Claim) -> None:
        self._purge = purge
        self._dataset_id = purge.dataset_id
        self._claim = held

    def run(self) -> None:
        if not self._may_begin():
            return
        deadline = time.monotonic() + TURN_SECONDS
        for may_go_on in self.steps():
            if not may_go_on:
                self._claim.wait()
                return
            if time.monotonic() > deadline:
                self._claim.give_turn_back(self._purge)
                return
        self._claim.finish(progress={"stage": "done"})

    def steps(self) -> Iterator[bool]:
        """Everything that is left to do, in pieces of a moment each; after any of them the work can stop.

        False: it must, because a backup copies the objects that are left.
        """
        self._cancel_jobs()
        yield True
        for model, path in tables_of_a_dataset():
            while self._remove_rows(model, path):
                yield True
        self._remove_dataset()
        yield True
        while (removed := self._remove_objects()) != 0:
            yield removed is not None

    def _may_begin(self) -> bool:
        """Whether the keys are gone; destroys them when the purge is due and nothing is in its way."""
        with self._claim.scope():
            dataset = Dataset.objects.select_for_update().filter(pk=self._dataset_id).first()
            if dataset is None or dataset.purged_at is not None:
                return True
            waits_until = _obstacle(dataset)
            if waits_until is not None:
                self._claim.save(status=JobStatus.QUEUED, lease_until=waits_until, attempt=0)
                return False
            versions = shred(dataset)
            self._claim.save(versions=versions, progress={"stage": "rows"})
        return True

    def _cancel_jobs(self) -> None:
        """Whoever still works on the dataset is fenced."""
        with self._claim.scope():
            for model, path in tables_of_a_dataset():
                if issubclass(model, LongRunning):
                    running = model._default_manager.filter(**{path: self._dataset_id}).exclude(status__in=FINAL)  # noqa: SLF001
                    running.update(status=JobStatus.CANCELLED, finished_at=timezone.now())

    def _remove_rows(self, model: type[Model], path: str) -> int:
        with self._claim.scope():
            removed = remove_batch(model, path, self._dataset_id)
            self._claim.save(attempt=0)  # honest progress
        return removed

    def _remove_dataset(self) -> None:
        """Under its lock nothing new can point at it: what came in between goes with it."""
        with self._claim.scope():
            dataset = Dataset.objects.select_for_update().filter(pk=self._dataset_id).first()
            if dataset is None:
                return
            for model, path in tables_of_a_dataset():
                while remove_batch(model, path, self._dataset_id):
                    continue
            destroy_keys(self._dataset_id)  # one more time: what was at work until its row went may have made new ones
            forget_feedback(self._dataset_id)
            dataset.delete()
            self._claim.save(progress={"stage": "objects"})

    def _remove_objects(self) -> int | None:
        """How many went; None when none may go now."""
        blobs = Blob.objects.filter(dataset_id=self._dataset_id)
        with self._claim.scope():
            blobs.exclude(state=BlobState.DEAD).update(state=BlobState.DEAD)
            dead = list(blobs.values_list("pk", "store", "name")[:_OBJECTS])
        require_served(alias for _, alias, _ in dead)
        with removing_objects() as may_go:
            if not may_go:
                return None
            for _, alias, name in dead:
                with suppress(BlobMissing):
                    BlobStore.at(alias).delete(name)
        with self._claim.scope():
            blobs.filter(pk__in=[pk for pk, _, _ in dead]).delete()
            self._claim.save(attempt=0)
        return len(dead)


def _obstacle(dataset: Dataset) -> datetime | None:
    """Until when the purge of this dataset must wait, by the database's clock; None: it is due."""
    now = database_now()
    if dataset.deleted_at is None or dataset.delete_after is None or dataset.delete_after > now:
        return dataset.delete_after or now + HELD_WAIT
    is_in_the_way = dataset.legal_hold or is_kept(dataset) or not is_time_trusted()
    return now + HELD_WAIT if is_in_the_way else None
