"""Rules of archive, restore, purges and quotas over REST."""

from uuid import uuid4

import orjson
import pytest

from tests.factories.api import caller, events_of, new_request_id, send
from tests.factories.datasets import jsonl, make_dataset, rows_of, upload


@pytest.fixture
def dataset(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(4)))
    return dataset


@pytest.fixture
def steward(tenant):
    return caller(tenant, "data_steward")


def facts_of(tenant, request_id):
    return [event.type for event in events_of(tenant, request_id)]


def test_a_dataset_is_archived_and_restored(tenant, steward, dataset):
    base, request_id = f"/datasets/{dataset.pk}", new_request_id()
    archived = send(steward, "POST", f"{base}/archive", **{"X-Request-ID": request_id})
    assert (archived.status_code, archived.json()["archived_at"] is not None) == (200, True)
    assert facts_of(tenant, request_id) == ["data.access.write", "data.archived"]
    assert send(steward, "POST", f"{base}/archive").json() == archived.json()
    (listed,) = send(steward, "GET", "/datasets").json()["data"]
    assert listed["archived_at"] is not None
    refused = send(steward, "POST", f"{base}/data", jsonl(rows_of(1)))
    assert (refused.status_code, refused.json()["code"]) == (409, "VAULT_DATA_4321")
    assert send(steward, "GET", f"{base}/data").getvalue().count(b"\n") == 4
    assert send(steward, "POST", f"{base}/restore").json()["archived_at"] is None
    again = send(steward, "POST", f"{base}/restore")
    assert (again.status_code, again.json()["code"]) == (409, "VAULT_DATA_4322")


def test_a_deletion_can_be_undone(tenant, steward, dataset):
    base, request_id = f"/datasets/{dataset.pk}", new_request_id()
    answer = send(steward, "DELETE", base, **{"X-Request-ID": request_id})
    assert (answer.status_code, answer.content) == (204, b"")
    assert facts_of(tenant, request_id) == ["data.access.delete", "data.deleted"]
    assert send(steward, "GET", "/datasets").json()["data"] == []
    assert send(steward, "GET", f"{base}/data").status_code == 404
    (listed,) = send(steward, "GET", "/datasets?deleted=1").json()["data"]
    assert (listed["id"], listed["deleted_at"] < listed["delete_after"]) == (str(dataset.pk), True)
    assert send(steward, "GET", base).json() == listed
    request_id = new_request_id()
    assert send(steward, "POST", f"{base}/restore", **{"X-Request-ID": request_id}).json()["deleted_at"] is None
    assert facts_of(tenant, request_id) == ["data.access.write", "data.restored"]
    assert send(steward, "GET", "/datasets?deleted=1").json()["data"] == []
    assert send(steward, "GET", f"{base}/data").getvalue().count(b"\n") == 4


def test_for_who_may_not_restore_a_deleted_dataset_is_like_one_that_never_was(tenant, steward, dataset):
    send(steward, "DELETE", f"/datasets/{dataset.pk}")
    engineer = caller(tenant, "ml_engineer")
    assert send(engineer, "GET", "/datasets?deleted=1").status_code == 403
    for method, tail in (("GET", ""), ("POST", "/restore"), ("DELETE", "?purge=now"), ("GET", "/versions")):
        there = send(engineer, method, f"/datasets/{dataset.pk}{tail}").json()
        nowhere = send(engineer, method, f"/datasets/{uuid4()}{tail}").json()
        assert there["status"] == 404
        assert there | {"trace_id": ""} == nowhere | {"trace_id": ""}


def test_a_purge_is_answered_with_where_to_follow_it(tenant, rival, steward, dataset):
    request_id = new_request_id()
    answer = send(steward, "DELETE", f"/datasets/{dataset.pk}?purge=now", **{"X-Request-ID": request_id})
    assert (answer.status_code, answer.json()["dataset_id"]) == (202, str(dataset.pk))
    assert facts_of(tenant, request_id) == ["data.access.delete", "data.purged"]
    place = answer["Location"].removeprefix("/api/v1")
    assert send(steward, "GET", place).json()["id"] == answer.json()["id"]
    assert send(steward, "POST", f"/datasets/{dataset.pk}/restore").status_code == 404
    assert send(caller(tenant, "ml_engineer"), "GET", place).status_code == 403
    stranger = send(caller(rival, "data_steward"), "GET", place)
    assert (stranger.status_code, stranger.json()["code"]) == (404, "VAULT_DATA_4324")
    assert send(steward, "DELETE", f"/datasets/{uuid4()}?purge=later").json()["code"] == "VAULT_VALID_3001"


def test_quotas_are_read_and_set_by_who_may(tenant, dataset):
    admin, engineer = caller(tenant, "tenant_admin"), caller(tenant, "ml_engineer")
    assert send(engineer, "GET", "/quotas").status_code == 403
    before = {row["quota"]: row for row in send(admin, "GET", "/quotas").json()["data"]}
    assert (before["datasets"], before["records"]) == (
        {"quota": "datasets", "limit": None, "used": 1},
        {"quota": "records", "limit": None, "used": 4},
    )
    request_id = new_request_id()
    answer = send(admin, "PUT", "/quotas", {"datasets": 1, "records": None}, **{"X-Request-ID": request_id})
    assert (answer.status_code, answer.json()["data"][1]) == (200, {"quota": "datasets", "limit": 1, "used": 1})
    (event,) = events_of(tenant, request_id)
    assert orjson.loads(event.body)["metadata"]["limits"] == {"bytes": None, "datasets": 1, "records": None}
    refused = send(caller(tenant, "data_steward"), "POST", "/datasets", {"name": "one more"})
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (409, "VAULT_DATA_4323")
    assert (problem["quota"], problem["limit"], problem["used"], problem["asked"]) == ("datasets", 1, 1, 1)
    assert send(caller(tenant, "data_steward"), "PUT", "/quotas", {"datasets": 5}).status_code == 403
    for bad in ({"bytes": -1}, {"bytes": "much"}, {"objects": 1}):
        assert send(admin, "PUT", "/quotas", bad).status_code == 400
