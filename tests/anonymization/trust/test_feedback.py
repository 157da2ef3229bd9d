"""Feedback on findings and what it is turned into; test cases and their runs."""

from uuid import UUID, uuid4

import pytest

from anonymization.models import DetectionCase, FindingFeedback
from anonymization.services.cases import NewCase, add_case
from anonymization.services.feedback import forget_feedback
from anonymization.services.trust import load_trust
from tests.factories.access import acting, principal_with
from tests.factories.api import caller, send
from tests.factories.datasets import make_dataset

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


@pytest.fixture(autouse=True)
def dataset(tenant):
    """What the feedback of these tests is about."""
    made = make_dataset(tenant)
    WRONG["dataset_id"] = str(made.pk)
    return made


def given(tenant, **changed):
    """The id of feedback that somebody gave who does not settle it."""
    answer = send(caller(tenant, "data_steward"), "POST", PATH, WRONG | changed)
    assert answer.status_code == 201, answer.content
    return answer.json()["id"]


def settled(client, feedback_id, outcome, **more):
    return send(client, "POST", f"{PATH}/{feedback_id}/settle", {"outcome": outcome, "reason": "tests", **more})


def test_feedback_is_sealed_and_becomes_an_entry_of_the_allow_list_once(tenant):
    client = caller(tenant, "data_steward")
    feedback_id = given(tenant)
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
    missed = given(tenant, verdict="missed", entity_type="ID_NUMBER", start=7, end=10)
    assert settled(client, missed, "deny").status_code == 200
    field = given(tenant, verdict="missed", entity_type="ID_NUMBER", start=7, end=10)
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
    for wrong in ({"end": 400}, {"start": 32}, {"entity_type": "mail"}, {"record_id": ""}, {"dataset_id": None}):
        answer = send(client, "POST", PATH, WRONG | wrong)
        assert (answer.status_code, answer.json()["code"]) == (400, "VAULT_VALID_3001")
    assert send(client, "GET", f"{PATH}?state=lost").status_code == 400


def test_test_cases_are_run_against_the_detectors_of_now_and_tell_drift(tenant):
    client = caller(tenant, "data_steward")
    assert settled(client, given(tenant, verdict="missed"), "case").status_code == 200
    assert settled(client, given(tenant), "case").status_code == 200
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
def test_what_quotes_an_erased_record_is_forgotten(tenant, dataset, records):
    dataset_id = dataset.pk
    steward = principal_with(tenant, "data_steward")
    given(tenant)
    with acting(tenant, steward):
        add_case(steward, new=NewCase("abc", 0, 3, "PERSON", is_expected=True, dataset_id=dataset_id, record_id="r1"))
        assert forget_feedback(dataset_id, ["r2"]) == 0
        assert forget_feedback(UUID(int=1), records) == 0
        assert forget_feedback(dataset_id, records) == 2
        assert not DetectionCase.objects.exists()
        assert not FindingFeedback.objects.exists()


@pytest.mark.parametrize("records", [["r1"], None])
def test_what_does_not_say_what_it_quotes_goes_with_any_erasure(tenant, dataset, records):
    """As feedback was kept before it had to name its record."""
    for changed in ({"record_id": ""}, {"dataset_id": None, "record_id": ""}):
        given(tenant)
        with acting(tenant):
            FindingFeedback.objects.filter(record_id="r1").update(**changed)
    with acting(tenant):
        assert forget_feedback(dataset.pk, records) == 2


def test_feedback_on_a_dataset_that_cannot_be_seen_is_feedback_on_none(tenant, rival):
    client = caller(tenant, "data_steward")
    answers = [
        send(client, "POST", PATH, WRONG | {"dataset_id": str(one)}) for one in (make_dataset(rival).pk, uuid4())
    ]
    assert [(one.status_code, one.json()["code"]) for one in answers] == [(404, "VAULT_DATA_4001")] * 2


@pytest.mark.parametrize("outcome", ["allow", "deny", "field", "case"])
def test_who_gave_feedback_makes_no_rule_of_it_and_may_drop_it(tenant, outcome):
    client = caller(tenant, "data_steward")
    feedback_id = send(client, "POST", PATH, WRONG).json()["id"]
    refused = settled(client, feedback_id, outcome)
    assert (refused.status_code, refused.json()["code"]) == (403, "VAULT_ANON_6107")
    assert settled(client, feedback_id, "dismiss").json()["state"] == "dismissed"
