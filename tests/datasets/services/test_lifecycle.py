"""Rules of archive, deletion, restore, purge and quotas."""

import os
import signal
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from access.errors import AccessDenied
from access.models import EncryptionKey
from access.services.keyring import key_by_id
from datasets.errors import DatasetHeld, DatasetNameTaken, DatasetNotFound
from datasets.errors.lifecycle import DatasetArchived, NothingToRestore, PurgeNotFound
from datasets.models import Blob, Branch, Chunk, Dataset, Ingest, Purge, Version
from datasets.services import lifecycle, removal
from datasets.services import purge as purging
from datasets.services.branches import create_branch, protect_branch
from datasets.services.datasets import DatasetFacts, update_dataset
from datasets.services.purge import Removal, run_purge
from datasets.services.read import open_release, read_records
from datasets.services.rollback import roll_back
from datasets.services.tags import create_tag
from datasets.services.write import run_ingest
from tests.factories.access import acting, age
from tests.factories.datasets import (
    jsonl,
    make_dataset,
    purge,
    queue_upload,
    read_all,
    reload,
    rows_of,
    someone,
    upload,
)
from tests.forks import ending_of, fork
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.errors import KeyDestroyed
from vaultsite.kernel.jobs import MAX_ATTEMPTS, reap


@pytest.fixture
def dataset(tenant):
    dataset = make_dataset(tenant, name="kept", tags=("a",))
    upload(tenant, dataset, jsonl(rows_of(20)))
    return dataset


def do(tenant, service, dataset, role="data_steward", **facts):
    principal = someone(tenant, role)
    with acting(tenant, principal):
        return service(principal, dataset_id=dataset.pk, **facts)


def row(tenant, model, pk):
    with acting(tenant):
        return model.objects.get(pk=pk)


def purge_of(tenant, dataset):
    with acting(tenant):
        return Purge.objects.get(dataset_id=dataset.pk)


