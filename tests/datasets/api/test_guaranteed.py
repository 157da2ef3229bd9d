"""Rules of analytics exports over REST: the request of the integration, who may ask, and what is answered."""

import json

import pytest

from datasets.services.guaranteed.run import run_guaranteed_export
from datasets.services.guaranteed.schedules import plan_scheduled_exports
from tests.factories.api import caller, decisions_of, new_request_id, send
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.guaranteed import declare_rules, people

ROWS = people(80)


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl(ROWS))
    declare_rules(tenant, made)
    return made


def body_for(dataset, **given):
    return {
        "dataset_id": str(dataset.pk),
        "purpose": "model-performance-analysis",
        "fields": ["age", "job"],
        "anonymization": {"level": "k-anonymity", "k": 4, "suppression_limit": 0.1, "subject": "person"},
        "destination": {"target": "llm-analytics-hub", "format": "jsonl"},
    } | given


def ask(client, dataset, **given):
    return send(client, "POST", "/analytics/export", body_for(dataset, **given))


def finished(tenant, client, dataset, **given):
    answer = ask(client, dataset, **given)
    assert answer.status_code == 202, answer.content
    run_guaranteed_export(tenant.pk, answer.json()["export_id"])
    return answer.json()["export_id"]


def test_an_analyst_gets_a_table_without_ever_seeing_a_record_raw(tenant, dataset):
    client = caller(tenant, "analyst")
    answer = ask(client, dataset)
    assert answer.status_code == 202, answer.content
    said = answer.json()
    assert answer["Location"] == f"/api/v1/analytics/export/{said['export_id']}"
    assert (said["status"], said["record_count_estimate"]) == ("processing", 80)
    assert said["privacy_guarantee"]["technique"] == "k-anonymity"
    assert said["privacy_guarantee"]["parameters"]["k"] == 4
    assert said["estimated_completion"]
    run_guaranteed_export(tenant.pk, said["export_id"])
    done = send(client, "GET", f"/analytics/export/{said['export_id']}").json()
    assert (done["status"], done["error"]) == ("completed", None)
    assert done["attained"]["k"] >= 4
    assert float(done["risk"]["after"]["prosecutor"]) <= 0.25
    address = send(client, "POST", f"/analytics/export/{said['export_id']}/download-url", {}).json()
    got = client.get(address["url"])
    lines = b"".join(got.streaming_content).splitlines()
    assert len(lines) == done["record_count"]
    assert client.get(f"{address['url']}x").status_code == 403


def test_the_decision_names_the_guarantee_that_discharges_it(tenant, dataset):
    request_id = new_request_id()
    answer = send(
        caller(tenant, "analyst"), "POST", "/analytics/export", body_for(dataset), **{"X-Request-ID": request_id}
    )
    assert answer.status_code == 202, answer.content
    (decided,) = decisions_of(tenant, request_id)
    assert (decided.type, decided.purpose) == ("data.access.read", "model-performance-analysis")
    said = json.loads(bytes(decided.body))
    assert said["metadata"]["guarantee"]["k"] == 4
    assert said["metadata"]["action"] == "analytics.export"


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"anonymization": {"k": 1}}, 400),
        ({"anonymization": None}, 400),
        ({"anonymization": {"k": 4, "t_closeness": 0.2}}, 400),
        ({"differential_privacy": {"enabled": True, "epsilon": 0.1}}, 400),
        ({"unknown": 1}, 400),
        ({"filter": "age ="}, 400),
        ({"purpose": "nobody-knows"}, 403),
        ({"version": "v9.9.9"}, 404),
    ],
)
def test_requests_that_do_not_fit_are_refused(tenant, dataset, given, status):
    assert ask(caller(tenant, "analyst"), dataset, **given).status_code == status


def test_who_may_not_export_learns_nothing_of_it(tenant, dataset):
    assert ask(caller(tenant, "viewer"), dataset).status_code == 403
    mine = finished(tenant, caller(tenant, "analyst"), dataset)
    other = caller(tenant, "data_scientist")
    assert send(other, "GET", f"/analytics/export/{mine}").status_code == 404


