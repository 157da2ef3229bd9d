"""A person is searched for in every store, and erased from each."""

from uuid import uuid4

import orjson
import pytest

from audit.models import AuditEvent
from compliance.errors.subjects import (
    IdentifiersForgotten,
    MatchesUndecided,
    NothingToErase,
    SubjectErasureExists,
    SubjectMatchNotFound,
    SubjectSearchTruncated,
    SubjectSearchUnfinished,
)
from compliance.models import MatchState, RecipientTask, SubjectErasure, SubjectErasurePart
from compliance.subjects import sweep
from compliance.subjects.erasure_work import run_subject_erasure
from compliance.subjects.identifiers import Identifier, open_known
from compliance.subjects.index_search import search_index
from compliance.subjects.receipt import open_manifest, read_receipt
from compliance.subjects.review import decide_matches
from datasets.models import Dataset, Erasure, SubjectIndexEntry, Version
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, read_all, someone, upload
from tests.factories.drafts import make_draft, put
from tests.factories.subjects import (
    ADA,
    EMAIL,
    NAME,
    ROWS,
    erase_person,
    matches_of,
    queue_erasure_of,
    queue_search,
    run_parts,
    search_for,
)
from tests.factories.upkeep import again, readable_bytes
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.jobs import MAX_ATTEMPTS


def places(matches):
    return {(match.store, match.record_id): (match.reason, match.state) for match in matches}


def decide(tenant, search, decision, *names):
    officer = someone(tenant, "privacy_officer")
    ids = [match.pk for match in matches_of(tenant, search) if match.record_id in names]
    with acting(tenant, officer):
        return decide_matches(officer, search_id=search.pk, match_ids=ids, decision=decision)


def test_the_index_answers_without_reading_a_record(tenant, dataset):
    officer = someone(tenant, "privacy_officer")
    with acting(tenant, officer):
        answer = search_index(officer, [Identifier("EMAIL_ADDRESS", EMAIL.upper()), Identifier("PERSON", NAME)])
    assert [(hit.dataset_id, hit.record_id, hit.identifiers) for hit in answer.hits] == [(dataset.pk, "mail", (0,))]
    assert (answer.datasets, answer.skipped, answer.is_truncated) == ({dataset.pk: 1}, (1,), False)


def test_identifiers_prove_and_names_wait_for_somebody(tenant, dataset):
    search = search_for(tenant)
    assert (search.status, search.error, search.counts) == ("succeeded", None, {"record": 3})
    assert places(matches_of(tenant, search)) == {
        ("record", "mail"): ("index", "accepted"),
        ("record", "phone"): ("index", "accepted"),
        ("record", "name"): ("name", "pending"),
    }


def test_what_was_erased_is_in_no_chunk_and_old_roots_still_verify(tenant, dataset):
    with acting(tenant):
        root = bytes(Version.objects.get(dataset=dataset).root)
    search = search_for(tenant)
    decide(tenant, search, MatchState.REJECTED, "name")
    erasure = erase_person(tenant, search)
    assert (erasure.status, erasure.error) == ("succeeded", None)
    assert [record.id for record in read_all(tenant, dataset)] == ["like", "name", "other"]
    readable = readable_bytes(tenant, dataset)
    assert b" ada.byron" not in readable
    assert NAME.encode() in readable
    with acting(tenant):
        assert bytes(Version.objects.get(dataset=dataset).root) == root
        receipt = read_receipt(SubjectErasure.objects.select_related("search").get(pk=erasure.pk))
    assert receipt["counts"] | {"record": 2, "tombstones": 2, "refused": 0} == receipt["counts"]
    assert receipt["remaining"] == {}
    assert [one["id"] for one in receipt["datasets"][0]["tombstones"]] == ["mail", "phone"]
    with pytest.raises(IdentifiersForgotten), acting(tenant):
        open_known(again(tenant, search))


def test_a_name_is_erased_only_once_somebody_accepted_it(tenant, dataset):
    search = search_for(tenant)
    with pytest.raises(MatchesUndecided) as refused:
        queue_erasure_of(tenant, search)
    assert refused.value.extra == {"undecided": 1}
    decide(tenant, search, MatchState.ACCEPTED, "name")
    erase_person(tenant, search)
    assert [record.id for record in read_all(tenant, dataset)] == ["like", "other"]


def test_drafts_are_searched_and_their_records_go(tenant, dataset):
    draft = make_draft(tenant, dataset)
    put(tenant, draft, [{"id": "staged", "data": {"text": f"Mail {EMAIL} today."}}])
    search = search_for(tenant, ADA[:1])
    assert places(matches_of(tenant, search))["draft", "staged"] == ("exact", "accepted")
    erasure = erase_person(tenant, search)
    assert erasure.counts | {"record": 1, "draft": 1} == erasure.counts
    assert search_for(tenant, ADA[:1]).counts == {}


def test_reports_of_rejected_lines_are_searched_and_removed(tenant, dataset):
    body = jsonl([{"id": "good", "n": 1}]) + b'{"broken": "' + EMAIL.encode() + b'"\n'
    ingest = upload(tenant, dataset, body, on_error="reject", mode="append")
    search = search_for(tenant, ADA[:1])
    found = [match for match in matches_of(tenant, search) if match.store == "rejects"]
    assert [(match.object_id, match.reason) for match in found] == [(ingest.pk, "exact")]
    assert erase_person(tenant, search).counts["rejects"] == 1
    assert search_for(tenant, ADA[:1]).counts == {}


