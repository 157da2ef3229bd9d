"""Feedback on findings and what it is turned into; test cases and their runs."""

from uuid import UUID, uuid4

import pytest

from anonymization.models import DetectionCase, FindingFeedback
from anonymization.services.cases import NewCase, add_case
from anonymization.services.feedback import forget_feedback
from anonymization.services.trust import load_trust
from tests.factories.access import acting, principal_with
from tests.factories.api import caller, send

TEXT = "Ticket ABC for info@acme.example, please."
WRONG = {
    "verdict": "false_positive",
    "entity_type": "EMAIL_ADDRESS",
    "text": TEXT,
    "start": 15,
    "end": 32,
    "pointer": "/data/messages/3/content",
    "record_id": "r1",
}
PATH = "/detection/feedback"


def given(client, **changed):
    answer = send(client, "POST", PATH, WRONG | changed)
    assert answer.status_code == 201, answer.content
    return answer.json()["id"]


def settled(client, feedback_id, outcome, **more):
    return send(client, "POST", f"{PATH}/{feedback_id}/settle", {"outcome": outcome, "reason": "tests", **more})


def test_feedback_is_sealed_and_becomes_an_entry_of_the_allow_list_once(tenant):
    client = caller(tenant, "data_steward")
    feedback_id = given(client)
    with acting(tenant):
        row = FindingFeedback.objects.get(pk=feedback_id)
        assert b"acme" not in bytes(row.sealed)
    assert settled(client, feedback_id, "allow").json()["settled_as"] == "allow"
    with acting(tenant):
        assert not load_trust(None).is_plain
    again = settled(client, feedback_id, "dismiss")
    assert (again.status_code, again.json()["code"]) == (409, "VAULT_ANON_6105")
    unknown = settled(client, uuid4(), "dismiss")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "VAULT_ANON_6104")
    assert [one["id"] for one in send(client, "GET", f"{PATH}?state=settled").json()["data"]] == [feedback_id]
    assert send(client, "GET", PATH).json()["data"] == []


def test_a_miss_becomes_an_entry_of_the_deny_list_or_a_field_rule(tenant):
    client = caller(tenant, "privacy_officer")
    missed = given(client, verdict="missed", entity_type="ID_NUMBER", start=7, end=10)
    assert settled(client, missed, "deny").status_code == 200
    field = given(client, verdict="missed", entity_type="ID_NUMBER", start=7, end=10)
    assert settled(client, field, "field").status_code == 200
    with acting(tenant):
        rules = load_trust(None).rules
    assert [rule.entity_type for rule in rules.deny] == ["ID_NUMBER"]
    assert [(rule.place.source, rule.entity_type) for rule in rules.fields] == [
        ("/data/messages/*/content", "ID_NUMBER")
    ]


def test_feedback_needs_the_role_to_review_and_a_span_within_the_text(tenant):
    assert send(caller(tenant, "ml_engineer"), "POST", PATH, WRONG).status_code == 403
    client = caller(tenant, "data_steward")
    for wrong in ({"end": 400}, {"start": 32}, {"entity_type": "mail"}):
        answer = send(client, "POST", PATH, WRONG | wrong)
        assert (answer.status_code, answer.json()["code"]) == (400, "VAULT_VALID_3001")
    assert send(client, "GET", f"{PATH}?state=lost").status_code == 400


def test_test_cases_are_run_against_the_detectors_of_now_and_tell_drift(tenant):
    client = caller(tenant, "data_steward")
    assert settled(client, given(client, verdict="missed"), "case").status_code == 200
    assert settled(client, given(client), "case").status_code == 200
    ran = send(client, "POST", "/detection/test-cases/run").json()
    assert ran["drifted"] == 1
    assert {(one["is_expected"], one["outcome"], one["changed"]) for one in ran["results"]} == {
        (True, "held", False),
        (False, "drifted", False),
    }
    lines = send(client, "GET", "/detection/test-cases/export").content.splitlines()
    assert len(lines) == 2
    assert b"acme" not in b"".join(lines)
    listed = send(client, "GET", "/detection/test-cases").json()["data"]
    assert {one["outcome"] for one in listed} == {"held", "drifted"}
    one = f"/detection/test-cases/{listed[0]['id']}"
    assert send(client, "DELETE", one).status_code == 204
    gone = send(client, "DELETE", one)
    assert (gone.status_code, gone.json()["code"]) == (404, "VAULT_ANON_6106")


@pytest.mark.parametrize("records", [["r1"], None])
def test_what_quotes_an_erased_record_is_forgotten(tenant, records):
    dataset_id = uuid4()
    steward = principal_with(tenant, "data_steward")
    given(caller(tenant, "data_steward"), dataset_id=str(dataset_id))
    with acting(tenant, steward):
        add_case(steward, new=NewCase("abc", 0, 3, "PERSON", is_expected=True, dataset_id=dataset_id, record_id="r1"))
        assert forget_feedback(dataset_id, ["r2"]) == 0
        assert forget_feedback(UUID(int=1), records) == 0
        assert forget_feedback(dataset_id, records) == 2
        assert not DetectionCase.objects.exists()
        assert not FindingFeedback.objects.exists()
