"""What lies beside records is found by the whole search and erased: the quarantine, uploads, files of requests."""

import pytest

from compliance.models import Correction, Correspondence, SubjectErasure, SubjectRequest
from compliance.requests.sealed import Letter, SubjectFacts, open_patches, seal_patches
from compliance.subjects.erasure_work import run_subject_erasure
from compliance.subjects.receipt import read_receipt
from compliance.subjects.replay import people_erased
from compliance.tasks import continue_subject_search
from datasets.models import Blob, BlobKind, IdentifierReturn, QuarantinedRecord
from datasets.services.write import run_ingest
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.datasets import jsonl, make_dataset, queue_upload, reload, upload
from tests.factories.detectors import detecting
from tests.factories.subjects import ADA, EMAIL, erase_person, matches_of, queue_erasure_of, run_parts, search_for
from tests.factories.upkeep import again
from vaultsite.kernel.identifiers import uuid7

JOHN = {"type": "access", "law": "gdpr", "name": "John Brown", "contact": "john.brown@example.org", "identity": "known"}


@pytest.fixture
def officer(tenant):
    return caller(tenant, "privacy_officer")


def finds(tenant, search):
    return [(one.store, one.place, one.reason, one.state) for one in matches_of(tenant, search)]


def receipt_of(tenant, erasure):
    with acting(tenant):
        return read_receipt(SubjectErasure.objects.select_related("search").get(pk=erasure.pk))


def test_quarantined_records_are_searched_and_erased(tenant, settings):
    dataset = make_dataset(tenant)
    rows = [{"id": "good", "text": "the fox"}, {"id": "kept", "text": f"POISON and {EMAIL}"}]
    with detecting(settings, {"fox": "PERSON"}, poison="POISON"):
        assert upload(tenant, dataset, jsonl(rows), on_error="reject").quarantined_count == 1
    search = search_for(tenant, ADA[:1])
    assert finds(tenant, search) == [("quarantine", "", "exact", "accepted")]
    erasure = erase_person(tenant, search)
    assert (erasure.status, erasure.counts["quarantine"], erasure.remaining) == ("succeeded", 1, {})
    with acting(tenant):
        kept = QuarantinedRecord.objects.get(dataset=dataset)
    assert (kept.body, kept.secret, kept.state) == (None, None, "discarded")
    assert search_for(tenant, ADA[:1]).counts == {}


@pytest.fixture
def received(tenant, dataset):
    """A file that waits for a worker: of no version yet, and maybe never."""
    return queue_upload(tenant, make_dataset(tenant), jsonl([{"id": "new", "text": f"Ask {EMAIL}."}]))


def test_a_received_file_is_searched_and_the_erasure_waits_for_its_end(tenant, received):
    search = search_for(tenant, ADA[:1])
    assert ("upload", "", "exact", "accepted") in finds(tenant, search)
    erasure = queue_erasure_of(tenant, search)
    run_subject_erasure(tenant.pk, erasure.pk)
    run_parts(tenant, erasure)
    run_subject_erasure(tenant.pk, erasure.pk)
    waits = again(tenant, erasure)
    assert (waits.status, waits.progress["uploads"], waits.receipt) == ("queued", 1, None)
    run_ingest(tenant.pk, received.pk)
    run_subject_erasure(tenant.pk, erasure.pk)
    ended = again(tenant, erasure)
    assert (ended.status, ended.remaining) == ("succeeded", {"found in record": 1})
    assert receipt_of(tenant, ended)["remaining"] == {"found in record": 1}
    with acting(tenant):
        back = IdentifierReturn.objects.exclude(cause="stays").get()
    assert (back.dataset_id, back.record_id, back.state) == (received.dataset_id, "new", "open")


def test_a_received_file_that_never_becomes_a_version_leaves_nothing(tenant, dataset):
    broken = queue_upload(tenant, make_dataset(tenant), jsonl([{"id": "a", "text": EMAIL}]) + b"{broken\n")
    search = search_for(tenant, ADA[:1])
    assert ("upload", "", "exact", "accepted") in finds(tenant, search)
    erasure = queue_erasure_of(tenant, search)
    run_subject_erasure(tenant.pk, erasure.pk)
    run_parts(tenant, erasure)
    run_ingest(tenant.pk, broken.pk)
    assert reload(tenant, broken).status == "failed"
    run_subject_erasure(tenant.pk, erasure.pk)
    ended = again(tenant, erasure)
    assert (ended.status, ended.remaining) == ("succeeded", {})
    with acting(tenant):
        left = Blob.objects.filter(job=broken.pk, kind=BlobKind.PART, secret__isnull=False)
        assert not left.filter(state="sealed").exists()
    assert search_for(tenant, ADA[:1]).counts == {}


