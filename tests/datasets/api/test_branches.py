from datetime import timedelta
from uuid import uuid4

import orjson
import pytest
from django.utils import timezone

from tests.factories.api import caller, decisions_of, events_of, new_request_id, send
from tests.factories.datasets import jsonl, make_dataset, rows_of, someone, upload


@pytest.fixture
def dataset(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(4)))
    upload(tenant, dataset, jsonl(rows_of(6)))
    return dataset


@pytest.fixture
def steward(tenant):
    return caller(tenant, "data_steward")


def test_branches_are_made_listed_read_and_deleted(tenant, steward, dataset):
    base = f"/datasets/{dataset.pk}/branches"
    answer = send(steward, "POST", base, {"name": "team/a", "version": "v1.0.0"})
    assert answer.status_code == 201
    made = answer.json()
    assert (made["name"], made["version"], made["is_protected"], made["is_default"]) == (
        "team/a",
        "v1.0.0",
        False,
        False,
    )
    assert len(made["version_id"]) == 64
    assert send(steward, "GET", answer["Location"].removeprefix("/api/v1")).json() == made
    send(steward, "POST", base, {"name": "z"})
    first = send(steward, "GET", f"{base}?limit=2").json()
    assert [branch["name"] for branch in first["data"]] == ["main", "team/a"]
    rest = send(steward, "GET", f"{base}?limit=2&cursor={first['pagination']['next_cursor']}").json()
    assert [branch["name"] for branch in rest["data"]] == ["z"]
    assert rest["pagination"]["next_cursor"] is None
    assert send(steward, "DELETE", f"{base}/team/a").status_code == 204
    assert send(steward, "GET", f"{base}/team/a").json()["code"] == "VAULT_DATA_4301"


