"""The REST API of searches for people and their erasure."""

from uuid import uuid4

import pytest

from audit.models import AuditEvent
from compliance.models import RecipientTask, SubjectErasure, SubjectSearch
from compliance.subjects.erasure_work import run_subject_erasure
from compliance.subjects.sweep import run_search
from datasets.services.exports.run import run_export
from tests.factories.access import acting
from tests.factories.api import caller, decisions_of, events_of, new_request_id, send
from tests.factories.subjects import ADA, EMAIL, NAME, matches_of, run_parts, search_for
from tests.factories.upkeep import again

BODY = {"identifiers": [{"type": "EMAIL_ADDRESS", "value": EMAIL}, {"type": "PERSON", "value": NAME}]}


@pytest.fixture
def officer(tenant):
    return caller(tenant, "privacy_officer")


def found(tenant, kind, answer):
    with acting(tenant):
        return kind.objects.get(pk=answer.json()["id"])


def searched(tenant, officer, body=BODY):
    answer = send(officer, "POST", "/subject-searches", body)
    assert answer.status_code == 202
    assert answer["Location"] == f"/api/v1/subject-searches/{answer.json()['id']}"
    run_search(tenant.pk, answer.json()["id"])
    return found(tenant, SubjectSearch, answer)


def test_the_index_is_asked_by_post_and_recorded_without_values(tenant, officer, dataset):
    request = new_request_id()
    answer = send(officer, "POST", "/subjects/search", BODY, **{"X-Request-ID": request})
    assert answer.status_code == 200
    assert answer.json() == {
        "data": [{"dataset_id": str(dataset.pk), "record_id": "mail", "identifiers": [0]}],
        "datasets": [{"dataset_id": str(dataset.pk), "name": dataset.name, "records": 1}],
        "is_truncated": False,
        "skipped": [1],
    }
    assert len(decisions_of(tenant, request)) == 1
    bodies = b"".join(bytes(event.body) for event in events_of(tenant, request))
    assert EMAIL.encode() not in bodies
    assert b"data.subject.searched" in bodies


def test_a_search_runs_and_its_matches_are_decided_on(tenant, officer, dataset):
    search = searched(tenant, officer)
    shown = send(officer, "GET", f"/subject-searches/{search.pk}").json()
    assert (shown["status"], shown["counts"]) == ("succeeded", {"record": 2})
    assert shown["identifier_types"] == ["EMAIL_ADDRESS", "PERSON"]
    assert "identifiers" not in shown
    path = f"/subject-searches/{search.pk}/matches"
    (pending,) = send(officer, "GET", f"{path}?state=pending").json()["data"]
    assert (pending["record_id"], pending["reason"]) == ("name", "name")
    request = new_request_id()
    decision = {"matches": [pending["id"]], "decision": "rejected"}
    answer = send(officer, "POST", path, decision, **{"X-Request-ID": request})
    assert [one["state"] for one in answer.json()["data"]] == ["rejected"]
    assert "data.subject.matched" in {event.type for event in events_of(tenant, request)}
    first = send(officer, "GET", f"{path}?limit=1").json()
    second = send(officer, "GET", f"{path}?limit=1&cursor={first['pagination']['next_cursor']}").json()
    assert {first["data"][0]["record_id"], second["data"][0]["record_id"]} == {"mail", "name"}
    assert send(officer, "GET", f"{path}?state=odd").status_code == 400
    assert send(officer, "GET", "/subject-searches").json()["data"][0]["id"] == str(search.pk)


def test_an_erasure_runs_and_hands_out_receipt_manifest_and_verifier(tenant, officer, dataset):
    search = search_for(tenant, ADA[:1])
    asked = {"search_id": str(search.pk), "legal_basis": "art17-1-b"}
    answer = send(officer, "POST", "/subject-erasures", asked)
    assert answer.status_code == 202
    path = f"/subject-erasures/{answer.json()['id']}"
    assert answer["Location"] == f"/api/v1{path}"
    early = send(officer, "GET", f"{path}/receipt")
    assert (early.status_code, early.json()["code"]) == (409, "VAULT_COMP_8087")
    erasure = found(tenant, SubjectErasure, answer)
    run_subject_erasure(tenant.pk, erasure.pk)
    assert again(tenant, erasure).status == "queued"
    run_parts(tenant, erasure)
    run_subject_erasure(tenant.pk, erasure.pk)
    shown = send(officer, "GET", path).json()
    assert (shown["status"], shown["parts"][0]["state"]) == ("succeeded", "erased")
    receipt = send(officer, "GET", f"{path}/receipt")
    assert receipt["Content-Disposition"].startswith("attachment")
    assert receipt.content.startswith(b'{"backups":')
    manifest = send(officer, "GET", f"{path}/manifest").json()
    assert manifest["exclude"][0]["dataset"] == str(dataset.pk)
    assert b"def check_receipt" in send(officer, "GET", "/subject-erasures/verifier").content
    assert send(officer, "GET", "/subject-erasures").json()["data"][0]["id"] == str(erasure.pk)
    again_asked = send(officer, "POST", "/subject-erasures", asked)
    assert (again_asked.status_code, again_asked.json()["code"]) == (409, "VAULT_COMP_8086")


