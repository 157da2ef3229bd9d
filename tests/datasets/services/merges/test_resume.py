"""A merge that breaks off right after any of its objects was stored ends as if nothing had been."""

import pytest

from datasets.models import Blob, Merge, Version
from datasets.services import pack_store
from datasets.services.ingest import scan
from datasets.services.merges import plan
from datasets.services.merges.work import run_merge
from datasets.services.sweep import sweep_blobs
from tests.factories.access import acting
from tests.factories.merges import forget_merge, parted, queue_merge, reload_merge
from vaultsite.kernel.blobs import BlobStore

ROWS = [{"id": f"r{n:02d}", "a": 0, "b": 0, "text": "x" * 50} for n in range(12)]


class Killed(BaseException):
    pass


def test_a_merge_that_breaks_off_at_any_checkpoint_ends_in_the_same_version(tenant, monkeypatch):
    monkeypatch.setattr(plan, "_BATCH", 4)
    monkeypatch.setattr(scan, "RUN_BYTES", 1)
    monkeypatch.setattr(pack_store, "PACK_BYTES", 1)
    dataset = parted(tenant, ROWS, [row | {"a": 1} for row in ROWS], [row | {"b": 1} for row in ROWS])
    merge = queue_merge(tenant, dataset)
    seed = bytes(reload_merge(tenant, merge).seed)
    real, written, dies_at = BlobStore.put, [], [0]

    def put(store, name, body):
        real(store, name, body)
        written.append(name.partition("/")[0])
        if len(written) == dies_at[0]:
            raise Killed

    monkeypatch.setattr(BlobStore, "put", put)
    run_merge(tenant.pk, merge.pk)
    undisturbed = reload_merge(tenant, merge)
    assert undisturbed.state == "merged"
    points = list(written)
    assert points.count("run") == 3
    assert "pack" in points
    for point in range(1, len(points) + 1):
        forget_merge(tenant, reload_merge(tenant, merge), seed)
        written.clear()
        dies_at[0] = point
        with pytest.raises(Killed):
            run_merge(tenant.pk, merge.pk)
        with acting(tenant):
            Merge.objects.filter(pk=merge.pk, status="running").update(lease_until="2020-01-01T00:00:00Z")
        dies_at[0] = 0
        run_merge(tenant.pk, merge.pk)
        done = reload_merge(tenant, merge)
        assert (done.state, done.attempt) == ("merged", 2), points[point - 1]
        assert bytes(done.version.digest) == bytes(undisturbed.version.digest), points[point - 1]
        sweep_blobs()
        with acting(tenant):
            assert not Blob.objects.exclude(job=None).exists()
            assert Version.objects.filter(dataset=dataset, kind="merge").count() == 1
