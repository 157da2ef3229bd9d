"""Whatever is killed while an ingest runs, it ends as if nothing had been: one version, the same root, no remains."""

import errno
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from django.conf import settings as site
from django.db import transaction
from redis import Redis

from datasets.models import Blob, Branch, Chunk, Ingest, Version
from datasets.services.write import run_ingest
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.datasets import jsonl, make_dataset, queue_upload, read_all, reload, rows_of, sorted_rows, upload
from tests.journeys.jobs import arrived, assert_no_orphan, do_again, finished, remember
from tests.journeys.waiting import until
from vaultsite.celery import app
from vaultsite.kernel import jobs
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.blobs.filesystem import AtomicFileSystemStorage
from vaultsite.runtime.binaries import launch_command
from vaultsite.runtime.environment import PROJECT
from vaultsite.runtime.home import Home
from vaultsite.runtime.postgres import admin_url

pytestmark = pytest.mark.slow
ROWS = rows_of(1_500)
#: What our workers' connections are called in the database.
OURS = "worker of a journey"


@contextmanager
def worker(tmp_path, dies_at="", by="SIGKILL", environment=None):
    """A worker process of our own and its child, gone at the end; ``dies_at`` is where the child dies by itself."""
    given = os.environ | {"PGAPPNAME": OURS} | (environment or {})
    if dies_at:
        options = site.STORAGES["vault"]["OPTIONS"] | {"dies_at": dies_at, "once": str(tmp_path / "died"), "by": by}
        given["VAULT_STORAGE_BACKEND"] = "tests.journeys.storage.DeadlyStorage"
        given["VAULT_STORAGE_OPTIONS"] = "\n".join(f'{name} = "{value}"' for name, value in options.items())
    with (tmp_path / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            launch_command(sys.executable, "-m", "tests.journeys.worker", death_signal="KILL"),
            cwd=PROJECT,
            env=given,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def job(tenant, monkeypatch):
    """A queued ingest, what it was given, and the names in the store before it."""
    monkeypatch.setattr(jobs, "QUEUED_LEASE", timedelta(seconds=4))
    app.control.purge()
    before = set(BlobStore.default().names())
    dataset = make_dataset(tenant)
    with acting(tenant):
        Branch.objects.create(dataset=dataset, name="main")
    ingest = queue_upload(tenant, dataset, jsonl(ROWS))
    return ingest, remember(tenant, ingest), before


def assert_undisturbed(tenant, job):
    """The end that every disturbed job must come to. No worker runs any more."""
    ingest, beginning, before = job
    done = reload(tenant, ingest)
    assert (done.status, done.error, done.seed) == ("succeeded", None, None)
    with acting(tenant):
        assert Version.objects.count() == 1
    assert sorted_rows(record.data for record in read_all(tenant, done.dataset)) == sorted_rows(ROWS)
    assert_no_orphan(tenant, before)
    again = do_again(tenant, ingest, beginning)
    assert bytes(again.root) == bytes(done.version.root)
    assert bytes(again.digest) == bytes(done.version.digest)


@pytest.mark.parametrize("dies_at", ["run:1", "run:3", "pack:1"])
def test_a_worker_killed_at_a_checkpoint_is_continued(tenant, job, tmp_path, dies_at):
    with worker(tmp_path, dies_at):
        until((tmp_path / "died").exists)
        finished(tenant, job[0])
    assert_undisturbed(tenant, job)


def ask_server(question, *values):
    """As the superuser of the embedded server: others see only sessions of their own."""
    with psycopg.connect(admin_url(Home(site.VAULT_HOME))) as connection:
        return connection.execute(question, values).fetchall()


def _waits_for_the_branch():
    waiting = "SELECT query FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock'"
    return any("datasets_branch" in query for (query,) in ask_server(waiting, OURS))


@contextmanager
def held_branch(ingest):
    """Nobody can commit a version of the dataset."""
    with transaction.atomic(using="owner"):
        assert Branch.objects.using("owner").select_for_update().get(dataset_id=ingest.dataset_id)
        yield


def test_a_worker_killed_while_it_commits_is_continued(tenant, job, tmp_path):
    with worker(tmp_path) as process, held_branch(job[0]):
        until(_waits_for_the_branch)
        os.killpg(process.pid, signal.SIGKILL)
    with acting(tenant):
        assert not Version.objects.exists()
    with worker(tmp_path):
        finished(tenant, job[0])
    assert_undisturbed(tenant, job)


def test_a_worker_that_slept_past_its_lease_writes_nothing(tenant, job, tmp_path):
    with worker(tmp_path, "run:1", by="SIGSTOP") as sleeper:
        until((tmp_path / "died").exists)
        fence = reload(tenant, job[0]).fence
        with worker(tmp_path):
            assert finished(tenant, job[0]).fence > fence
            os.killpg(sleeper.pid, signal.SIGCONT)
            until(lambda: "was taken over" in (tmp_path / "worker.log").read_text())
    assert_undisturbed(tenant, job)


def test_broken_connections_to_the_database_only_delay_it(tenant, job, tmp_path):
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
    with worker(tmp_path):
        for stage in ("scan", "build"):
            arrived(tenant, job[0], stage, "done")
            assert ask_server(cut, OURS)
        finished(tenant, job[0])
    assert_undisturbed(tenant, job)


def test_a_flushed_broker_loses_no_job(tenant, job, tmp_path):
    Redis.from_url(site.REDIS_URL).flushall()
    with worker(tmp_path):
        finished(tenant, job[0])
    assert_undisturbed(tenant, job)


def test_a_broker_that_brings_every_message_thrice_changes_nothing(tenant, job, tmp_path):
    for _ in range(3):
        app.send_task("datasets.run_ingest", args=[str(tenant.pk), str(job[0].pk)])
    with worker(tmp_path):
        finished(tenant, job[0])
    assert_undisturbed(tenant, job)


@pytest.fixture
def full_disk(settings):
    """From the moment it is called no object can be stored."""
    options = settings.STORAGES["vault"]["OPTIONS"]

    @contextmanager
    def fill():
        before = settings.STORAGES
        faulty = {"inner": AtomicFileSystemStorage(**options), "error": errno.ENOSPC, "only": frozenset({"save"})}
        settings.STORAGES = before | {"vault": {"BACKEND": "tests.faults.FaultyStorage", "OPTIONS": faulty}}
        yield
        settings.STORAGES = before

    return fill


def test_an_upload_onto_a_full_disk_is_refused_and_leaves_nothing(tenant, full_disk):
    before = set(BlobStore.default().names())
    dataset, client = make_dataset(tenant), caller(tenant, "data_steward")
    with full_disk():
        answer = send(client, "POST", f"/datasets/{dataset.pk}/data", jsonl(ROWS))
        assert (answer.status_code, answer.json()["code"]) == (507, "VAULT_SYS_9004")
    with acting(tenant):
        assert not Ingest.objects.exists()
        assert not Blob.objects.exists()
    assert set(BlobStore.default().names()) == before
    assert upload(tenant, dataset, jsonl(ROWS)).status == "succeeded"


def test_an_ingest_onto_a_full_disk_fails_and_leaves_nothing(tenant, full_disk):
    before = set(BlobStore.default().names())
    dataset = make_dataset(tenant)
    ingest = queue_upload(tenant, dataset, jsonl(ROWS))
    with full_disk():
        run_ingest(tenant.pk, ingest.pk)
    done = reload(tenant, ingest)
    assert (done.status, done.error["code"], done.error["status"]) == ("failed", "VAULT_SYS_9004", 507)
    with acting(tenant):
        for model in (Version, Chunk, Blob):
            assert not model.objects.exists(), model
    assert set(BlobStore.default().names()) == before
    assert upload(tenant, dataset, jsonl(ROWS)).status == "succeeded"
