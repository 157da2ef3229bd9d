"""The REST API of retention."""

from uuid import uuid4

import pytest

from tests.factories.api import caller, send
from tests.factories.datasets import make_dataset
from tests.factories.retention import made_ago, make_policy, run_now

BODY = {
    "name": "Storage limitation",
    "legal_basis": "GDPR, article 5",
    "starts": "created",
    "duration_days": 365,
    "action": "delete",
}


def test_a_policy_is_made_read_changed_and_ended(tenant) -> None:
    officer, auditor = caller(tenant, "privacy_officer"), caller(tenant, "auditor")
    made = send(officer, "POST", "/retention/policies", BODY)
    assert made.status_code == 201, made.content
    assert BODY.items() <= made.json().items()
    assert (made.json()["revision"], made.json()["grace_days"]) == (1, 14)
    path = f"/retention/policies/{made.json()['id']}"
    assert send(auditor, "GET", path).json() == made.json()
    changed = send(officer, "PATCH", path, {"duration_days": 400, "tags": ["alpha"]}).json()
    assert (changed["revision"], changed["duration_days"], changed["tags"]) == (2, 400, ["alpha"])
    assert send(officer, "PATCH", path, {"duration_days": 400}).json()["revision"] == 2
    listed = send(auditor, "GET", "/retention/policies").json()
    assert [one["id"] for one in listed["data"]] == [made.json()["id"]]
    assert send(officer, "DELETE", path).status_code == 204
    gone = send(auditor, "GET", path)
    assert (gone.status_code, gone.json()["code"]) == (404, "VAULT_COMP_8000")
    assert send(auditor, "GET", "/retention/policies").json()["data"] == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"action": ""}, "/action"),
        ({"action": "", "duration_days": None}, "/minimum_days"),
        ({"starts": "event"}, "/event"),
        ({"event": "contract-ended"}, "/event"),
        ({"starts": "event", "event": "Contract ended"}, "/event"),
        ({"minimum_days": 0}, "/minimum_days"),
        ({"grace_days": 400}, "/grace_days"),
        ({"classifications": ["secret"]}, "/classifications/0"),
        ({"tags": ["a", "a"]}, "/tags"),
        ({"purposes": ["nothing-known"]}, "/purposes"),
        ({"name": " "}, "/name"),
        ({"retention": 1}, "/retention"),
    ],
)
def test_terms_that_do_not_fit_are_named(tenant, changed, field) -> None:
    answer = send(caller(tenant, "privacy_officer"), "POST", "/retention/policies", BODY | changed)
    assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (400, [field])


def test_a_legal_basis_holds_no_personal_data(tenant) -> None:
    body = BODY | {"legal_basis": "asked ada.lovelace@example.com"}
    answer = send(caller(tenant, "privacy_officer"), "POST", "/retention/policies", body)
    assert answer.status_code in {400, 422}
    assert "lovelace" not in answer.text


def test_a_name_is_taken_while_its_policy_is_in_force(tenant) -> None:
    officer = caller(tenant, "privacy_officer")
    first = send(officer, "POST", "/retention/policies", BODY).json()
    again = send(officer, "POST", "/retention/policies", BODY)
    assert (again.status_code, again.json()["code"]) == (409, "VAULT_COMP_8002")
    send(officer, "DELETE", f"/retention/policies/{first['id']}")
    assert send(officer, "POST", "/retention/policies", BODY).status_code == 201


def test_who_reads_does_not_manage_and_strangers_see_nothing(tenant, rival) -> None:
    policy = make_policy(tenant)
    for role in ("auditor", "legal_counsel"):
        client = caller(tenant, role)
        assert send(client, "GET", f"/retention/policies/{policy.pk}").status_code == 200
        assert send(client, "POST", "/retention/policies", BODY).status_code == 403
        assert send(client, "POST", "/retention/runs").status_code == 403
    assert send(caller(tenant, "data_steward"), "GET", "/retention/policies").status_code == 403
    stranger = caller(rival, "privacy_officer")
    answers = [send(stranger, "GET", f"/retention/policies/{one}") for one in (policy.pk, uuid4())]
    assert {(one.status_code, one.json()["code"]) for one in answers} == {(404, "VAULT_COMP_8000")}
    answers = [send(stranger, "GET", f"/retention/runs/{one}") for one in (run_now(tenant).pk, uuid4())]
    assert {(one.status_code, one.json()["code"]) for one in answers} == {(404, "VAULT_COMP_8001")}