def test_words_about_a_dataset_are_searched_and_blanked(tenant, dataset):
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(description="Made for CUST-90417 alone")
    search = search_for(tenant, [Identifier("OTHER", "cust-90417")])
    assert [(match.store, match.place) for match in matches_of(tenant, search)] == [("text", "dataset.description")]
    assert erase_person(tenant, search).counts["text"] == 1
    assert again(tenant, dataset).description == "[erased]"


def test_a_held_dataset_is_a_conflict_with_its_ground_and_the_others_go(tenant, dataset):
    held = make_dataset(tenant)
    upload(tenant, held, jsonl(ROWS))
    search = search_for(tenant, ADA[:1])
    with acting(tenant):
        Dataset.objects.filter(pk=held.pk).update(legal_hold=True)
    erasure = erase_person(tenant, search)
    with acting(tenant):
        parts = {part.dataset_id: part for part in SubjectErasurePart.objects.filter(erasure=erasure)}
        receipt = read_receipt(SubjectErasure.objects.select_related("search").get(pk=erasure.pk))
    assert (parts[dataset.pk].state, parts[held.pk].state) == ("erased", "refused")
    assert parts[held.pk].conflict == "VAULT_DATA_4006"
    assert "Art. 17(3)(e)" in parts[held.pk].basis
    assert [one["dataset"] for one in receipt["conflicts"]] == [str(held.pk)]
    assert receipt["remaining"] == {"may not be erased": 1}
    assert len(read_all(tenant, held)) == len(ROWS)


def test_a_fault_in_a_dataset_is_no_ground_to_keep_and_the_erasure_is_asked_for_again(tenant, dataset):
    search = search_for(tenant, ADA[:1])
    erasure = queue_erasure_of(tenant, search)
    run_subject_erasure(tenant.pk, erasure.pk)
    with acting(tenant):
        Erasure.objects.filter(dataset=dataset).update(attempt=MAX_ATTEMPTS)
    run_parts(tenant, erasure)
    run_subject_erasure(tenant.pk, erasure.pk)
    failed = again(tenant, erasure)
    assert (failed.status, failed.error_code, failed.receipt) == ("failed", "VAULT_COMP_8093", None)
    assert failed.error["codes"] == ["VAULT_SYS_9011"]
    assert erase_person(tenant, search).status == "succeeded"
    assert "mail" not in {record.id for record in read_all(tenant, dataset)}


def test_nothing_of_the_identifiers_is_stored_in_the_clear(tenant, dataset):
    search = search_for(tenant)
    decide(tenant, search, MatchState.REJECTED, "name")
    erasure = erase_person(tenant, search)
    with acting(tenant):
        rows = [vars(again(tenant, search)), vars(again(tenant, erasure))]
        rows += [vars(match) for match in matches_of(tenant, search)]
        bodies = b"".join(bytes(body) for body in AuditEvent.objects.values_list("body", flat=True))
    said = repr(rows).encode() + bodies
    for value in (EMAIL, "1234567", NAME):
        assert value.encode() not in said
    assert b"data.subject.searched" in bodies
    assert b"data.subject.erased" in bodies


def test_what_is_unfinished_or_empty_is_not_erased(tenant, dataset):
    search = queue_search(tenant)
    with pytest.raises(SubjectSearchUnfinished):
        queue_erasure_of(tenant, search)
    with pytest.raises(NothingToErase):
        queue_erasure_of(tenant, search_for(tenant, [Identifier("EMAIL_ADDRESS", "nobody@example.org")]))
    done = search_for(tenant, ADA[:1])
    with pytest.raises(SubjectMatchNotFound), acting(tenant):
        officer = someone(tenant, "privacy_officer")
        decide_matches(officer, search_id=done.pk, match_ids=[uuid4()], decision=MatchState.REJECTED)
    queue_erasure_of(tenant, done)
    with pytest.raises(SubjectErasureExists):
        queue_erasure_of(tenant, done)


def test_a_search_that_ended_early_leads_to_no_erasure(tenant, dataset, monkeypatch):
    monkeypatch.setattr(sweep, "MAX_MATCHES", 1)
    search = search_for(tenant, ADA[:1])
    assert search.is_truncated
    with pytest.raises(SubjectSearchTruncated):
        queue_erasure_of(tenant, search)


def test_what_came_to_another_dataset_since_the_search_is_told_as_remaining(tenant, dataset):
    search = search_for(tenant, ADA[:1])
    upload(tenant, make_dataset(tenant), jsonl(ROWS))
    erasure = erase_person(tenant, search)
    assert (erasure.status, erasure.remaining) == ("succeeded", {"found in record": 1})
    with acting(tenant):
        receipt = read_receipt(SubjectErasure.objects.select_related("search").get(pk=erasure.pk))
    assert receipt["scope"]["searched_at"] == search.finished_at.isoformat()


@pytest.mark.parametrize("value", ["a@b", "", "x" * 301])
def test_what_is_found_everywhere_is_not_searched_for(tenant, value):
    with pytest.raises(InvalidInput):
        queue_search(tenant, [Identifier("EMAIL_ADDRESS", value)])


def test_the_index_forgets_the_person(tenant, dataset):
    search = search_for(tenant, ADA[:1])
    erase_person(tenant, search)
    with acting(tenant):
        assert not SubjectIndexEntry.objects.filter(dataset=dataset, record_id="mail").exists()


def test_the_manifest_names_what_to_leave_out(tenant, dataset):
    erasure = erase_person(tenant, search_for(tenant, ADA[:1]))
    with acting(tenant):
        manifest = open_manifest(erasure)
    assert [(one["dataset"], [record["id"] for record in one["records"]]) for one in manifest["exclude"]] == [
        (str(dataset.pk), ["mail"])
    ]
    assert not RecipientTask.objects.using("owner").filter(erasure=erasure.pk).exists()
    assert orjson.dumps(manifest)
