"""Rules of records that cannot be scanned: never stored as clean, kept for a reviewer."""

import pytest

from anonymization.errors import DetectionFailed
from audit.models import AuditEvent
from datasets.errors.quarantine import QuarantinedRecordNotFound, RecordDecided, StillUnscannable
from datasets.models import Ingest, QuarantinedRecord, StagedRecord, Version
from datasets.services.quarantine_review import (
    discard_quarantined,
    list_quarantined,
    read_quarantined,
    restore_quarantined,
)
from datasets.services.record_quarantine import forget_quarantined
from datasets.services.write import run_ingest
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, queue_upload, read_all, someone, upload
from tests.factories.detectors import detecting
from tests.factories.upkeep import erase

WORDS = {"fox": "PERSON"}
ROWS = [
    {"id": f"r{number}", "text": f"the fox {number}" + (" POISON" if number in (3, 5) else "")} for number in range(9)
]


@pytest.fixture
def uploaded(tenant, settings):
    """An upload of which two records cannot be scanned."""
    dataset = make_dataset(tenant)
    with detecting(settings, WORDS, poison="POISON"):
        done = upload(tenant, dataset, jsonl(ROWS), on_error="reject")
    assert (done.status, done.error, done.quarantined_count) == ("succeeded", None, 2)
    return dataset


def pending(tenant, dataset):
    with acting(tenant):
        return sorted(list_quarantined(dataset, state="pending", limit=10), key=lambda row: row.line)


def test_what_cannot_be_scanned_is_not_stored_and_waits_sealed(tenant, settings, uploaded):
    assert [record.id for record in read_all(tenant, uploaded)] == [f"r{n}" for n in (0, 1, 2, 4, 6, 7, 8)]
    rows = pending(tenant, uploaded)
    assert [(row.record_id, row.line, row.code) for row in rows] == [
        ("r3", 4, "VAULT_ANON_6001"),
        ("r5", 6, "VAULT_ANON_6001"),
    ]
    with acting(tenant):
        assert not any(b"POISON" in bytes(row.body) for row in QuarantinedRecord.objects.all())
        assert AuditEvent.objects.filter(type="data.quarantined").count() == 1


def test_an_upload_that_takes_no_error_keeps_nothing_back(tenant, settings):
    dataset = make_dataset(tenant)
    with detecting(settings, WORDS, poison="POISON"), pytest.raises(DetectionFailed):
        upload(tenant, dataset, jsonl(ROWS))
    with acting(tenant):
        assert not QuarantinedRecord.objects.exists()
        assert not Version.objects.exists()


def test_with_too_many_such_records_the_upload_waits_for_other_detectors(tenant, settings, monkeypatch):
    monkeypatch.setattr("datasets.services.ingest.scan.MAX_QUARANTINED", 1)
    dataset = make_dataset(tenant)
    with detecting(settings, WORDS, poison="POISON"), pytest.raises(DetectionFailed):
        upload(tenant, dataset, jsonl(ROWS), on_error="reject")
    with acting(tenant):
        assert not Version.objects.exists()


def test_a_record_is_staged_once_it_can_be_scanned(tenant, settings, uploaded):
    first, second = pending(tenant, uploaded)
    steward = someone(tenant, "data_steward")
    with detecting(settings, WORDS, poison="POISON"), pytest.raises(StillUnscannable), acting(tenant, steward):
        restore_quarantined(steward, first.pk)
    with detecting(settings, WORDS), acting(tenant, steward):
        draft = restore_quarantined(steward, first.pk)
        assert list(StagedRecord.objects.filter(draft=draft).values_list("record_id", flat=True)) == ["r3"]
        with pytest.raises(RecordDecided):
            restore_quarantined(steward, first.pk)
    assert [row.pk for row in pending(tenant, uploaded)] == [second.pk]


def test_a_record_is_read_by_readers_of_raw_data_alone(tenant, uploaded):
    row = pending(tenant, uploaded)[0]
    steward, scientist = someone(tenant, "data_steward"), someone(tenant, "data_scientist")
    with acting(tenant, steward):
        assert read_quarantined(steward, row.pk, purpose="debugging")["data"]["text"] == "the fox 3 POISON"
    with pytest.raises(Exception, match="obligation"), acting(tenant, scientist):
        read_quarantined(scientist, row.pk, purpose="debugging")


def test_a_discarded_or_erased_record_is_gone(tenant, uploaded):
    first, second = pending(tenant, uploaded)
    officer = someone(tenant, "privacy_officer")
    with acting(tenant, officer):
        discard_quarantined(officer, first.pk, reason="not wanted")
        assert forget_quarantined(uploaded.pk, ["r5"]) == 1
    with acting(tenant):
        rows = QuarantinedRecord.objects.filter(pk__in=[first.pk, second.pk]).order_by("line")
        assert [(row.state, row.reason, row.body) for row in rows] == [
            ("discarded", "not wanted", None),
            ("discarded", "erased", None),
        ]


def test_up_to_a_moment_only_what_ended_uploads_brought_is_gone(tenant, uploaded):
    with acting(tenant):
        job = Ingest.objects.get(dataset=uploaded)
        before = QuarantinedRecord.objects.filter(dataset=uploaded).latest("created_at").created_at
        assert before < job.finished_at
        assert forget_quarantined(uploaded.pk, ["r3", "r5"], until=before) == 0
        assert forget_quarantined(uploaded.pk, ["r3"], until=job.finished_at) == 1
        Ingest.objects.filter(pk=job.pk).update(finished_at=None)
        assert forget_quarantined(uploaded.pk, ["r5"], until=job.finished_at) == 0


def test_what_was_erased_since_the_upload_began_is_not_kept(tenant, settings):
    dataset = make_dataset(tenant)
    with detecting(settings, WORDS, poison="POISON"):
        queued = queue_upload(tenant, dataset, jsonl(ROWS), on_error="reject")
        erase(tenant, dataset, ["r3"])
        run_ingest(tenant.pk, queued.pk)
    assert [row.record_id for row in pending(tenant, dataset)] == ["r5"]
    with acting(tenant):
        assert not QuarantinedRecord.objects.filter(record_id="r3").exists()


def test_another_tenant_knows_of_none(tenant, rival, uploaded):
    row = pending(tenant, uploaded)[0]
    stranger = someone(rival, "privacy_officer")
    with pytest.raises(QuarantinedRecordNotFound), acting(rival, stranger):
        discard_quarantined(stranger, row.pk, reason="mine")
