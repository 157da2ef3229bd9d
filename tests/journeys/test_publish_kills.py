"""Whatever is killed while a draft is published, it ends as if nothing had been: one version, the same root."""

import hashlib
import os
import signal
from datetime import timedelta

import pytest

from datasets.models import Branch, Draft, FindingsBlob, Publication, StagedRecord, Version
from datasets.models import SubjectIndexEntry as Subject
from datasets.services.drafts.publication import run_publication
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, read_all, rows_of, upload
from tests.factories.drafts import ask_to_publish, leave_out, make_draft, put, reloaded
from tests.journeys.jobs import assert_no_orphan
from tests.journeys.test_kills import _waits_for_the_branch, held_branch, worker
from tests.journeys.waiting import until
from vaultsite.celery import app
from vaultsite.kernel import jobs
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.jobs import FINAL, JobStatus, reap

pytestmark = pytest.mark.slow


def padded(row, name):
    """Long enough that few records make more than one pack, and no compressor makes it short."""
    return row | {"pad": " ".join(hashlib.sha256(f"{name}{part}".encode()).hexdigest() for part in range(6))}


OLD = {f"r{index:04}": padded(row, f"old{index}") for index, row in enumerate(rows_of(150))}
NEW = {f"r{index:04}": padded(row, f"new{index}") for index, row in enumerate(rows_of(240, seed=1)) if index % 3 == 0}
GONE = [f"r{index:04}" for index in range(1, 150, 50)]


@pytest.fixture
def job(tenant, monkeypatch, settings):
    """A queued publication, the rows it works on, and the names in the store before it."""
    monkeypatch.setattr(jobs, "QUEUED_LEASE", timedelta(seconds=4))
    settings.PUBLISH_INLINE_RECORDS = 0
    app.control.purge()
    before = set(BlobStore.default().names())
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl({"id": name, "data": row} for name, row in OLD.items()), envelope=True)
    draft = make_draft(tenant, dataset)
    put(tenant, draft, [{"id": name, "data": row} for name, row in NEW.items()])
    leave_out(tenant, draft, GONE)
    publication = ask_to_publish(tenant, draft)
    with acting(tenant):
        staged = list(StagedRecord.objects.filter(draft=draft))
        seed = Publication.objects.values_list("seed", flat=True).get(pk=publication.pk)
    return publication, staged, seed, before


def finished(tenant, publication):
    def look():
        reap()
        found = reloaded(tenant, publication)
        return found if found.status in FINAL else None

    return until(look, every=0.3)


def do_again(tenant, publication, staged, seed):
    """Forget what came of the publication and do the very same one once more, in this process, undisturbed."""
    dataset_id, version = publication.dataset_id, publication.version
    with acting(tenant):
        Branch.objects.filter(dataset_id=dataset_id).update(head=version.parent)
        Publication.objects.filter(pk=publication.pk).update(
            status=JobStatus.QUEUED, version=None, attempt=0, finished_at=None, seed=seed
        )
        Draft.objects.filter(pk=publication.draft_id).update(status="publishing", version=None)
        Version.objects.filter(pk=version.pk).delete()
        StagedRecord.objects.bulk_create(staged)
    run_publication(tenant.pk, publication.pk)
    return reloaded(tenant, publication).version


def assert_undisturbed(tenant, job):
    """The end that every disturbed publication must come to. No worker runs any more."""
    publication, staged, seed, before = job
    done = reloaded(tenant, publication)
    assert (done.status, done.error, done.seed) == ("succeeded", None, None)
    with acting(tenant):
        assert Version.objects.count() == 2
        assert not StagedRecord.objects.exists()
        assert Subject.objects.filter(job=publication.pk).exists()
        assert FindingsBlob.objects.filter(dataset_id=publication.dataset_id).exists()
    expected = {name: row for name, row in (OLD | NEW).items() if name not in set(GONE)}
    assert {record.id: record.data for record in read_all(tenant, done.dataset)} == expected
    assert_no_orphan(tenant, before)
    again = do_again(tenant, done, staged, seed)
    assert bytes(again.root) == bytes(done.version.root)
    assert bytes(again.digest) == bytes(done.version.digest)


@pytest.mark.parametrize("dies_at", ["pack:1", "pack:2"])
def test_a_worker_killed_at_a_checkpoint_is_continued(tenant, job, tmp_path, dies_at):
    with worker(tmp_path, dies_at):
        until((tmp_path / "died").exists)
        finished(tenant, job[0])
    assert_undisturbed(tenant, job)


def test_a_worker_killed_while_it_commits_is_continued(tenant, job, tmp_path):
    with worker(tmp_path) as process, held_branch(job[0]):
        until(_waits_for_the_branch)
        os.killpg(process.pid, signal.SIGKILL)
    with acting(tenant):
        assert Version.objects.count() == 1
        assert StagedRecord.objects.count() == len(job[1])
    with worker(tmp_path):
        finished(tenant, job[0])
    assert_undisturbed(tenant, job)


def test_a_worker_that_slept_past_its_lease_writes_nothing(tenant, job, tmp_path):
    with worker(tmp_path, "pack:1", by="SIGSTOP") as sleeper:
        until((tmp_path / "died").exists)
        fence = reloaded(tenant, job[0]).fence
        with worker(tmp_path):
            assert finished(tenant, job[0]).fence > fence
            os.killpg(sleeper.pid, signal.SIGCONT)
            until(lambda: "was taken over" in (tmp_path / "worker.log").read_text())
    assert_undisturbed(tenant, job)
