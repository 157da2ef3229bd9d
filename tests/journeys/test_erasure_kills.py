"""Erasures and garbage collections whose worker is killed: they end as if it had not been."""

import os
import signal
from datetime import timedelta

import pytest
from django.db import transaction

from datasets.models import Blob, BlobState, Chunk, Dataset, Version
from datasets.services.upkeep.jobs import start_collection
from tests.factories.access import acting, principal_with
from tests.factories.datasets import jsonl, make_dataset, read_all, upload
from tests.factories.upkeep import again, drop_head, queue_erasure, readable_bytes, receipt_of, scrub
from tests.journeys.test_kills import OURS, ask_server, worker
from tests.journeys.waiting import until
from vaultsite.celery import app
from vaultsite.kernel import jobs
from vaultsite.kernel.jobs import reap
from vaultsite.kernel.tenancy.scope import tenant_scope

pytestmark = pytest.mark.slow
CANARY = "zanzibar-9f31c"
FILLER = "all work and no play " * 40
COUNT = 400
#: One in ten, and the last: so that every chunk holds one, the short one at the end too.
WANTED = [f"r{index:05}" for index in (*range(0, COUNT, 10), COUNT - 1)]


def rows(note=""):
    texts = (f"Row {index} {CANARY}-{index:05}. {note} {FILLER}" for index in range(COUNT))
    return [{"id": f"r{index:05}", "text": text} for index, text in enumerate(texts)]


@pytest.fixture
def dataset(tenant, monkeypatch):
    monkeypatch.setattr(jobs, "QUEUED_LEASE", timedelta(seconds=4))
    monkeypatch.setenv("VAULT_GC_GRACE_HOURS", "0")
    app.control.purge()
    made = make_dataset(tenant)
    for note in ("First.", "Second."):
        assert upload(tenant, made, jsonl(rows(note))).status == "succeeded"
    return made


def finished(tenant, job):
    """The job once it is final, while overdue ones are woken as beat does."""

    def look():
        reap()
        found = again(tenant, job)
        return found if found.is_final else None

    return until(look, every=0.3)


def waits_for(table):
    waiting = "SELECT query FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock'"
    return any(table in query for (query,) in ask_server(waiting, OURS))


def assert_erased(tenant, dataset, erasure):
    assert (erasure.status, erasure.error, erasure.record_count) == ("succeeded", None, len(WANTED))
    receipt = receipt_of(tenant, erasure)
    assert [record["id"] for record in receipt["records"]] == WANTED
    assert {len(record["leaves"]) for record in receipt["records"]} == {2}
    with acting(tenant):
        chunks = Chunk.objects.filter(dataset=dataset, kind="chunk").count()
    assert (receipt["chunks_rewritten"], receipt["versions_affected"]) == (chunks, 2)
    readable = readable_bytes(tenant, dataset)
    assert not [name for name in WANTED if f"{CANARY}-{name[1:]}".encode() in readable]
    for version in ("v1.0.0", "v1.1.0"):
        assert len(read_all(tenant, dataset, version=version)) == COUNT - len(WANTED)
    assert scrub(tenant, dataset).damaged_count == 0


@pytest.mark.parametrize("dies_at", ["pack:1", "pack:2"])
def test_an_erasure_killed_at_a_checkpoint_ends_with_the_same_receipt(tenant, dataset, tmp_path, dies_at):
    erasure = queue_erasure(tenant, dataset, WANTED)
    with worker(tmp_path, dies_at):
        until((tmp_path / "died").exists)
        done = finished(tenant, erasure)
    assert done.attempt > 1
    assert_erased(tenant, dataset, done)


def test_an_erasure_killed_while_it_settles_ends_with_the_same_receipt(tenant, dataset, tmp_path):
    erasure = queue_erasure(tenant, dataset, WANTED)
    with worker(tmp_path) as process, transaction.atomic(using="owner"):
        assert Dataset.objects.using("owner").select_for_update(no_key=True).get(pk=dataset.pk)
        until(lambda: waits_for("datasets_dataset"))
        os.killpg(process.pid, signal.SIGKILL)
    assert not again(tenant, erasure).is_final
    with worker(tmp_path):
        done = finished(tenant, erasure)
    assert_erased(tenant, dataset, done)


@pytest.mark.parametrize("dies_at", ["pack:1", "sweep"])
def test_a_killed_garbage_collection_is_continued_and_loses_nothing(tenant, dataset, tmp_path, dies_at):
    with acting(tenant):
        root = bytes(Version.objects.get(dataset=dataset, sequence=1).root)
        Blob.objects.filter(dataset_id=dataset.pk).update(size=10_000_000)  # so that every pack counts as sparse
    drop_head(tenant, dataset)
    admin = principal_with(tenant, "tenant_admin")
    with tenant_scope(tenant.pk, admin):
        collection = start_collection(admin, dataset_id=dataset.pk)
    if dies_at == "sweep":
        with worker(tmp_path) as process, transaction.atomic(using="owner"):
            packs = Blob.objects.using("owner").select_for_update().filter(dataset_id=dataset.pk)
            assert list(packs)
            until(lambda: waits_for("datasets_blob"))
            os.killpg(process.pid, signal.SIGKILL)
        with worker(tmp_path):
            done = finished(tenant, collection)
    else:
        with worker(tmp_path, dies_at):
            until((tmp_path / "died").exists)
            done = finished(tenant, collection)
    assert (done.status, done.error) == ("succeeded", None)
    assert len(read_all(tenant, dataset)) == COUNT
    assert scrub(tenant, dataset).damaged_count == 0
    with acting(tenant):
        used = set(Chunk.objects.filter(dataset=dataset).values_list("blob_id", flat=True))
        packs = Blob.objects.filter(dataset_id=dataset.pk, kind="pack", state=BlobState.SEALED)
        assert used <= set(packs.values_list("pk", flat=True))
        assert bytes(Version.objects.get(dataset=dataset).root) == root