def test_a_preview_says_what_a_policy_would_do_and_does_nothing(tenant) -> None:
    old, young = made_ago(make_dataset(tenant), 400), made_ago(make_dataset(tenant), 300)
    officer = caller(tenant, "privacy_officer")
    now = send(officer, "POST", "/retention/preview", {"policy": BODY}).json()
    assert (now["affected"], now["acts"]) == (1, {"delete": 1})
    assert [one["dataset_id"] for one in now["datasets"]] == [str(old.pk)]
    later = send(officer, "POST", "/retention/preview", {"policy": BODY, "days": 100}).json()
    assert [one["dataset_id"] for one in later["datasets"]] == [str(old.pk), str(young.pk)]
    assert send(officer, "GET", "/retention/policies").json()["data"] == []
    kept = send(officer, "POST", "/retention/preview", {"policy": BODY | {"minimum_days": 500}}).json()
    assert (kept["affected"], kept["kept"], kept["acts"]) == (1, 1, {})
    assert kept["datasets"][0]["legal_basis"] == "GDPR, article 5"


def test_a_run_is_asked_for_and_reported(tenant) -> None:
    make_policy(tenant)
    dataset = made_ago(make_dataset(tenant), 400)
    officer = caller(tenant, "privacy_officer")
    begun = send(officer, "POST", "/retention/runs")
    assert begun.status_code == 202
    assert begun["Location"] == f"/api/v1/retention/runs/{begun.json()['id']}"
    assert send(officer, "POST", "/retention/runs").json()["id"] == begun.json()["id"]
    run = run_now(tenant)
    assert str(run.pk) == begun.json()["id"]
    answer = send(officer, "GET", f"/retention/runs/{run.pk}").json()
    assert (answer["status"], answer["counts"]) == ("succeeded", {"announced": 1})
    (step,) = send(officer, "GET", f"/retention/runs/{run.pk}/steps").json()["data"]
    assert (step["dataset_id"], step["outcome"], step["action"]) == (str(dataset.pk), "announced", "delete")
    assert [one["id"] for one in send(officer, "GET", "/retention/runs").json()["data"]] == [str(run.pk)]


def test_the_calendar_has_what_is_due_and_the_months_ahead(tenant) -> None:
    make_policy(tenant)
    made_ago(make_dataset(tenant), 400)
    made_ago(make_dataset(tenant), 300)
    months = send(caller(tenant, "auditor"), "GET", "/retention/calendar").json()["data"]
    assert months[0] == {"month": None, "counts": {"delete": 1}}
    assert sum(one["counts"].get("delete", 0) for one in months[1:5]) == 1
    assert len(months) == 25


def test_the_clock_is_confirmed_only_when_it_is_suspected(tenant) -> None:
    officer = caller(tenant, "privacy_officer")
    assert send(officer, "GET", "/retention/clock").json()["suspected_at"] is None
    answer = send(officer, "POST", "/retention/clock/confirm")
    assert (answer.status_code, answer.json()["code"]) == (409, "VAULT_COMP_8004")


def test_periods_count_from_a_recorded_event(tenant) -> None:
    officer, dataset = caller(tenant, "privacy_officer"), make_dataset(tenant)
    made = send(officer, "POST", "/retention/policies", BODY | {"starts": "event", "event": "contract-ended"})
    assert made.status_code == 201
    assert send(officer, "POST", "/retention/preview", {"days": 36000}).json()["affected"] == 0
    body = {"dataset_id": str(dataset.pk), "name": "contract-ended", "occurred_at": "2020-01-01T00:00:00Z"}
    assert send(officer, "POST", "/retention/events", body).status_code == 201
    found = send(officer, "POST", "/retention/preview", {}).json()["datasets"]
    assert [one["due_at"][:10] for one in found] == ["2020-12-31"]
    corrected = body | {"occurred_at": "2021-01-01T00:00:00Z"}
    assert send(officer, "POST", "/retention/events", corrected).status_code == 201
    assert send(officer, "POST", "/retention/preview", {}).json()["datasets"][0]["due_at"][:10] == "2022-01-01"
    for wrong in ({"dataset_id": str(uuid4())}, {"name": "Not A Name"}):
        assert send(officer, "POST", "/retention/events", body | wrong).status_code in {400, 404}
