"""The shapes of the AuthZEN Authorization API 1.0, as its clients find and read them."""

from typing import Any

import pytest
from django.test import Client

from access.models import Tenant
from datasets.models import Dataset
from tests.factories.access import make_user
from tests.factories.api import API, caller, send
from tests.factories.datasets import make_dataset


@pytest.fixture
def dataset(tenant: Tenant) -> Dataset:
    return make_dataset(tenant, classification="pii")


@pytest.fixture
def pep(tenant: Tenant) -> Client:
    return caller(tenant, "security_officer", purpose="")


def question(dataset: Dataset, **changed: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "subject": {"type": "user", "id": "alice@example.org", "properties": {"roles": ["data_scientist"]}},
        "action": {"name": "record.read", "properties": {"method": "GET"}},
        "resource": {"type": "dataset", "id": str(dataset.pk), "properties": {}},
        "context": {"purpose": "analytics", "time": "2026-11-18T12:00Z"},
    }
    return body | changed


def test_a_client_finds_every_endpoint_without_a_credential_and_each_answers(pep: Client, dataset: Dataset) -> None:
    found = Client().get("/.well-known/authzen-configuration")
    assert found["Content-Type"].startswith("application/json")
    told = found.json()
    assert told.pop("policy_decision_point") == "http://testserver"
    assert sorted(told) == [
        "access_evaluation_endpoint",
        "access_evaluations_endpoint",
        "search_action_endpoint",
        "search_resource_endpoint",
        "search_subject_endpoint",
    ]
    for address in told.values():
        path = address.removeprefix("http://testserver" + API)
        assert send(pep, "POST", path, question(dataset)).status_code == 200
        assert send(Client(), "POST", path, question(dataset)).status_code == 401


def test_a_decision_is_true_or_false_and_the_request_id_comes_back(pep: Client, dataset: Dataset) -> None:
    answer = send(pep, "POST", "/access/v1/evaluation", question(dataset), **{"X-Request-ID": "bfe9eb29-ab87"})
    assert answer["X-Request-ID"] == "bfe9eb29-ab87"
    assert set(answer.json()) == {"decision", "context"}
    assert answer.json()["decision"] is True
    denied = send(pep, "POST", "/access/v1/evaluation", question(dataset, action={"name": "dataset.delete"}))
    assert (denied.status_code, denied.json()["decision"]) == (200, False)


@pytest.mark.parametrize(
    "changed",
    [
        {"subject": {"id": "x"}},
        {"subject": {"type": "user"}},
        {"subject": "x"},
        {"action": {}},
        {"action": {"name": 5, "properties": []}},
        {"resource": {"type": "dataset"}},
        {"resource": {"id": "x"}},
        {"context": "now"},
    ],
)
def test_what_lacks_a_member_of_the_model_is_a_bad_request(pep: Client, dataset: Dataset, changed: Any) -> None:
    assert send(pep, "POST", "/access/v1/evaluation", question(dataset, **changed)).status_code == 400


def test_each_of_several_evaluations_replaces_what_it_names_and_keeps_the_rest(pep: Client, dataset: Dataset) -> None:
    body = question(dataset)
    body["evaluations"] = [
        {"resource": {"type": "dataset", "id": str(dataset.pk)}},
        {"subject": {"type": "user", "id": "bob@example.org"}},
        {"context": {}},
    ]
    answer = send(pep, "POST", "/access/v1/evaluations", body).json()
    assert list(answer) == ["evaluations"]
    assert [one["decision"] for one in answer["evaluations"]] == [True, False, False]


@pytest.mark.parametrize(
    ("searched", "unknown"),
    [("subject", {"subject": {"type": "robot"}}), ("resource", {"resource": {"type": "document"}})],
)
def test_a_search_for_a_type_that_there_is_not_finds_nothing(
    pep: Client, dataset: Dataset, searched: str, unknown: dict[str, Any]
) -> None:
    answer = send(pep, "POST", f"/access/v1/search/{searched}", question(dataset, **unknown))
    assert answer.json() == {"results": [], "page": {"next_token": ""}}


def test_the_pages_of_a_search_join_without_gap_or_repetition(tenant: Tenant, pep: Client, dataset: Dataset) -> None:
    stewards = {str(make_user(tenant, "data_steward").pk) for _ in range(5)}
    body, seen, token = question(dataset, subject={"type": "user", "id": "ignored"}), [], None
    while token != "":
        page = {"limit": 2} | ({"token": token} if token else {})
        answer = send(pep, "POST", "/access/v1/search/subject", {**body, "page": page}).json()
        assert len(answer["results"]) <= 2
        assert all(one["type"] == "user" for one in answer["results"])
        seen += [one["id"] for one in answer["results"]]
        token = answer["page"]["next_token"]
    assert (sorted(seen), stewards <= set(seen)) == (sorted(set(seen)), True)


def test_actions_are_found_by_name(pep: Client, dataset: Dataset) -> None:
    body = question(dataset)
    del body["action"]
    answer = send(pep, "POST", "/access/v1/search/action", body).json()
    assert {"name": "record.read"} in answer["results"]
    assert all(list(one) == ["name"] for one in answer["results"])