def test_recipients_of_exports_are_told_once(tenant, officer, dataset):
    steward = caller(tenant, "data_steward")
    made = send(steward, "POST", f"/datasets/{dataset.pk}/exports", {"format": "jsonl"}).json()
    run_export(tenant.pk, made["id"])
    url = send(steward, "POST", f"/exports/{made['id']}/download-url", {"file": "export.jsonl"}).json()["url"]
    body = b"".join(send(steward, "GET", url.partition("/api/v1")[2]).streaming_content)
    assert EMAIL.encode() in body
    search = search_for(tenant, ADA[:1])
    asked = {"search_id": str(search.pk), "legal_basis": "art17-1-a"}
    erasure = send(officer, "POST", "/subject-erasures", asked).json()["id"]
    run_subject_erasure(tenant.pk, erasure)
    path = f"/subject-erasures/{erasure}/recipients"
    (task,) = send(officer, "GET", path).json()["data"]
    assert (task["exports"], task["dataset_id"], task["told_at"]) == ([made["id"]], str(dataset.pk), None)
    with acting(tenant):
        downloaded = AuditEvent.objects.get(type="data.exported")
    assert task["recipient"] == str(downloaded.actor_id)
    refused = send(officer, "POST", f"{path}/{task['id']}", {"proof": f"wrote to {EMAIL}"})
    assert (refused.status_code, refused.json()["code"]) == (400, "VAULT_DATA_4008")
    told = send(officer, "POST", f"{path}/{task['id']}", {"proof": "letter of today, ticket 12"})
    assert told.json()["told_at"] is not None
    settled = send(officer, "POST", f"{path}/{task['id']}", {"proof": "again"})
    assert (settled.status_code, settled.json()["code"]) == (409, "VAULT_COMP_8089")
    missing = send(officer, "POST", f"{path}/{uuid4()}", {"proof": "again"})
    assert (missing.status_code, missing.json()["code"]) == (404, "VAULT_COMP_8088")
    with acting(tenant):
        assert AuditEvent.objects.filter(type="data.subject.recipient_told").count() == 1
        assert RecipientTask.objects.get(pk=task["id"]).proof == "letter of today, ticket 12"


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/subject-searches/{}", 8080),
        ("GET", "/subject-searches/{}/matches", 8080),
        ("GET", "/subject-erasures/{}", 8082),
        ("GET", "/subject-erasures/{}/receipt", 8082),
        ("GET", "/subject-erasures/{}/manifest", 8082),
        ("GET", "/subject-erasures/{}/recipients", 8082),
    ],
)
def test_what_is_not_there_is_not_found(officer, method, path, code):
    answer = send(officer, method, path.format(uuid4()))
    assert (answer.status_code, answer.json()["code"]) == (404, f"VAULT_COMP_{code}")


@pytest.mark.parametrize("role", ["data_steward", "tenant_admin", "viewer", "auditor"])
def test_only_who_answers_for_people_searches_for_them(tenant, role):
    assert send(caller(tenant, role), "POST", "/subjects/search", BODY).status_code == 403
    assert send(caller(tenant, role), "POST", "/subject-searches", BODY).status_code == 403


def test_matches_of_another_search_are_not_found(tenant, officer, dataset):
    one, other = search_for(tenant, ADA[:1]), search_for(tenant, ADA[:1])
    body = {"matches": [str(matches_of(tenant, one)[0].pk)], "decision": "rejected"}
    answer = send(officer, "POST", f"/subject-searches/{other.pk}/matches", body)
    assert (answer.status_code, answer.json()["code"]) == (404, "VAULT_COMP_8081")
