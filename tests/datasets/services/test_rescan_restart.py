"""Rescans that are cut off: what they noted stays, and counts begin anew with other detectors."""

import pytest

from audit.models import AuditEvent
from datasets.models import Blob, BlobKind, BlobState, FindingsBlob, Rescan, SubjectIndexEntry
from datasets.services.rescan import work
from datasets.services.rescan.start import start_rescan
from datasets.services.rescan.work import run_rescan
from datasets.services.sweep import sweep_blobs
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, someone, upload
from tests.factories.detectors import detecting
from vaultsite.kernel.blobs import new_blob_name
from vaultsite.kernel.jobs import MAX_ATTEMPTS, JobStatus

COUNT = 400
ROWS = [{"id": f"r{number:04d}", "text": f"blue bird {number} and red fox " + "x" * 1200} for number in range(COUNT)]
NEW = {"blue bird": "EMAIL_ADDRESS"}


@pytest.fixture
def row(tenant, settings, monkeypatch):
    """A rescan whose first turn noted one chunk."""
    monkeypatch.setattr(work, "TURN_SECONDS", 0.0)
    monkeypatch.setattr(work, "_BATCH", 1)
    dataset, steward = make_dataset(tenant), someone(tenant, "data_steward")
    with detecting(settings, {"red fox": "PERSON"}):
        upload(tenant, dataset, jsonl(ROWS))
    with detecting(settings, NEW):
        with acting(tenant, steward):
            queued = start_rescan(steward, dataset_id=dataset.pk)
        run_rescan(tenant.pk, queued.pk)
    found = again(tenant, queued)
    assert (found.status, found.scanned_count) == (JobStatus.QUEUED, 1)
    assert 0 < found.record_count < COUNT
    return found


def again(tenant, row):
    with acting(tenant):
        return Rescan.objects.get(pk=row.pk)


def test_detectors_that_change_between_two_turns_begin_with_no_counts(tenant, settings, row, monkeypatch):
    monkeypatch.setattr(work, "TURN_SECONDS", 600.0)
    with detecting(settings, {"bird": "EMAIL_ADDRESS", "bird 7 ": "CARD_VERIFICATION"}):
        run_rescan(tenant.pk, row.pk)
    done = again(tenant, row)
    assert (done.status, done.error) == (JobStatus.SUCCEEDED, None)
    assert (done.record_count, done.changed_count, done.refused_count) == (COUNT, COUNT, 1)
    assert done.scanned_count == done.chunk_count


def test_a_rescan_given_up_leaves_the_subject_index_of_what_it_noted(tenant, settings, row):
    with acting(tenant):
        index = SubjectIndexEntry.objects.filter(dataset=row.dataset_id)
        known = set(index.values_list("record_id", flat=True))
        assert len(known) == row.record_count
        cut_off = Blob.objects.create(
            dataset_id=row.dataset_id, name=new_blob_name("pack"), kind=BlobKind.PACK, job=row.pk
        )
        Rescan.objects.filter(pk=row.pk).update(attempt=MAX_ATTEMPTS)
    with detecting(settings, NEW):
        run_rescan(tenant.pk, row.pk)
    assert again(tenant, row).error_code == "VAULT_SYS_9011"
    with acting(tenant):
        (event,) = AuditEvent.objects.filter(type="data.rescanned")
        assert (event.status, event.failure_reason) == ("failure", "VAULT_SYS_9011")
    sweep_blobs()
    with acting(tenant):
        assert not Blob.objects.filter(pk=cut_off.pk).exclude(state=BlobState.DEAD).exists()
        assert FindingsBlob.objects.filter(dataset=row.dataset_id, detector=bytes(row.detector)).count() == 1
        assert set(index.values_list("record_id", flat=True)) == known