def asked(officer, **changed):
    answer = send(officer, "POST", "/subject-requests", JOHN | changed)
    assert answer.status_code == 201, answer.json()
    return answer.json()["id"]


def wrote(officer, request_id, text):
    body = {"direction": "in", "channel": "letter", "subject": "About it", "text": text}
    answer = send(officer, "POST", f"/subject-requests/{request_id}/correspondence", body)
    assert answer.status_code == 201, answer.json()
    return answer.json()["id"]


def letter(tenant, letter_id):
    with acting(tenant):
        return Letter.of(Correspondence.objects.get(pk=letter_id)).text


def closed(tenant, request_id):
    with acting(tenant):
        SubjectRequest.objects.filter(pk=request_id).update(state="closed")


def corrected(tenant, dataset, request_id):
    """A correction of somebody else's record that names the person."""
    with acting(tenant):
        row = Correction(id=uuid7(), request_id=request_id, dataset=dataset, branch="main", proposed_by=uuid7())
        row.patch_count, row.patches = 1, seal_patches(row, [{"id": "x", "data": {"friend": EMAIL}}])
        row.save(force_insert=True)
    return row


def test_files_of_requests_are_searched_and_words_about_the_person_taken_out(tenant, dataset, officer):
    john = asked(officer, details=f"She is {EMAIL}")
    named, other = wrote(officer, john, f"My neighbour is {EMAIL}."), wrote(officer, john, "Please hurry.")
    correction = corrected(tenant, dataset, john)
    search = search_for(tenant, ADA[:1])
    assert sorted(place for store, place, *_ in finds(tenant, search) if store == "request") == [
        "correction",
        "details",
        "letter",
    ]
    closed(tenant, john)
    erasure = erase_person(tenant, search)
    assert (erasure.counts["request"], erasure.counts.get("request_left", 0)) == (3, 0)
    assert (letter(tenant, named), letter(tenant, other)) == ("[erased]", "Please hurry.")
    with acting(tenant):
        facts = SubjectFacts.of(SubjectRequest.objects.get(pk=john))
        assert open_patches(Correction.objects.get(pk=correction.pk)) == []
        ((_, told),) = [one for one in people_erased() if one[0] == erasure.pk]
    assert (facts.details, facts.contact) == ("[erased]", JOHN["contact"])
    assert sorted(place for _, place, _ in told.files) == ["correction", "details", "letter"], (
        "what a restore takes out"
    )
    assert search_for(tenant, ADA[:1]).counts == {}


def test_the_persons_own_requests_and_those_that_are_open_stay_and_the_receipt_says_so(tenant, dataset, officer):
    own = asked(officer, name="Ada Byron", contact=EMAIL)
    said = wrote(officer, own, f"Write to {EMAIL}.")
    closed(tenant, own)
    pending = wrote(officer, asked(officer), f"My neighbour is {EMAIL}.")
    erasure = erase_person(tenant, search_for(tenant, ADA[:1]))
    assert (erasure.counts.get("request", 0), erasure.counts["request_left"]) == (0, 3)
    assert EMAIL in letter(tenant, said)
    assert EMAIL in letter(tenant, pending)
    with acting(tenant):
        assert [facts.files for pk, facts in people_erased() if pk == erasure.pk] == [()], (
            "what stayed is not to go later"
        )
    receipt = receipt_of(tenant, erasure)
    assert receipt["counts"]["request_left"] == 3
    assert any("own requests stay as proof" in line for line in receipt["not_covered"])
    assert any("others have open" in line for line in receipt["not_covered"])


def test_the_file_of_the_request_that_asks_is_not_searched(tenant, dataset, officer):
    own = asked(officer, name="Ada Byron", contact=EMAIL, type="erasure")
    search = send(officer, "POST", f"/subject-requests/{own}/search", {}).json()["search"]
    continue_subject_search(str(tenant.pk), search["id"])
    found = send(officer, "GET", f"/subject-searches/{search['id']}").json()
    assert found["counts"].get("record", 0) >= 1
    assert "request" not in found["counts"]
    assert found["swept"].get("request", 0) == 0