def test_an_empty_dataset_has_its_default_branch(tenant, steward):
    dataset = make_dataset(tenant)
    listed = send(steward, "GET", f"/datasets/{dataset.pk}/branches").json()["data"]
    assert [(branch["name"], branch["version"], branch["is_default"]) for branch in listed] == [("main", None, True)]
    assert send(steward, "GET", f"/datasets/{dataset.pk}/log").json()["data"] == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "v1.0.0"}, 400, "VAULT_DATA_4304"),
        ({"name": "main"}, 409, "VAULT_DATA_4303"),
        ({"name": "x", "version": "nothing"}, 404, "VAULT_DATA_4002"),
        ({"name": "x", "head": "v1.0.0"}, 400, "VAULT_VALID_3001"),
        ({}, 400, "VAULT_VALID_3001"),
    ],
)
def test_a_branch_that_cannot_be_made_says_why(steward, dataset, body, status, code):
    answer = send(steward, "POST", f"/datasets/{dataset.pk}/branches", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    if code != "VAULT_DATA_4303" and status == 400:
        assert answer.json()["errors"][0]["field"].strip("/") in {"name", "head"}


def test_a_branch_moves_by_compare_and_swap(steward, dataset):
    base = f"/datasets/{dataset.pk}/branches/main"
    refused = send(steward, "PATCH", base, {"version": "v1.0.0", "expected": "v1.0.0"})
    assert (refused.status_code, refused.json()["code"], refused.json()["head"]) == (409, "VAULT_DATA_4306", "v1.1.0")
    moved = send(steward, "PATCH", base, {"version": "v1.0.0", "expected": "v1.1.0"})
    assert (moved.status_code, moved.json()["version"]) == (200, "v1.0.0")
    for body in ({"version": "v1.1.0"}, {}, {"is_protected": True, "version": "v1.1.0", "expected": "v1.0.0"}):
        assert send(steward, "PATCH", base, body).status_code == 400


def test_who_writes_may_not_unprotect(tenant, steward, dataset):
    base = f"/datasets/{dataset.pk}/branches/main"
    assert send(steward, "PATCH", base, {"is_protected": True}).json()["is_protected"] is True
    engineer = caller(tenant, "ml_engineer")
    request_id = new_request_id()
    refused = send(engineer, "PATCH", base, {"is_protected": False}, **{"X-Request-ID": request_id})
    assert refused.status_code == 403
    (decision,) = decisions_of(tenant, request_id)
    assert (decision.type, orjson.loads(decision.body)["metadata"]["action"]) == (
        "data.access.denied",
        "branch.protect",
    )
    body = jsonl(rows_of(1))
    upload_refused = send(engineer, "POST", f"/datasets/{dataset.pk}/data", body)
    assert (upload_refused.status_code, upload_refused.json()["code"]) == (409, "VAULT_DATA_4302")
    assert send(steward, "PATCH", base, {"is_protected": False}).json()["is_protected"] is False
    assert send(engineer, "POST", f"/datasets/{dataset.pk}/data", body).status_code == 202


def test_a_change_of_a_branch_is_an_event(tenant, steward, dataset):
    request_id = new_request_id()
    send(steward, "POST", f"/datasets/{dataset.pk}/branches", {"name": "side"}, **{"X-Request-ID": request_id})
    (event,) = [event for event in events_of(tenant, request_id) if event.type == "data.ref.changed"]
    told = orjson.loads(event.body)["metadata"]
    assert told.pop("duration_ms") >= 0
    assert told == {"change": "created", "branch": "side"}


def test_an_upload_names_its_branch(steward, dataset):
    send(steward, "POST", f"/datasets/{dataset.pk}/branches", {"name": "side"})
    data = f"/datasets/{dataset.pk}/data"
    assert send(steward, "POST", f"{data}?branch=side", jsonl(rows_of(1))).status_code == 202
    assert send(steward, "POST", f"{data}?branch=other", jsonl(rows_of(1))).status_code == 404
    released = send(steward, "GET", f"{data}?version=side")
    assert (released.status_code, released.getvalue().count(b"\n")) == (200, 6)


def test_tags_are_made_listed_and_deleted(steward, dataset):
    base = f"/datasets/{dataset.pk}/tags"
    answer = send(steward, "POST", base, {"name": "paper", "version": "v1.0.0", "message": "as published"})
    assert (answer.status_code, answer.json()["version"]) == (201, "v1.0.0")
    send(steward, "POST", base, {"name": "latest", "version": "main"})
    first = send(steward, "GET", f"{base}?limit=1").json()
    assert [tag["name"] for tag in first["data"]] == ["latest"]
    rest = send(steward, "GET", f"{base}?limit=1&cursor={first['pagination']['next_cursor']}").json()
    assert [(tag["name"], tag["message"]) for tag in rest["data"]] == [("paper", "as published")]
    assert send(steward, "GET", f"/datasets/{dataset.pk}/versions/paper").json()["label"] == "v1.0.0"
    assert send(steward, "DELETE", f"{base}/paper").status_code == 204
    assert send(steward, "DELETE", f"{base}/paper").json()["code"] == "VAULT_DATA_4305"


def test_a_rollback_answers_with_the_new_version(steward, dataset):
    answer = send(
        steward,
        "POST",
        f"/datasets/{dataset.pk}/branches/main/rollback",
        {"version": "v1.0.0", "message": "bad labels", "expected": "v1.1.0"},
    )
    made = answer.json()
    assert answer.status_code == 201
    assert (made["label"], made["parent"], made["kind"], made["record_count"]) == ("v1.2.0", "v1.1.0", "rollback", 4)
    assert send(steward, "GET", answer["Location"].removeprefix("/api/v1")).json() == made


def test_a_log_is_paged_from_the_head_it_began_with(steward, dataset):
    for _ in range(3):
        send(steward, "POST", f"/datasets/{dataset.pk}/branches/main/rollback", {"version": "v1.0.0"})
    log = f"/datasets/{dataset.pk}/log"
    first = send(steward, "GET", f"{log}?limit=2").json()
    assert [version["label"] for version in first["data"]] == ["v1.4.0", "v1.3.0"]
    send(steward, "POST", f"/datasets/{dataset.pk}/branches/main/rollback", {"version": "v1.0.0"})
    cursor = first["pagination"]["next_cursor"]
    second = send(steward, "GET", f"{log}?limit=2&cursor={cursor}").json()
    assert [version["label"] for version in second["data"]] == ["v1.2.0", "v1.1.0"]
    send(steward, "POST", f"/datasets/{dataset.pk}/branches", {"name": "side"})
    assert send(steward, "GET", f"{log}?branch=side&cursor={cursor}").json()["code"] == "VAULT_VALID_3008"
    assert send(steward, "GET", f"{log}?branch=nowhere").status_code == 404


def test_a_log_keeps_to_an_author_and_a_time(tenant, steward, dataset):
    log = f"/datasets/{dataset.pk}/log"
    upload(tenant, dataset, jsonl(rows_of(2)), steward=someone(tenant, "ml_engineer"))
    authors = [version["author"] for version in send(steward, "GET", log).json()["data"]]
    assert len(authors) == 3
    mine = send(steward, "GET", f"{log}?author={authors[0]}").json()["data"]
    assert [version["label"] for version in mine] == ["v1.2.0"]
    assert send(steward, "GET", f"{log}?author={uuid4()}").json()["data"] == []
    moment = (timezone.now() - timedelta(days=1)).isoformat().replace("+", "%2B")
    assert len(send(steward, "GET", f"{log}?since={moment}").json()["data"]) == 3
    moment = (timezone.now() + timedelta(days=1)).isoformat().replace("+", "%2B")
    assert send(steward, "GET", f"{log}?since={moment}").json()["data"] == []
    for bad in ("since=yesterday", "author=ada", "limit=0", "who=me"):
        assert send(steward, "GET", f"{log}?{bad}").status_code == 400


def test_of_another_tenant_there_is_no_branch(rival, steward, dataset):
    stranger = caller(rival, "data_steward")
    base = f"/datasets/{dataset.pk}"
    for method, path, body in (
        ("GET", "/branches", None),
        ("POST", "/branches", {"name": "x"}),
        ("GET", "/branches/main", None),
        ("PATCH", "/branches/main", {"is_protected": True}),
        ("DELETE", "/branches/main", None),
        ("POST", "/branches/main/rollback", {"version": "v1.0.0"}),
        ("GET", "/tags", None),
        ("POST", "/tags", {"name": "x", "version": "main"}),
        ("DELETE", "/tags/x", None),
        ("GET", "/log", None),
    ):
        there = send(stranger, method, base + path, body)
        nowhere = send(stranger, method, f"/datasets/{uuid4()}{path}", body)
        differing = {"trace_id": None}
        assert there.status_code == 404
        assert there.json() | differing == nowhere.json() | differing
