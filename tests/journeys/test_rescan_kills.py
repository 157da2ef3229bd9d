"""Rescans whose worker is killed: each chunk's findings once, drift counted once, the subject index whole."""

from datetime import timedelta

import pytest

from anonymization.services.detect import detector_hash
from datasets.models import Chunk, FindingsBlob, Rescan, SubjectIndexEntry, VersionProfile
from datasets.services.rescan.start import start_rescan
from datasets.services.rescan.work import run_rescan
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, read_all, someone, upload
from tests.factories.detectors import HERE, detecting
from tests.journeys.jobs import assert_no_orphan
from tests.journeys.statements import dies_before
from tests.journeys.test_kills import worker
from tests.journeys.waiting import until
from vaultsite.celery import app
from vaultsite.kernel import jobs
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.jobs import JobStatus, reap

pytestmark = pytest.mark.slow
COUNT = 600
ROWS = [
    {"id": f"r{number:04d}", "text": f"blue bird {number:04d} and red fox " + "x" * 1200} for number in range(COUNT)
]
OLD = {"red fox": "PERSON"}
#: The address of every tenth record.
WORDS = {f"bird {number:04d}": "EMAIL_ADDRESS" for number in range(0, COUNT, 10)}
NEW = {"blue bird": "PERSON", "red fox": "LOCATION", **WORDS}
DRIFT = {"EMAIL_ADDRESS": [len(WORDS), 0], "LOCATION": [COUNT, 0], "PERSON": [COUNT, COUNT]}
JOB = 'UPDATE "datasets_rescan"'
DEATHS = {
    "some findings are kept": ([JOB, '"drift" ='], 1),
    "more findings are kept": ([JOB, '"drift" ='], 2),
    "a checkpoint is noted": (['"datasets_chunk"."id" >'], 1),
    "all is scanned": (['INSERT INTO "datasets_versionprofile"'], 1),
    "the versions are counted": ([JOB, "'stage': 'done'"], 1),
}


def told(words):
    """The environment of a worker that finds these words."""
    options = ", ".join(f'"{word}" = "{entity_type}"' for word, entity_type in words.items())
    return {"VAULT_DETECTOR_BACKEND": HERE, "VAULT_DETECTOR_OPTIONS": f"words = {{{options}}}"}


@pytest.fixture
def job(tenant, settings, monkeypatch):
    """A queued rescan of some chunks, and the names in the store before it."""
    monkeypatch.setattr(jobs, "QUEUED_LEASE", timedelta(seconds=4))
    app.control.purge()
    before = set(BlobStore.default().names())
    dataset, steward = make_dataset(tenant), someone(tenant, "data_steward")
    with detecting(settings, OLD):
        upload(tenant, dataset, jsonl(ROWS))
    with detecting(settings, NEW), acting(tenant, steward):
        return start_rescan(steward, dataset_id=dataset.pk), before


def again(tenant, row):
    with acting(tenant):
        return Rescan.objects.select_related("dataset").get(pk=row.pk)


def finished(tenant, row):
    def look():
        reap()
        found = again(tenant, row)
        return found if found.is_final else None

    return until(look, every=0.3)


def struck(tmp_path):
    """Overdue jobs are woken as beat does, until the worker has met its end."""
    reap()
    return (tmp_path / "died").exists()


def outcome(tenant, row):
    """Everything a rescan leaves: its counts, whom the index knows, and which chunks have findings."""
    done = again(tenant, row)
    counts = {name: getattr(done, name) for name in ("chunk_count", "scanned_count", "record_count", "changed_count")}
    with acting(tenant):
        found = FindingsBlob.objects.filter(dataset=done.dataset_id, detector=bytes(done.detector))
        index = SubjectIndexEntry.objects.filter(dataset=done.dataset_id)
        return {
            "status": (done.status, done.error, done.failed_count, done.refused_count),
            "counts": counts,
            "drift": done.drift,
            "chunks": sorted(bytes(digest) for digest in found.values_list("digest", flat=True)),
            "index": sorted((bytes(key), record) for key, record in index.values_list("key", "record_id")),
        }


def outcome_undisturbed(tenant, settings, row):
    """Forget all that came of the rescan and do the very same one once more, in this process."""
    detector = bytes(again(tenant, row).detector)
    with acting(tenant):
        SubjectIndexEntry.objects.filter(dataset=row.dataset_id).delete()
        VersionProfile.objects.filter(version__dataset=row.dataset_id).delete()
        FindingsBlob.objects.filter(dataset=row.dataset_id, detector=detector).delete()
        zeros = dict.fromkeys(("chunk_count", "scanned_count", "record_count", "changed_count"), 0)
        Rescan.objects.filter(pk=row.pk).update(
            status=JobStatus.QUEUED, attempt=0, checkpoint={}, drift={}, finished_at=None, **zeros
        )
    with detecting(settings, NEW):
        assert detector_hash() == detector
        run_rescan(tenant.pk, row.pk)
    return outcome(tenant, row)


def assert_undisturbed(tenant, settings, row, before):
    """The end that every disturbed rescan must come to. No worker runs any more."""
    done = outcome(tenant, row)
    with acting(tenant):
        chunks = Chunk.objects.filter(dataset=row.dataset_id, kind="chunk").count()
    assert done["status"] == ("succeeded", None, 0, 0)
    assert chunks > 3
    assert done["counts"] == {
        "chunk_count": chunks, "scanned_count": chunks, "record_count": COUNT, "changed_count": COUNT
    }  # fmt: skip
    assert done["drift"] == DRIFT
    assert {record for _, record in done["index"]} >= {f"r{number:04d}" for number in range(0, COUNT, 10)}
    with detecting(settings, NEW):
        shown = read_all(tenant, again(tenant, row).dataset, "data_scientist")
    assert not any("blue" in record.data["text"] or "fox" in record.data["text"] for record in shown)
    assert_no_orphan(tenant, before)
    assert outcome_undisturbed(tenant, settings, row) == done


@pytest.mark.parametrize("dies_at", ["pack:1", "pack:2"])
def test_a_rescan_killed_at_a_pack_goes_on(tenant, settings, job, tmp_path, dies_at):
    row, before = job
    with worker(tmp_path, dies_at, environment=told(NEW)):
        until(lambda: struck(tmp_path))
        assert finished(tenant, row).attempt > 1
    assert_undisturbed(tenant, settings, row, before)


@pytest.mark.parametrize("death", DEATHS)
def test_a_rescan_killed_before_or_after_it_notes_what_it_did_goes_on(tenant, settings, job, tmp_path, death):
    (row, before), (words, count) = job, DEATHS[death]
    environment = told(NEW) | dies_before(tmp_path / "died", *words, count=count)
    with worker(tmp_path, environment=environment):
        until(lambda: struck(tmp_path))
        assert finished(tenant, row).attempt > 1
    assert_undisturbed(tenant, settings, row, before)
