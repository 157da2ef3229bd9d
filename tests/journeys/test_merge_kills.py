"""Whatever is killed while a merge runs, it ends as if nothing had been: one version, the same root, no remains."""

import os
import signal
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import transaction

from datasets.models import Branch, Version
from datasets.services.merges.work import run_merge
from tests.factories.access import acting
from tests.factories.datasets import read_all
from tests.factories.merges import forget_merge, parted, queue_merge, reload_merge
from tests.journeys.jobs import assert_no_orphan
from tests.journeys.test_kills import OURS, ask_server, worker
from tests.journeys.waiting import until
from vaultsite.celery import app
from vaultsite.kernel import jobs
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.jobs import FINAL, reap

pytestmark = pytest.mark.slow
_ROWS = [{"id": f"r{n:04d}", "ours": 0, "theirs": 0, "text": f"row {n} " + "x" * 1200} for n in range(300)]
_OURS = [row | {"ours": 1} if n % 2 else row for n, row in enumerate(_ROWS)]
_THEIRS = [row | {"theirs": 1} if n % 3 else row for n, row in enumerate(_ROWS)] + [{"id": "s", "theirs": 2}]


@pytest.fixture
def job(tenant, monkeypatch):
    """A queued merge with some hundred records to put together, its seed, and the names in the store before it."""
    monkeypatch.setattr(jobs, "QUEUED_LEASE", timedelta(seconds=4))
    app.control.purge()
    before = set(BlobStore.default().names())
    dataset = parted(tenant, _ROWS, _OURS, _THEIRS)
    merge = queue_merge(tenant, dataset)
    return merge, before


@contextmanager
def held_target(merge):
    """Nobody can commit a version on the target."""
    rows = Branch.objects.using("owner").select_for_update()
    with transaction.atomic(using="owner"):
        assert rows.get(dataset_id=merge.dataset_id, name=merge.target)
        yield


def finished(tenant, merge):
    def look():
        reap()
        found = reload_merge(tenant, merge)
        return found if found.status in FINAL else None

    return until(look, every=0.3)


def seed_of(tenant, merge):
    return bytes(reload_merge(tenant, merge).seed)


def assert_undisturbed(tenant, job, seed):
    """The end that every disturbed merge must come to. No worker runs any more."""
    merge, before = job
    done = reload_merge(tenant, merge)
    assert (done.status, done.state, done.error, done.seed) == ("succeeded", "merged", None, None)
    found = {record.id: record.data for record in read_all(tenant, done.dataset)}
    assert len(found) == 301
    for number in range(300):
        data = found[f"r{number:04d}"]
        assert (data["ours"], data["theirs"]) == (int(bool(number % 2)), int(bool(number % 3)))
    with acting(tenant):
        assert Version.objects.filter(dataset=done.dataset, kind="merge").count() == 1
    assert_no_orphan(tenant, before)
    again = do_again(tenant, done, seed)
    assert bytes(again.root) == bytes(done.version.root)
    assert bytes(again.digest) == bytes(done.version.digest)


def do_again(tenant, merge, seed):
    """Do the very same merge once more, in this process, undisturbed."""
    forget_merge(tenant, merge, seed)
    run_merge(tenant.pk, merge.pk)
    return reload_merge(tenant, merge).version


def struck(tmp_path):
    """Overdue jobs are woken as beat does, until the worker has met its end."""
    reap()
    return (tmp_path / "died").exists()


@pytest.mark.parametrize("dies_at", ["run:1", "run:2", "pack:1"])
def test_a_worker_killed_at_a_checkpoint_is_continued(tenant, job, tmp_path, dies_at):
    seed = seed_of(tenant, job[0])
    with worker(tmp_path, dies_at):
        until(lambda: struck(tmp_path))
        finished(tenant, job[0])
    assert_undisturbed(tenant, job, seed)


def test_a_worker_killed_while_it_commits_is_continued(tenant, job, tmp_path):
    merge, seed = job[0], seed_of(tenant, job[0])
    waiting = "SELECT query FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock'"
    with worker(tmp_path) as process, held_target(merge):
        until(lambda: reap() is None or any("datasets_branch" in query for (query,) in ask_server(waiting, OURS)))
        os.killpg(process.pid, signal.SIGKILL)
    with acting(tenant):
        assert not Version.objects.filter(kind="merge").exists()
    with worker(tmp_path):
        finished(tenant, merge)
    assert_undisturbed(tenant, job, seed)


def test_a_worker_that_slept_past_its_lease_writes_nothing(tenant, job, tmp_path):
    seed = seed_of(tenant, job[0])
    with worker(tmp_path, "run:1", by="SIGSTOP") as sleeper:
        until(lambda: struck(tmp_path))
        with worker(tmp_path):
            finished(tenant, job[0])
            os.killpg(sleeper.pid, signal.SIGCONT)
            until(lambda: "was taken over" in (tmp_path / "worker.log").read_text())
    assert_undisturbed(tenant, job, seed)