def test_a_copy_is_said_to_be_deleted_once_and_attested_by_somebody_else(tenant, dataset):
    client = caller(tenant, "analyst")
    mine = finished(tenant, client, dataset)
    answer = send(client, "POST", f"/analytics/export/{mine}/deletion")
    assert answer.status_code == 200, answer.content
    assert answer.json()["copy"]["deleted_at"]
    again = send(client, "POST", f"/analytics/export/{mine}/deletion")
    assert (again.status_code, again.json()["code"]) == (409, "VAULT_DATA_4705")
    path = f"/privacy/releases/{answer.json()['release_id']}/withdrawal"
    assert send(client, "POST", path, {"reason": "it is gone"}).status_code == 403
    officer = caller(tenant, "privacy_officer")
    (listed,) = send(officer, "GET", "/privacy/releases").json()["data"]
    assert (listed["state"], bool(listed["reported_at"])) == ("live", True)
    attested = send(officer, "POST", path, {"reason": "seen to be gone"})
    assert (attested.status_code, attested.json()["state"]) == (200, "withdrawn")


def test_quasi_identifiers_are_suggested_on_the_callers_view(tenant, dataset):
    answer = send(
        caller(tenant, "data_steward"), "POST", "/analytics/quasi-identifiers",
        {"dataset_id": str(dataset.pk), "purpose": "analytics"},
    )  # fmt: skip
    assert answer.status_code == 200, answer.content
    said = answer.json()
    assert said["records"] == 80
    assert "person" in said["identifiers"]
    assert {"age", "job"} <= set(said["quasi_identifiers"])


def test_a_schedule_asks_as_its_owner_and_ends(tenant, dataset):
    client = caller(tenant, "analyst")
    made = send(client, "POST", "/analytics/schedules", body_for(dataset) | {"interval_hours": 24})
    assert made.status_code == 201, made.content
    assert plan_scheduled_exports() == 1
    assert plan_scheduled_exports() == 0
    listed = send(client, "GET", f"/analytics/schedules?dataset_id={dataset.pk}").json()["data"]
    assert (listed[0]["failure"], listed[0]["id"]) == ("", made.json()["id"])
    exports = send(client, "GET", f"/analytics/export?dataset_id={dataset.pk}").json()["data"]
    assert [one["schedule_id"] for one in exports] == [made.json()["id"]]
    assert send(client, "DELETE", f"/analytics/schedules/{made.json()['id']}").status_code == 204
    gone = send(client, "DELETE", f"/analytics/schedules/{made.json()['id']}")
    assert (gone.status_code, gone.json()["code"]) == (404, "VAULT_DATA_4704")


def test_who_answers_for_releases_sees_and_ends_the_schedules_of_others(tenant, dataset):
    client, steward = caller(tenant, "analyst"), caller(tenant, "data_steward")
    made = send(client, "POST", "/analytics/schedules", body_for(dataset) | {"interval_hours": 24}).json()
    path = f"/analytics/schedules?dataset_id={dataset.pk}"
    assert send(caller(tenant, "data_scientist"), "GET", path).json()["data"] == []
    assert send(caller(tenant, "data_scientist"), "DELETE", f"/analytics/schedules/{made['id']}").status_code == 404
    (listed,) = send(steward, "GET", path).json()["data"]
    assert (listed["id"], listed["owner"]) == (made["id"], made["owner"])
    assert send(steward, "DELETE", f"/analytics/schedules/{made['id']}").status_code == 204
    assert send(client, "GET", path).json()["data"] == []


def test_a_schedule_outside_the_rules_is_refused_at_once(tenant, dataset):
    body = body_for(dataset, anonymization={"k": 4, "subject": "note"}) | {"interval_hours": 24}
    refused = send(caller(tenant, "analyst"), "POST", "/analytics/schedules", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "VAULT_DATA_4707")
