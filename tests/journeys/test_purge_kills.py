"""Purges whose worker is killed: the keys end once, and nothing of the dataset is left."""

from datetime import timedelta

import pytest
from django.utils import timezone

from access.models import EncryptionKey
from audit.models import AuditEvent
from datasets.models import Blob, Dataset, Purge
from datasets.services.lifecycle import delete_dataset
from datasets.services.removal import tables_of_a_dataset
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, read_all, rows_of, someone, upload
from tests.journeys.statements import dies_before
from tests.journeys.test_kills import worker
from tests.journeys.waiting import until
from vaultsite.celery import app
from vaultsite.kernel import jobs
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.jobs import reap

pytestmark = pytest.mark.slow
JOB = 'UPDATE "datasets_purge"'
DEATHS = {
    "the keys are destroyed": ([JOB, "'stage': 'rows'"], 1),
    "some rows are gone": ([JOB, '"attempt" ='], 4),
    "the dataset's row is gone": ([JOB, "'stage': 'objects'"], 1),
    "some objects are gone": (['DELETE FROM "datasets_blob"'], 1),
    "all is gone": ([JOB, "'stage': 'done'"], 1),
}


@pytest.fixture
def due(tenant, monkeypatch):
    """A deleted dataset whose time to undo is over, another one, and the names of what the store has of the first."""
    monkeypatch.setattr(jobs, "QUEUED_LEASE", timedelta(seconds=4))
    app.control.purge()
    other = make_dataset(tenant)
    upload(tenant, other, jsonl(rows_of(10)))
    dataset, steward = make_dataset(tenant), someone(tenant, "data_steward")
    for size in (30, 40):
        upload(tenant, dataset, jsonl(rows_of(size)))
    with acting(tenant, steward):
        delete_dataset(steward, dataset_id=dataset.pk)
    with acting(tenant):
        past = timezone.now() - timedelta(seconds=1)
        Dataset.objects.filter(pk=dataset.pk).update(delete_after=past)
        Purge.objects.filter(dataset_id=dataset.pk).update(lease_until=past)
        objects = set(Blob.objects.filter(dataset_id=dataset.pk).values_list("name", flat=True))
    assert set() < objects <= set(BlobStore.default().names())
    return dataset, other, objects


@pytest.mark.parametrize("death", DEATHS)
def test_a_purge_killed_anywhere_ends_with_nothing_left(tenant, due, tmp_path, death):
    (dataset, other, objects), (words, count) = due, DEATHS[death]

    def look():
        reap()
        with acting(tenant):
            row = Purge.objects.get(dataset_id=dataset.pk)
        return row if row.is_final else None

    with worker(tmp_path, environment=dies_before(tmp_path / "died", *words, count=count)):
        done = until(look, every=0.3)
    assert (tmp_path / "died").exists()
    assert (done.status, done.error, done.versions) == ("succeeded", None, 2)
    assert done.fence > 1
    with acting(tenant):
        for model, path in tables_of_a_dataset():
            assert not model.objects.filter(**{path: dataset.pk}).exists(), model
        assert not Dataset.objects.filter(pk=dataset.pk).exists()
        assert not Blob.objects.filter(dataset_id=dataset.pk).exists()
        keys = EncryptionKey.objects.filter(scope_id=dataset.pk)
        assert set(keys.values_list("state", "wrapped")) == {("destroyed", None)}
        assert AuditEvent.objects.filter(type="data.purged").count() == 1
    assert objects.isdisjoint(BlobStore.default().names())
    assert len(read_all(tenant, other)) == 10
