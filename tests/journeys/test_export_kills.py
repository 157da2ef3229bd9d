"""Whatever is killed while an export runs, it ends in the same bytes as if nothing had been."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.conf import settings as site

from datasets.models import Blob, BlobState, Export
from datasets.services.exports import work
from datasets.services.exports.run import run_export
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, rows_of, upload
from tests.factories.exports import contents, queue_export, reload_export
from tests.journeys.waiting import until
from vaultsite.celery import app
from vaultsite.kernel import jobs
from vaultsite.kernel.jobs import FINAL, JobStatus, reap
from vaultsite.runtime.binaries import launch_command
from vaultsite.runtime.environment import PROJECT

pytestmark = pytest.mark.slow
#: Bytes of rows in one part: a short dataset has many.
PART_BYTES = 4_000
ROWS = rows_of(600)
#: A worker as production starts it, with small parts and leases.
WORKER = f"""
import sys
from datetime import timedelta
import django
django.setup()
from datasets.services.exports import work
from vaultsite.celery import app
from vaultsite.kernel import jobs
work.PART_BYTES = work.SHARD_BYTES = {PART_BYTES}
jobs.RUNNING_LEASE, jobs.RETRY_DELAY = timedelta(seconds=4), timedelta(seconds=1)
sys.exit(app.worker_main(["--quiet", "worker", "--concurrency", "1", "--without-gossip", "--without-mingle"]))
"""
KINDS = [
    {"format": "jsonl", "envelope": True, "role": "data_scientist", "split": {"shares": ("0.6", "0.2", "0.2")}},
    {"format": "csv", "compression": "gzip", "role": "data_steward"},
    {"format": "parquet", "role": "data_scientist"},
]


@contextmanager
def worker(tmp_path, dies_at="", by="SIGKILL"):
    """A worker process of our own and its child, gone at the end; ``dies_at`` is where the child dies by itself."""
    given = dict(os.environ)
    if dies_at:
        options = site.STORAGES["vault"]["OPTIONS"] | {"dies_at": dies_at, "once": str(tmp_path / "died"), "by": by}
        given["VAULT_STORAGE_BACKEND"] = "tests.journeys.storage.DeadlyStorage"
        given["VAULT_STORAGE_OPTIONS"] = "\n".join(f'{name} = "{value}"' for name, value in options.items())
    with (tmp_path / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            launch_command(sys.executable, "-c", WORKER, death_signal="KILL"),
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
def dataset(tenant, monkeypatch):
    monkeypatch.setattr(jobs, "QUEUED_LEASE", timedelta(seconds=4))
    monkeypatch.setattr(work, "PART_BYTES", PART_BYTES)
    monkeypatch.setattr(work, "SHARD_BYTES", PART_BYTES)
    made = make_dataset(tenant)
    upload(tenant, made, jsonl(ROWS))
    app.control.purge()
    return made


def finished(tenant, queued):
    def look():
        reap()
        found = reload_export(tenant, queued)
        return found if found.status in FINAL else None

    return until(look, every=0.3)


def done_undisturbed(tenant, done, seed):
    """The same export once more from its beginning, in this process."""
    with acting(tenant):
        Blob.objects.filter(job=done.pk).update(state=BlobState.DEAD)
        Export.objects.filter(pk=done.pk).update(
            status=JobStatus.QUEUED, attempt=0, checkpoint={}, seed=seed, files=[], survey=None, finished_at=None
        )
    run_export(tenant.pk, done.pk)
    return reload_export(tenant, done)


def assert_undisturbed(tenant, queued, seed):
    done = reload_export(tenant, queued)
    assert (done.status, done.error, done.seed) == ("succeeded", None, None)
    assert done.record_count == len(ROWS)
    named = {blob for file in done.files for blob, _ in file["parts"]}
    with acting(tenant):
        alive = Blob.objects.filter(job=done.pk).exclude(state=BlobState.DEAD)
        assert {str(pk) for pk in alive.values_list("pk", flat=True)} == named
    files = contents(tenant, done)
    assert contents(tenant, done_undisturbed(tenant, done, seed)) == files


def seed_of(tenant, queued):
    with acting(tenant):
        return Export.objects.values_list("seed", flat=True).get(pk=queued.pk)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind["format"])
@pytest.mark.parametrize("dies_at", ["export:1", "export:4", "export:7"])
def test_an_export_killed_at_a_part_ends_in_the_same_bytes(tenant, dataset, tmp_path, dies_at, kind):
    if kind["format"] == "parquet":
        pytest.importorskip("pyarrow")
    queued = queue_export(tenant, dataset, **kind)
    seed = seed_of(tenant, queued)
    with worker(tmp_path, dies_at):
        until((tmp_path / "died").exists)
        finished(tenant, queued)
    assert_undisturbed(tenant, queued, seed)


def test_a_worker_that_slept_past_its_lease_changes_nothing(tenant, dataset, tmp_path):
    queued = queue_export(tenant, dataset)
    seed = seed_of(tenant, queued)
    with worker(tmp_path, "export:3", by="SIGSTOP") as sleeper:
        until((tmp_path / "died").exists)
        fence = reload_export(tenant, queued).fence
        with worker(tmp_path):
            assert finished(tenant, queued).fence > fence
            os.killpg(sleeper.pid, signal.SIGCONT)
            until(lambda: "taken over" in (tmp_path / "worker.log").read_text())
    assert_undisturbed(tenant, queued, seed)
