"""Rules of rescans: every chunk once, drift told, what may not be read out of reach."""

from dataclasses import replace

import pytest

from anonymization.services.detect import detector_hash
from audit.models import AuditEvent
from datasets.errors.quarantine import NotQuarantined, OwnQuarantine, VersionQuarantined
from datasets.models import Branch, FindingsBlob, Rescan, SubjectIndexEntry, Version, VersionQuarantine
from datasets.services.commit import read_profile
from datasets.services.rescan import work
from datasets.services.rescan.start import plan_rescans, start_rescan, unscanned
from datasets.services.rescan.work import run_rescan
from datasets.services.version_quarantine import quarantine_version, release_version
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, read_all, someone, upload
from tests.factories.detectors import detecting

ROWS = [{"id": f"r{number:04d}", "text": f"blue bird {number} and red fox " + "x" * 600} for number in range(400)]
OLD = {"red fox": "PERSON"}
NEW = {"blue bird": "PERSON", "red fox": "LOCATION"}


@pytest.fixture
def dataset(tenant, settings):
    made = make_dataset(tenant)
    with detecting(settings, OLD):
        upload(tenant, made, jsonl(ROWS))
    return made


def queue(tenant, dataset):
    steward = someone(tenant, "data_steward")
    with acting(tenant, steward):
        return start_rescan(steward, dataset_id=dataset.pk)


def rescan(tenant, dataset):
    row = queue(tenant, dataset)
    run_rescan(tenant.pk, row.pk)
    with acting(tenant):
        row.refresh_from_db()
    return row


def test_an_upgraded_set_scans_each_chunk_once_and_tells_what_changed(tenant, settings, dataset):
    with detecting(settings, NEW):
        with acting(tenant):
            chunks = unscanned(dataset.pk, detector_hash()).count()
        assert chunks > 1
        done = rescan(tenant, dataset)
        assert (done.status, done.error, done.chunk_count, done.scanned_count) == ("succeeded", None, chunks, chunks)
        assert (done.record_count, done.changed_count, done.failed_count) == (400, 400, 0)
        assert done.drift == {"LOCATION": [400, 0], "PERSON": [400, 400]}
        with acting(tenant):
            assert not unscanned(dataset.pk, detector_hash()).exists()
            before = FindingsBlob.objects.filter(dataset=dataset).count()
            event = AuditEvent.objects.get(type="data.rescanned")
            assert event.severity == "warning"
            head = Branch.objects.select_related("head").get(dataset=dataset, name="main").head
            assert read_profile(head) == {("/data/text", "PERSON"): 400, ("/data/text", "LOCATION"): 400}
        shown = read_all(tenant, dataset, "data_scientist")
        assert not any("blue bird" in record.data["text"] or "red fox" in record.data["text"] for record in shown)

        again = rescan(tenant, dataset)
        assert (again.status, again.scanned_count) == ("succeeded", chunks)
        with acting(tenant):
            assert FindingsBlob.objects.filter(dataset=dataset).count() == before


def test_what_a_rescan_finds_is_in_the_subject_index(tenant, settings, dataset):
    with detecting(settings, {"blue bird 7 ": "EMAIL_ADDRESS"}):
        rescan(tenant, dataset)
    with acting(tenant):
        assert list(SubjectIndexEntry.objects.filter(dataset=dataset).values_list("record_id", flat=True)) == ["r0007"]


def test_a_rescan_goes_on_where_its_turn_ended(tenant, settings, dataset, monkeypatch):
    monkeypatch.setattr(work, "TURN_SECONDS", 0.0)
    monkeypatch.setattr(work, "_BATCH", 1)
    with detecting(settings, NEW):
        row = queue(tenant, dataset)
        turns = 0
        while row.status != "succeeded":
            run_rescan(tenant.pk, row.pk)
            turns += 1
            with acting(tenant):
                row.refresh_from_db()
                Rescan.objects.filter(pk=row.pk, status="queued").update(attempt=0)
            assert turns < 40
    assert turns > 2
    assert (row.record_count, row.drift) == (400, {"LOCATION": [400, 0], "PERSON": [400, 400]})


def test_a_version_that_holds_what_may_not_be_stored_is_out_of_reach_until_it_is_released(tenant, settings, dataset):
    with detecting(settings, {"blue bird 7 ": "CARD_VERIFICATION"}):
        done = rescan(tenant, dataset)
        assert (done.status, done.refused_count) == ("succeeded", 1)
        for role in ("data_steward", "data_scientist"):
            with pytest.raises(VersionQuarantined):
                read_all(tenant, dataset, role)
        officer = someone(tenant, "privacy_officer")
        with acting(tenant, officer):
            label = Version.objects.get(dataset=dataset).label
            release_version(officer, dataset_id=dataset.pk, version=label, reason="looked at, erased elsewhere")
            with pytest.raises(NotQuarantined):
                release_version(officer, dataset_id=dataset.pk, version=label, reason="again")
        assert len(read_all(tenant, dataset)) == 400
    with acting(tenant):
        row = VersionQuarantine.objects.get()
        assert (row.cause, row.released_by) == ("refused_data", officer.id)
        kinds = AuditEvent.objects.filter(type__startswith="data.quarantine").order_by("id")
        assert list(kinds.values_list("type", flat=True)) == ["data.quarantined", "data.quarantine.released"]


def test_a_version_with_a_record_that_cannot_be_scanned_is_out_of_reach(tenant, settings, dataset):
    with detecting(settings, NEW, poison="bird 7 "):
        done = rescan(tenant, dataset)
        assert (done.status, done.failed_count) == ("succeeded", 1)
        with pytest.raises(VersionQuarantined):
            read_all(tenant, dataset, "data_scientist")


def test_what_is_made_of_a_version_in_quarantine_is_in_quarantine(tenant, dataset):
    officer = someone(tenant, "privacy_officer")
    with acting(tenant, officer):
        quarantine_version(officer, dataset_id=dataset.pk, version="main", reason="to be looked at")
    upload(tenant, dataset, jsonl([*ROWS, {"id": "one-more", "text": "grey"}]))
    with pytest.raises(VersionQuarantined):
        read_all(tenant, dataset)
    second = someone(tenant, "privacy_officer")
    with acting(tenant, second):
        for label in Version.objects.filter(dataset=dataset).values_list("label", flat=True):
            release_version(second, dataset_id=dataset.pk, version=label, reason="looked at")
    assert len(read_all(tenant, dataset)) == 401


def test_nobody_releases_what_they_put_into_quarantine_or_uploaded(tenant, dataset):
    placer, second = someone(tenant, "privacy_officer"), someone(tenant, "privacy_officer")
    with acting(tenant, placer):
        quarantine_version(placer, dataset_id=dataset.pk, version="main", reason="to be looked at")
    with acting(tenant):
        version = Version.objects.get(dataset=dataset)
    uploader = replace(second, id=version.author)
    for who in (placer, uploader):
        with acting(tenant, who), pytest.raises(OwnQuarantine):
            release_version(who, dataset_id=dataset.pk, version="main", reason="looked at")
    with acting(tenant, second):
        assert release_version(second, dataset_id=dataset.pk, version="main", reason="looked at").released_at


def test_a_rescan_is_due_once_for_each_set_of_detectors(tenant, settings, dataset):
    with detecting(settings, OLD):
        plan_rescans()
        with acting(tenant):
            assert not Rescan.objects.exists()
    with detecting(settings, NEW):
        plan_rescans()
        plan_rescans()
        with acting(tenant):
            row = Rescan.objects.get()
            assert (row.dataset_id, row.status) == (dataset.pk, "queued")
