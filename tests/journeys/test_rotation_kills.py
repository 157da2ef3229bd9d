"""T56: key rotations whose worker is killed: one new key, everything readable, nothing left under the old one."""

from datetime import timedelta

import pytest

from access.models import EncryptionKey, KeyPurpose, KeyState
from access.services.keyring import drop_tenant
from audit.models import AuditEvent
from datasets.models import Chunk, FindingsBlob, KeyRotation
from datasets.services.rotation.request import start_rotation
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, read_all, rows_of, someone, upload
from tests.journeys.statements import dies_before
from tests.journeys.test_kills import worker
from tests.journeys.waiting import until
from vaultsite.celery import app
from vaultsite.kernel import jobs
from vaultsite.kernel.jobs import reap

pytestmark = pytest.mark.slow


JOB = 'UPDATE "datasets_keyrotation"'
DEATHS = {
    "the successor is made": ([JOB, '"new_key" ='], 1),
    "the first keys are wrapped": ([JOB, "'stage': 'rewrap'"], 1),
    "more keys are wrapped": ([JOB, "'stage': 'rewrap'"], 2),
    "all is wrapped": ([JOB, "'stage': 'done'"], 1),
}


@pytest.fixture
def dataset(tenant, monkeypatch):
    monkeypatch.setattr(jobs, "QUEUED_LEASE", timedelta(seconds=4))
    app.control.purge()
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(500)))
    return dataset


def started(tenant, **wanted):
    boss = someone(tenant, "tenant_admin")
    with acting(tenant, boss):
        return start_rotation(boss, **wanted)


def finished(tenant, rotation):
    """The rotation once it is final, while overdue jobs are woken as beat does."""

    def look():
        reap()
        with acting(tenant):
            row = KeyRotation.objects.get(pk=rotation.pk)
        return row if row.is_final else None

    done = until(look, every=0.3)
    assert (done.status, done.error) == ("succeeded", None)
    return done


@pytest.mark.parametrize("dies_at", ["pack:1"])
def test_a_rotation_killed_while_it_seals_anew_goes_on_with_the_same_key(tenant, dataset, tmp_path, dies_at):
    before = read_all(tenant, dataset)
    rotation = started(tenant, purpose=KeyPurpose.DATASET, dataset_id=dataset.pk)
    with worker(tmp_path, dies_at):
        until((tmp_path / "died").exists)
        done = finished(tenant, rotation)
    assert done.attempt > 1
    with acting(tenant):
        keys = EncryptionKey.objects.filter(purpose=KeyPurpose.DATASET, scope_id=dataset.pk)
        assert [key.state for key in keys.order_by("version")] == [KeyState.DECRYPT_ONLY, KeyState.ACTIVE]
        for rows in (Chunk.objects, FindingsBlob.objects):
            assert set(rows.filter(dataset=dataset).values_list("key_id", flat=True)) == {done.new_key}
    assert read_all(tenant, dataset) == before


@pytest.mark.parametrize("death", DEATHS)
def test_a_kek_rotation_killed_anywhere_wraps_every_key_under_one_successor(tenant, dataset, tmp_path, death):
    words, count = DEATHS[death]
    before = read_all(tenant, dataset)
    with acting(tenant):
        wrapped = EncryptionKey.objects.filter(wrapped_by__isnull=False).count()
    assert wrapped > 4, "several batches"
    rotation = started(tenant, purpose=KeyPurpose.KEK, dataset_id=None)
    with worker(tmp_path, environment=dies_before(tmp_path / "died", *words, count=count)):
        done = finished(tenant, rotation)
    assert (tmp_path / "died").exists()
    assert (done.attempt > 1, done.moved_count) == (True, wrapped)
    with acting(tenant):
        old, new = EncryptionKey.objects.filter(purpose=KeyPurpose.KEK).order_by("version")
        assert (old.state, new.state, new.pk) == (KeyState.DECRYPT_ONLY, KeyState.ACTIVE, done.new_key)
        under = EncryptionKey.objects.filter(wrapped_by__isnull=False).values_list("wrapped_by_id", flat=True)
        assert set(under) == {new.pk}
        (event,) = AuditEvent.objects.filter(type="data.key.rotation")
        assert event.status == "success"
        EncryptionKey.objects.filter(pk=old.pk).update(state=KeyState.DESTROYED, wrapped=None)
    drop_tenant(tenant.pk)
    assert read_all(tenant, dataset) == before
