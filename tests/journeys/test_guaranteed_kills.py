"""Exports under a guarantee whose worker is killed: the same bytes, one entry in the ledger, nothing left behind."""

from datetime import timedelta

import pytest

from anonymization.guarantees.guarantee import Guarantee
from anonymization.models import Release
from audit.models import AuditEvent
from datasets.models import Blob, BlobState, ExportFormat, GuaranteedExport
from datasets.services.guaranteed import output
from datasets.services.guaranteed import work as guaranteed_work
from datasets.services.guaranteed.run import run_guaranteed_export
from datasets.services.sweep import sweep_blobs
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.guaranteed import contents, people, queue_guaranteed, reload_guaranteed, table
from tests.journeys.statements import dies_before
from tests.journeys.test_kills import worker
from tests.journeys.waiting import until
from tests.journeys.worker import TABLE_ROWS
from vaultsite.celery import app
from vaultsite.kernel import jobs
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.jobs import JobStatus, reap

pytestmark = pytest.mark.slow
ROWS = people(120)
GUARANTEE = Guarantee(4, suppression=0.1)
JOB = 'UPDATE "datasets_guaranteedexport"'
DEATHS = {
    "all is read": ([JOB, "'stage': 'generalize'"], 1),
    "the table is collected": ([JOB, "'stage': 'generalize'"], 2),
    "the table is generalized": ([JOB, "'stage': 'write'"], 1),
    "all is written": ([JOB, "'stage': 'check'"], 1),
    "the release is in the ledger": (['INSERT INTO "privacy_release_segments"'], 1),
    "it ends": ([JOB, "'stage': 'done'"], 1),
    "it has ended": (['DELETE FROM "datasets_blob"'], 1),
}


@pytest.fixture
def dataset(tenant, monkeypatch):
    monkeypatch.setattr(jobs, "QUEUED_LEASE", timedelta(seconds=4))
    monkeypatch.setattr(guaranteed_work, "BATCH_RECORDS", TABLE_ROWS)
    monkeypatch.setattr(output, "PART_ROWS", TABLE_ROWS)
    made = make_dataset(tenant)
    upload(tenant, made, jsonl(ROWS))
    app.control.purge()
    return made


@pytest.fixture
def job(request, tenant, dataset):
    """A queued export, what was asked for and its seed, both sealed, and the names in the store before it."""
    kind = getattr(request, "param", "jsonl")
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    queued = queue_guaranteed(tenant, dataset, format=ExportFormat(kind), guarantee=GUARANTEE)
    with acting(tenant):
        given = GuaranteedExport.objects.values("seed", "request").get(pk=queued.pk)
    return queued, given, set(BlobStore.default().names())


def finished(tenant, queued):
    def look():
        reap()
        found = reload_guaranteed(tenant, queued)
        return found if found.is_final else None

    return until(look, every=0.3)


def struck(tmp_path):
    """Overdue jobs are woken as beat does, until the worker has met its end."""
    reap()
    return (tmp_path / "died").exists()


def done_undisturbed(tenant, done, given):
    """The same export once more from its beginning, in this process, with an empty ledger."""
    Release._base_manager.using("owner").filter(tenant=tenant).delete()
    with acting(tenant):
        Blob.objects.filter(job=done.pk).update(state=BlobState.DEAD)
        GuaranteedExport.objects.filter(pk=done.pk).update(
            status=JobStatus.QUEUED, attempt=0, checkpoint={}, files=[], counts={}, finished_at=None, **given
        )
    run_guaranteed_export(tenant.pk, done.pk)
    return reload_guaranteed(tenant, done)


def assert_undisturbed(tenant, job):
    """The end that every disturbed export must come to. No worker runs any more."""
    queued, given, before = job
    done = reload_guaranteed(tenant, queued)
    assert (done.status, done.error, done.seed, done.request) == ("succeeded", None, None, None)
    assert len(table(tenant, done)) == done.record_count == len(ROWS) - done.counts["dropped_rows"]
    with acting(tenant):
        assert Release.objects.get().pk == done.release_id
        assert AuditEvent.objects.filter(type=EventType.RELEASE_ADMITTED).count() == 1
    assert_nothing_left(tenant, done, before)
    files, facts = contents(tenant, done), (done.attained, done.utility, done.risk, done.counts)
    again = done_undisturbed(tenant, done, given)
    assert contents(tenant, again) == files
    assert (again.attained, again.utility, again.risk, again.counts) == facts


def assert_nothing_left(tenant, done, before):
    """After a sweep the store has gained the files of the export and nothing else."""
    until(lambda: sweep_blobs() == 0)
    named = {blob for file in done.files for blob, _ in file["parts"]}
    with acting(tenant):
        kept = {str(pk): name for pk, name in Blob.objects.filter(job=done.pk).values_list("pk", "name")}
    everybodys = set(Blob.objects.using("system").exclude(job=done.pk).values_list("name", flat=True))
    assert set(kept) == named
    assert set(BlobStore.default().names()) - before - everybodys == set(kept.values())


@pytest.mark.parametrize(
    ("job", "dies_at"),
    [("jsonl", "run:1"), ("jsonl", "run:3"), ("jsonl", "export:2"), ("parquet", "export:1")],
    indirect=["job"],
)
def test_an_export_killed_at_a_batch_or_a_part_ends_in_the_same_bytes(tenant, job, tmp_path, dies_at):
    with worker(tmp_path, dies_at):
        until(lambda: struck(tmp_path))
        assert finished(tenant, job[0]).attempt > 1
    assert_undisturbed(tenant, job)


@pytest.mark.parametrize("death", DEATHS)
def test_an_export_killed_in_any_stage_ends_in_the_same_bytes(tenant, job, tmp_path, death):
    words, count = DEATHS[death]
    with worker(tmp_path, environment=dies_before(tmp_path / "died", *words, count=count)):
        until(lambda: struck(tmp_path))
        finished(tenant, job[0])
    assert_undisturbed(tenant, job)
