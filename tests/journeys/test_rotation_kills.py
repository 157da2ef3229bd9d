"""Key rotations whose worker is killed: one new key, everything readable, nothing left under the old one."""

from datetime import timedelta

import pytest

from access.models import EncryptionKey, KeyPurpose, KeyState
from datasets.models import Chunk, FindingsBlob, KeyRotation
from datasets.services.rotation.request import start_rotation
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, read_all, rows_of, someone, upload
from tests.journeys.test_kills import worker
from tests.journeys.waiting import until
from vaultsite.celery import app
from vaultsite.kernel import jobs
from vaultsite.kernel.jobs import reap

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("dies_at", ["pack:1"])
def test_a_rotation_killed_while_it_seals_anew_goes_on_with_the_same_key(tenant, tmp_path, monkeypatch, dies_at):
    monkeypatch.setattr(jobs, "QUEUED_LEASE", timedelta(seconds=4))
    app.control.purge()
    dataset, boss = make_dataset(tenant), someone(tenant, "tenant_admin")
    upload(tenant, dataset, jsonl(rows_of(500)))
    before = read_all(tenant, dataset)
    with acting(tenant, boss):
        rotation = start_rotation(boss, purpose=KeyPurpose.DATASET, dataset_id=dataset.pk)

    def final():
        reap()
        with acting(tenant):
            row = KeyRotation.objects.get(pk=rotation.pk)
        return row if row.is_final else None

    with worker(tmp_path, dies_at):
        until((tmp_path / "died").exists)
        done = until(final, every=0.3)
    assert (done.status, done.error) == ("succeeded", None)
    assert done.attempt > 1
    with acting(tenant):
        keys = EncryptionKey.objects.filter(purpose=KeyPurpose.DATASET, scope_id=dataset.pk)
        assert [key.state for key in keys.order_by("version")] == [KeyState.DECRYPT_ONLY, KeyState.ACTIVE]
        for rows in (Chunk.objects, FindingsBlob.objects):
            assert set(rows.filter(dataset=dataset).values_list("key_id", flat=True)) == {done.new_key}
    assert read_all(tenant, dataset) == before