def end_undo_time(tenant, dataset):
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(delete_after=timezone.now() - timedelta(seconds=1))
        Purge.objects.filter(dataset_id=dataset.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_an_archived_dataset_is_read_and_not_written(tenant, dataset):
    do(tenant, lifecycle.archive_dataset, dataset)
    assert len(read_all(tenant, dataset)) == 20
    with pytest.raises(DatasetArchived):
        queue_upload(tenant, dataset, jsonl(rows_of(1)))
    for service, facts in (
        (update_dataset, {"facts": DatasetFacts(description="new")}),
        (create_branch, {"name": "side"}),
        (protect_branch, {"name": "main", "is_protected": True}),
        (create_tag, {"name": "paper", "version": "main"}),
        (roll_back, {"branch_name": "main", "version": "v1.0.0"}),
    ):
        with pytest.raises(DatasetArchived):
            do(tenant, service, dataset, **facts)
    do(tenant, lifecycle.restore_dataset, dataset)
    assert upload(tenant, dataset, jsonl(rows_of(1))).status == "succeeded"


def test_an_upload_whose_dataset_is_archived_meanwhile_fails(tenant, dataset):
    ingest = queue_upload(tenant, dataset, jsonl(rows_of(3)))
    do(tenant, lifecycle.archive_dataset, dataset)
    run_ingest(tenant.pk, ingest.pk)
    assert (reload(tenant, ingest).status, reload(tenant, ingest).error_code) == ("failed", DatasetArchived.code)


def test_a_deleted_dataset_exists_for_who_may_restore_it_alone(tenant, dataset):
    deleted = do(tenant, lifecycle.delete_dataset, dataset)
    assert deleted.delete_after - deleted.deleted_at == timedelta(days=7)
    with acting(tenant):
        assert not Dataset.objects.visible_to(someone(tenant, "data_steward")).exists()
        assert not Dataset.objects.deleted_to(someone(tenant, "ml_engineer")).exists()
        assert list(Dataset.objects.deleted_to(someone(tenant, "data_steward"))) == [dataset]
    with pytest.raises(DatasetNotFound):
        read_all(tenant, dataset)
    for service in (lifecycle.restore_dataset, lifecycle.purge_dataset):
        with pytest.raises(DatasetNotFound):
            do(tenant, service, dataset, role="ml_engineer")
    with pytest.raises(DatasetNotFound):
        do(tenant, lifecycle.delete_dataset, dataset)
    engineer = someone(tenant, "ml_engineer")
    with acting(tenant, engineer), pytest.raises(AccessDenied):
        lifecycle.list_deleted(engineer)


def test_a_restored_dataset_is_as_it_was(tenant, dataset):
    before = read_all(tenant, dataset)
    do(tenant, lifecycle.archive_dataset, dataset)
    do(tenant, lifecycle.delete_dataset, dataset)
    do(tenant, lifecycle.restore_dataset, dataset)
    assert read_all(tenant, dataset) == before
    assert purge_of(tenant, dataset).status == "cancelled"
    assert row(tenant, Dataset, dataset.pk).archived_at is not None
    do(tenant, lifecycle.restore_dataset, dataset)
    assert row(tenant, Dataset, dataset.pk).archived_at is None
    with pytest.raises(NothingToRestore):
        do(tenant, lifecycle.restore_dataset, dataset)
    run_purge(tenant.pk, purge_of(tenant, dataset).pk)
    assert read_all(tenant, dataset) == before


def test_a_name_stays_taken_until_the_purge(tenant, dataset):
    do(tenant, lifecycle.delete_dataset, dataset)
    with pytest.raises(DatasetNameTaken):
        make_dataset(tenant, name="kept")
    do(tenant, lifecycle.purge_dataset, dataset)
    assert make_dataset(tenant, name="kept").pk != dataset.pk


def test_an_upload_whose_dataset_is_deleted_meanwhile_fails(tenant, dataset):
    ingest = queue_upload(tenant, dataset, jsonl(rows_of(3)))
    do(tenant, lifecycle.delete_dataset, dataset)
    run_ingest(tenant.pk, ingest.pk)
    assert (reload(tenant, ingest).status, reload(tenant, ingest).error_code) == ("failed", DatasetNotFound.code)


def test_a_change_at_the_same_time_cannot_bring_a_deleted_dataset_back(tenant, dataset):
    stale = row(tenant, Dataset, dataset.pk)
    do(tenant, lifecycle.delete_dataset, dataset)
    with pytest.raises(DatasetNotFound):
        do(tenant, update_dataset, stale, facts=DatasetFacts(description="late"))
    assert row(tenant, Dataset, dataset.pk).deleted_at is not None


@pytest.mark.parametrize("service", ["delete_dataset", "purge_dataset"])
def test_a_held_dataset_can_be_neither_deleted_nor_purged(tenant, dataset, service):
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(legal_hold=True)
    with pytest.raises(DatasetHeld):
        do(tenant, getattr(lifecycle, service), dataset)
    assert len(read_all(tenant, dataset)) == 20


def test_a_hold_placed_while_a_deletion_can_be_undone_stops_the_purge(tenant, dataset):
    do(tenant, lifecycle.delete_dataset, dataset)
    end_undo_time(tenant, dataset)
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(legal_hold=True)
    job = purge_of(tenant, dataset)
    run_purge(tenant.pk, job.pk)
    waiting = purge_of(tenant, dataset)
    assert (waiting.status, waiting.attempt) == ("queued", 0)
    assert waiting.lease_until > timezone.now() + timedelta(minutes=50)
    do(tenant, lifecycle.restore_dataset, dataset)
    assert len(read_all(tenant, dataset)) == 20


def test_a_purge_before_its_time_waits(tenant, dataset):
    do(tenant, lifecycle.delete_dataset, dataset)
    run_purge(tenant.pk, purge_of(tenant, dataset).pk)
    waiting, held = purge_of(tenant, dataset), row(tenant, Dataset, dataset.pk)
    assert (waiting.status, waiting.lease_until, held.purged_at) == ("queued", held.delete_after, None)


def test_when_the_time_to_undo_is_over_the_reaper_wakes_the_purge(tenant, dataset):
    do(tenant, lifecycle.delete_dataset, dataset)
    job = purge_of(tenant, dataset)
    assert job.pk not in {overdue.pk for overdue in reap()}
    end_undo_time(tenant, dataset)
    assert job.pk in {overdue.pk for overdue in reap()}
    run_purge(tenant.pk, job.pk)
    assert (purge_of(tenant, dataset).status, purge_of(tenant, dataset).versions) == ("succeeded", 1)
    with acting(tenant):
        assert not Dataset.objects.filter(pk=dataset.pk).exists()


def test_a_purge_takes_the_keys_in_the_request_that_asks_for_it(tenant, dataset):
    steward = someone(tenant, "data_steward")
    with acting(tenant, steward):
        release = open_release(steward, dataset_id=dataset.pk, version="main")
    do(tenant, lifecycle.purge_dataset, dataset)
    with acting(tenant):
        keys = EncryptionKey.objects.filter(scope_id=dataset.pk)
        assert set(keys.values_list("state", "wrapped")) == {("destroyed", None)}
        assert Chunk.objects.filter(dataset=dataset).exists()
        with pytest.raises(KeyDestroyed):
            purging_keys(dataset)
    with pytest.raises(DatasetNotFound):
        read_all(tenant, dataset)
    assert release.dataset.pk == dataset.pk
    run_purge(tenant.pk, purge_of(tenant, dataset).pk)
    with pytest.raises(Exception, match="missing"):
        list(read_records(release))


def purging_keys(dataset):
    for key in EncryptionKey.objects.filter(scope_id=dataset.pk):
        key_by_id(key.pk)


def full_dataset(tenant):
    dataset = make_dataset(tenant)
    for size in (30, 40, 50):
        upload(tenant, dataset, jsonl(rows_of(size)))
    upload(tenant, dataset, b"{broken\n" + jsonl(rows_of(51)), on_error="reject")
    do(tenant, create_branch, dataset, name="side", source="v1.0.0")
    do(tenant, create_tag, dataset, name="paper", version="v1.1.0")
    do(tenant, roll_back, dataset, branch_name="main", version="v1.0.0")
    return dataset


def assert_nothing_left(tenant, dataset, before):
    with acting(tenant):
        for model, path in removal.tables_of_a_dataset():
            assert not model.objects.filter(**{path: dataset.pk}).exists(), model
        assert not Dataset.objects.filter(pk=dataset.pk).exists()
        assert not Blob.objects.filter(dataset_id=dataset.pk).exists()
    assert set(BlobStore.default().names()) == before


def test_a_purge_in_batches_leaves_nothing_of_the_dataset_and_all_of_others(tenant, monkeypatch):
    monkeypatch.setattr(removal, "BATCH", 2)
    monkeypatch.setattr(purging, "_OBJECTS", 2)
    other = make_dataset(tenant)
    upload(tenant, other, jsonl(rows_of(10)))
    before = set(BlobStore.default().names())
    dataset = full_dataset(tenant)
    purge(tenant, dataset)
    assert_nothing_left(tenant, dataset, before)
    assert len(read_all(tenant, other)) == 10


class Killed(BaseException):
    """As SIGKILL: nothing of ours may catch it."""


def dying_after(count, steps):
    """The steps of a removal, with the end of the worker after so many of them."""

    def mortal(self):
        for number, step in enumerate(steps(self), start=1):
            yield step
            if number == count:
                raise Killed

    return mortal


def test_a_purge_whose_worker_dies_after_every_single_step_is_continued_to_its_end(tenant, monkeypatch):
    monkeypatch.setattr(removal, "BATCH", 5)
    monkeypatch.setattr(purging, "_OBJECTS", 2)
    before = set(BlobStore.default().names())
    dataset = full_dataset(tenant)
    do(tenant, lifecycle.delete_dataset, dataset)
    end_undo_time(tenant, dataset)
    job, steps, deaths = purge_of(tenant, dataset), Removal.steps, 0
    while purge_of(tenant, dataset).status != "succeeded":
        age(job, lease_until=timedelta(minutes=5))
        with monkeypatch.context() as patch:
            patch.setattr(Removal, "steps", dying_after(1 + deaths % 3, steps))
            try:
                run_purge(tenant.pk, job.pk)
            except Killed:
                deaths += 1
    assert deaths > 10
    assert_nothing_left(tenant, dataset, before)


def test_a_worker_killed_for_good_in_the_middle_of_a_purge_is_succeeded(tenant, monkeypatch):
    before = set(BlobStore.default().names())
    dataset = full_dataset(tenant)
    begun = do(tenant, lifecycle.purge_dataset, dataset)
    steps = Removal.steps

    def shot(self):
        for number, step in enumerate(steps(self)):
            if number == 3:
                os.kill(os.getpid(), signal.SIGKILL)
            yield step

    monkeypatch.setattr(Removal, "steps", shot)
    connections.close_all()  # a child may not share them
    assert ending_of(fork(lambda: run_purge(tenant.pk, begun.pk))) == -signal.SIGKILL
    monkeypatch.undo()
    age(begun, lease_until=timedelta(minutes=5))
    run_purge(tenant.pk, begun.pk)
    assert purge_of(tenant, dataset).status == "succeeded"
    assert_nothing_left(tenant, dataset, before)


def test_a_purge_gives_its_turn_back(tenant, monkeypatch, dataset):
    monkeypatch.setattr(purging, "TURN_SECONDS", -1.0)
    begun = do(tenant, lifecycle.purge_dataset, dataset)
    run_purge(tenant.pk, begun.pk)
    assert purge_of(tenant, dataset).status == "queued"
    monkeypatch.undo()
    run_purge(tenant.pk, begun.pk)
    assert purge_of(tenant, dataset).status == "succeeded"


def test_a_purge_is_tried_again_for_as_long_as_the_store_is_away(tenant, monkeypatch, dataset):
    def away(*_):
        raise OSError

    begun = do(tenant, lifecycle.purge_dataset, dataset)
    with monkeypatch.context() as patch:
        patch.setattr(purging.BlobStore, "delete", away)
        for _ in range(2 * MAX_ATTEMPTS):
            with suppress(OSError):
                run_purge(tenant.pk, begun.pk)
            assert purge_of(tenant, dataset).status == "queued"
    run_purge(tenant.pk, begun.pk)
    assert purge_of(tenant, dataset).status == "succeeded"


def test_an_upload_at_work_while_its_dataset_is_purged_leaves_nothing(tenant, dataset):
    ingest = queue_upload(tenant, dataset, jsonl(rows_of(10)))
    purge(tenant, dataset)
    run_ingest(tenant.pk, ingest.pk)
    with acting(tenant):
        for model in (Ingest, Version, Chunk, Branch, Blob):
            assert not model.objects.exists(), model


def test_a_purge_of_another_tenant_is_not_there(tenant, rival, dataset):
    begun = do(tenant, lifecycle.purge_dataset, dataset)
    stranger = someone(rival, "data_steward")
    with acting(rival, stranger), pytest.raises(PurgeNotFound):
        lifecycle.get_purge(stranger, begun.pk)
    with acting(rival), pytest.raises(DatasetNotFound):
        lifecycle.restore_dataset(stranger, dataset_id=dataset.pk)
