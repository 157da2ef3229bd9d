"""Rules of the drafts API."""

from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest
from django.db import connections

from access.models import Tenant
from datasets.models import Draft, Publication, StagedRecord, Version
from datasets.services.drafts import publish as publishing
from datasets.services.drafts.publication import run_publication
from tests.factories.access import acting
from tests.factories.api import caller, decisions_of, new_request_id, send
from tests.factories.datasets import jsonl, make_dataset, read_all, upload
from vaultsite.kernel.identifiers import uuid7

CANARY = "jane.canary@example.com"


def filled(tenant: Tenant, **records):
    dataset = make_dataset(tenant)
    body = jsonl({"id": name, "data": data} for name, data in records.items())
    upload(tenant, dataset, body, envelope=True)
    return dataset


@pytest.fixture
def dataset(tenant):
    return filled(tenant, a={"n": 1}, b={"n": 2})


@pytest.fixture
def client(tenant):
    return caller(tenant, "data_steward")


@pytest.fixture
def draft(client, dataset):
    """The path of an open draft."""
    return send(client, "POST", f"/datasets/{dataset.pk}/versions", {}).headers["Location"].removeprefix("/api/v1")


def at_once(count, call):
    def one(number):
        try:
            return call(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_a_draft_goes_its_way_from_opening_to_version(client, dataset):
    base = f"/datasets/{dataset.pk}/versions"
    opened = send(client, "POST", base, {"label": "v9.0.0", "parent": "main", "description": "more"})
    body = opened.json()
    assert opened.status_code == 201
    assert opened["Location"] == f"/api/v1{base}/{body['id']}"
    assert (body["label"], body["parent"], body["branch"], body["status"]) == ("v9.0.0", "v1.0.0", "main", "draft")
    assert body["staged"] == {"added": 0, "updated": 0, "deleted": 0}
    records = [{"id": "a", "data": {"n": 9}}, {"data": {"mail": CANARY}, "metadata": {"k": 1}}, {"id": "!", "data": {}}]
    staged = send(client, "POST", f"{base}/v9.0.0/records", {"records": records}).json()
    assert [result["status"] for result in staged["results"]] == ["updated", "created", "failed"]
    assert (staged["results"][2]["index"], staged["results"][2]["code"]) == (2, "VAULT_DATA_4104")
    gone = send(client, "DELETE", f"{base}/v9.0.0/records", {"ids": ["b", "c"]}).json()
    assert [result["status"] for result in gone["results"]] == ["deleted", "failed"]
    assert send(client, "GET", f"{base}/{body['id']}").json()["staged"] == {"added": 1, "updated": 1, "deleted": 1}
    (listed,) = send(client, "GET", f"{base}?status=draft").json()["data"]
    assert listed["id"] == body["id"]
    shown = send(client, "GET", f"{base}/v9.0.0/records").json()["data"]
    assert {record["id"]: record["data"] for record in shown}["a"] == {"n": 9}
    assert len(shown) == 2
    answer = send(client, "POST", f"{base}/v9.0.0/publish", {"message": "done"})
    assert (answer.status_code, answer.json()["label"], answer.json()["message"]) == (201, "v9.0.0", "done")
    assert send(client, "GET", f"{base}?status=draft").json()["data"] == []
    assert send(client, "GET", f"{base}/{body['id']}").json()["version"] == "v9.0.0"
    again = send(client, "GET", f"{base}/{body['id']}/records").json()["data"]
    assert again == send(client, "GET", f"{base}/v9.0.0/records").json()["data"] == shown


def test_json_lines_are_taken_too(client, draft):
    body = b'{"id":"x","data":{"n":1}}\n\nnot json\n{"data":{}}\n'
    answer = client.generic("POST", f"/api/v1{draft}/records", body, content_type="application/x-ndjson")
    assert [result["status"] for result in answer.json()["results"]] == ["created", "failed", "created"]


def test_pages_of_a_draft_are_its_own(client, dataset, draft):
    records = [{"id": f"r{index}", "data": {"n": index, "m": 0}} for index in range(5)]
    send(client, "POST", f"{draft}/records", {"records": records})
    seen, cursor = [], ""
    while cursor is not None:
        answer = send(client, "GET", f"{draft}/records?limit=2&fields=n{cursor and '&cursor=' + cursor}").json()
        seen += answer["data"]
        cursor = answer["pagination"]["next_cursor"]
    assert [record["id"] for record in seen] == ["a", "b", "r0", "r1", "r2", "r3", "r4"]
    assert seen[2]["data"] == {"n": 0}
    foreign = send(client, "GET", f"{draft}/records?limit=1").json()["pagination"]["next_cursor"]
    answer = send(client, "GET", f"/datasets/{dataset.pk}/versions/main/records?cursor={foreign}")
    assert (answer.status_code, answer.json()["code"]) == (400, "VAULT_VALID_3008")


def test_who_reads_masked_sees_a_draft_masked(tenant, client, draft):
    send(client, "POST", f"{draft}/records", {"records": [{"id": "x", "data": {"mail": CANARY}}]})
    assert send(client, "GET", f"{draft}/records/x").json()["data"] == {"mail": CANARY}
    for role in ("data_scientist", "analyst"):
        reader = caller(tenant, role)
        for path in ("records", "records/x"):
            answer = send(reader, "GET", f"{draft}/{path}")
            assert answer.status_code == 200
            assert CANARY.encode() not in answer.content
    purposeless = caller(tenant, "data_steward", purpose="")
    assert send(purposeless, "GET", f"{draft}/records").json()["code"] == "VAULT_AUTHZ_2002"


def test_only_who_writes_records_may_change_a_draft(tenant, client, dataset, draft):
    base = f"/datasets/{dataset.pk}"
    requests = (
        ("POST", f"{base}/versions", {}),
        ("POST", f"{draft}/records", {"records": [{"data": {}}]}),
        ("DELETE", f"{draft}/records", {"ids": ["a"]}),
        ("DELETE", f"{draft}/records/a", None),
        ("POST", f"{draft}/publish", {}),
        ("PATCH", f"{base}/data", {"records": [{"data": {}}]}),
        ("DELETE", draft, None),
    )
    reader, stranger = caller(tenant, "data_scientist"), caller(tenant, "security_officer")
    for method, path, body in requests:
        request_id = new_request_id()
        assert send(reader, method, path, body, **{"X-Request-ID": request_id}).status_code == 403, path
        assert [event.type for event in decisions_of(tenant, request_id)] == ["data.access.denied"]
        assert send(stranger, method, path, body).status_code == 404, path
    assert send(client, "GET", f"{base}/versions").json()["pagination"]["next_cursor"] is None


def test_another_tenants_draft_answers_like_a_random_id(rival, draft):
    stranger = caller(rival, "data_steward")
    dataset, name = draft.split("/")[2], draft.split("/")[4]
    for method, tail, body in (
        ("GET", "", None),
        ("GET", "/records", None),
        ("POST", "/records", {"records": [{"data": {}}]}),
        ("POST", "/publish", {}),
        ("DELETE", "", None),
    ):
        real = send(stranger, method, draft + tail, body)
        random = send(stranger, method, f"/datasets/{uuid7()}/versions/{uuid7()}{tail}", body)
        assert (real.status_code, real.json()["code"]) == (404, "VAULT_DATA_4001"), (method, tail)
        assert real.json() | {"trace_id": ""} == random.json() | {"trace_id": ""}
        assert dataset not in real.content.decode()
        assert name not in real.content.decode()


def test_published_versions_do_not_change(client, dataset, draft):
    for name in ("v1.0.0", "main", "1"):
        path = f"/datasets/{dataset.pk}/versions/{name}"
        for method, tail, body in (
            ("POST", "/records", {"records": [{"data": {}}]}),
            ("DELETE", "/records/a", None),
            ("POST", "/publish", {}),
            ("DELETE", "", None),
        ):
            answer = send(client, method, path + tail, body)
            assert (answer.status_code, answer.json()["code"]) == (409, "VAULT_DATA_4341"), (name, method, tail)
    missing = send(client, "POST", f"/datasets/{dataset.pk}/versions/{uuid7()}/records", {"records": [{"data": {}}]})
    assert (missing.status_code, missing.json()["code"]) == (404, "VAULT_DATA_4002")


def test_a_moved_branch_and_a_conflict_are_409(client, dataset, draft):
    send(client, "POST", f"{draft}/records", {"records": [{"id": "a", "data": {"n": 5}}]})
    assert (
        send(client, "PATCH", f"/datasets/{dataset.pk}/data", {"records": [{"id": "b", "data": {}}]}).status_code == 201
    )
    moved = send(client, "POST", f"{draft}/publish", {})
    assert (moved.status_code, moved.json()["code"]) == (409, "VAULT_DATA_4306")
    assert (moved.json()["merge_base"], moved.json()["head"], moved.json()["rebase"]) == ("v1.0.0", "v1.1.0", True)
    send(client, "PATCH", f"/datasets/{dataset.pk}/data", {"records": [{"id": "a", "data": {"n": 7}}]})
    conflict = send(client, "POST", f"{draft}/publish", {"rebase": True})
    assert (conflict.status_code, conflict.json()["code"], conflict.json()["ids"]) == (409, "VAULT_DATA_4344", ["a"])
    assert send(client, "DELETE", draft).status_code == 204
    assert send(client, "GET", draft).json()["code"] == "VAULT_DATA_4002"


def test_a_large_draft_is_published_in_the_background(tenant, client, draft, settings):
    settings.PUBLISH_INLINE_RECORDS = 2
    send(client, "POST", f"{draft}/records", {"records": [{"data": {"n": index}} for index in range(3)]})
    answer = send(client, "POST", f"{draft}/publish", {})
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    path = answer["Location"].removeprefix("/api/v1")
    busy = send(client, "POST", f"{draft}/records", {"records": [{"data": {}}]})
    assert (busy.status_code, busy.json()["code"]) == (409, "VAULT_DATA_4342")
    run_publication(tenant.pk, answer.json()["id"])
    done = send(client, "GET", path).json()
    assert (done["status"], done["version"], done["progress"]["records"]) == ("succeeded", "v1.1.0", 3)
    other = send(client, "GET", f"/publications/{uuid7()}")
    assert (other.status_code, other.json()["code"]) == (404, "VAULT_DATA_4348")


# Requests sent twice, and at once


def test_a_staging_and_a_publication_under_one_key_happen_once(tenant, client, draft):
    key = {"Idempotency-Key": "k"}
    body = {"records": [{"data": {"n": 1}}]}
    first, second = (send(client, "POST", f"{draft}/records", body, **key) for _ in range(2))
    assert first.json() == second.json()
    with acting(tenant):
        assert StagedRecord.objects.count() == 1
    other = send(client, "POST", f"{draft}/records", {"records": [{"data": {"n": 2}}]}, **key)
    assert (other.status_code, other.json()["code"]) == (422, "VAULT_VALID_3012")
    answers = [send(client, "POST", f"{draft}/publish", {}, **key) for _ in range(2)]
    assert {answer.json()["label"] for answer in answers} == {"v1.1.0"}
    with acting(tenant):
        assert Publication.objects.count() == 1


def test_a_staging_that_failed_frees_its_key(client, draft):
    key = {"Idempotency-Key": "k"}
    assert send(client, "POST", f"{draft}/records", b"nonsense", **key).json()["code"] == "VAULT_DATA_4347"
    assert send(client, "POST", f"{draft}/records", {"records": [{"data": {}}]}, **key).status_code == 200


def test_two_publications_at_once_make_one_version(tenant, client, draft):
    send(client, "POST", f"{draft}/records", {"records": [{"id": "x", "data": {}}]})
    answers = at_once(4, lambda _: send(client, "POST", f"{draft}/publish", {}))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [201, 409, 409, 409]
    assert {answer.json().get("code") for answer in answers} <= {None, "VAULT_DATA_4341", "VAULT_DATA_4342"}
    with acting(tenant):
        assert Version.objects.count() == 2


def test_stagings_of_one_draft_at_once_lose_nothing(tenant, client, draft):
    def one(number):
        records = [{"id": f"own-{number}-{index}", "data": {}} for index in range(5)]
        records.append({"id": "shared", "data": {"by": number}})
        return send(client, "POST", f"{draft}/records", {"records": records}).json()["results"]

    results = at_once(4, one)
    assert sorted(result[-1]["status"] for result in results) == ["created", "updated", "updated", "updated"]
    with acting(tenant):
        assert StagedRecord.objects.count() == 21
    assert send(client, "POST", f"{draft}/publish", {}).json()["record_count"] == 23


def test_a_draft_that_changes_nothing_is_refused_and_stays_open(client, dataset, draft):
    for records in ([], [{"id": "a", "data": {"n": 1}}]):
        if records:
            assert (
                send(client, "POST", f"{draft}/records", {"records": records}).json()["results"][0]["status"]
                == "unchanged"
            )
        answer = send(client, "POST", f"{draft}/publish", {})
        assert (answer.status_code, answer.json()["code"]) == (409, "VAULT_DATA_4343")
    assert send(client, "GET", draft).json()["status"] == "draft"
    assert send(client, "GET", f"/datasets/{dataset.pk}/versions").json()["data"][0]["label"] == "v1.0.0"
    send(client, "POST", f"{draft}/records", {"records": [{"id": "a", "data": {"n": 2}}]})
    assert send(client, "POST", f"{draft}/publish", {}).status_code == 201


# Patches


def test_a_patch_makes_a_version_in_one_request(tenant, client, dataset):
    path = f"/datasets/{dataset.pk}/data"
    body = {"records": [{"id": "c", "data": {"mail": CANARY}}], "delete": ["a"], "message": "tidy"}
    answer = send(client, "PATCH", path, body)
    assert (answer.status_code, answer.json()["version"]) == (201, "v1.1.0")
    assert answer.json()["results"] == [{"index": 0, "id": "c", "status": "created"}]
    assert answer.json()["deleted"] == [{"index": 0, "id": "a", "status": "deleted"}]
    assert {record.id: record.data for record in read_all(tenant, dataset)} == {"b": {"n": 2}, "c": {"mail": CANARY}}
    with acting(tenant):
        assert (Version.objects.get(sequence=2).kind, Version.objects.get(sequence=2).message) == ("patch", "tidy")
        assert not StagedRecord.objects.exists()
    same = send(client, "PATCH", path, {"records": [{"id": "b", "data": {"n": 2}}]})
    assert (same.status_code, same.json()["version"]) == (200, None)
    assert same.json()["results"][0]["status"] == "unchanged"
    with acting(tenant):
        assert not Draft.objects.exclude(status="published").exists()


def test_a_merge_patch_changes_members_as_rfc_7396_says(tenant, client):
    dataset = filled(tenant, a={"title": "x", "tags": [1, 2], "by": {"name": "n", "age": 3}}, b={"n": 1})
    patch = {"title": None, "tags": [3], "by": {"age": None, "new": {"x": None, "y": 1}}}
    body = {"mode": "merge", "records": [{"id": "a", "data": patch, "metadata": {"seen": True}}]}
    assert send(client, "PATCH", f"/datasets/{dataset.pk}/data", body).status_code == 201
    record = read_all(tenant, dataset)[0]
    assert record.data == {"tags": [3], "by": {"name": "n", "new": {"y": 1}}}
    assert record.metadata == {"seen": True}
    body = {"mode": "merge", "on_error": "reject", "records": [{"id": "nobody", "data": {}}, {"data": {}}]}
    results = send(client, "PATCH", f"/datasets/{dataset.pk}/data", body).json()["results"]
    assert [result["code"] for result in results] == ["VAULT_DATA_4003", "VAULT_DATA_4104"]


def test_a_patch_with_a_bad_record_stores_nothing_unless_told_to(tenant, client, dataset):
    path = f"/datasets/{dataset.pk}/data"
    body = {"records": [{"id": "ok", "data": {}}, {"id": "no good", "data": {}}], "delete": ["missing", "ok"]}
    refused = send(client, "PATCH", path, body)
    assert (refused.status_code, refused.json()["code"]) == (400, "VAULT_DATA_4345")
    assert [problem["field"] for problem in refused.json()["errors"]] == ["/records/1", "/delete/0", "/delete/1"]
    assert [result["index"] for result in refused.json()["results"]] == [1]
    with acting(tenant):
        assert (Version.objects.count(), Draft.objects.count(), StagedRecord.objects.count()) == (1, 0, 0)
    kept = send(client, "PATCH", path, body | {"on_error": "reject"})
    assert (kept.status_code, kept.json()["results"][0]["status"]) == (201, "created")


def test_a_refused_patch_does_not_say_whether_a_guess_was_right(tenant):
    """Who writes records and reads them masked could otherwise try value after value and change none."""
    dataset, engineer = filled(tenant, a={"card": "4111111111111111"}), caller(tenant, "ml_engineer")
    for guess in ("4111111111111111", "4012888888881881"):
        records = [{"id": "a", "data": {"card": guess}}, {"id": "no good", "data": {}}]
        refused = send(engineer, "PATCH", f"/datasets/{dataset.pk}/data", {"mode": "merge", "records": records})
        assert (refused.status_code, [one["index"] for one in refused.json()["results"]]) == (400, [1])


def test_a_patch_may_say_which_version_it_changes(tenant, client, dataset):
    path = f"/datasets/{dataset.pk}/data"
    body = {"records": [{"id": "a", "data": {"n": 5}}], "expected": "v1.0.0"}
    assert send(client, "PATCH", path, body).status_code == 201
    stale = send(client, "PATCH", path, body | {"records": [{"id": "b", "data": {}}]})
    assert (stale.status_code, stale.json()["code"], stale.json()["head"]) == (409, "VAULT_DATA_4306", "v1.1.0")


def test_patches_at_once_of_different_records_all_arrive(tenant, client, dataset):
    def one(number):
        return send(client, "PATCH", f"/datasets/{dataset.pk}/data", {"records": [{"id": f"p{number}", "data": {}}]})

    answers = at_once(4, one)
    assert {answer.status_code for answer in answers} == {201}
    assert {record.id for record in read_all(tenant, dataset)} == {"a", "b", "p0", "p1", "p2", "p3"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "VAULT_DATA_4347"),
        (b"{}", "VAULT_DATA_4346"),
        (b'{"records": [], "delete": []}', "VAULT_DATA_4346"),
        (b'{"mode": "swap", "records": [{"data": {}}]}', "VAULT_VALID_3001"),
        (b'{"branch": 7, "records": [{"data": {}}]}', "VAULT_VALID_3001"),
        (b'{"branch": "nowhere", "records": [{"data": {}}]}', "VAULT_DATA_4301"),
        (b'{"message": "for jane@example.com", "records": [{"data": {}}]}', "VAULT_DATA_4008"),
        (b'{"unknown": 1, "records": [{"data": {}}]}', "VAULT_DATA_4347"),
    ],
)
def test_a_bad_patch_is_refused(client, dataset, body, code):
    answer = send(client, "PATCH", f"/datasets/{dataset.pk}/data", body)
    assert answer.json()["code"] == code
    assert 400 <= answer.status_code < 500


def test_a_patch_under_one_key_happens_once(tenant, client, dataset):
    key, body = {"Idempotency-Key": "k"}, orjson.dumps({"records": [{"data": {"n": 1}}]})
    first, second = (send(client, "PATCH", f"/datasets/{dataset.pk}/data", body, **key) for _ in range(2))
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    with acting(tenant):
        assert Version.objects.count() == 2


def test_a_request_that_dies_before_its_work_is_finished_by_a_worker(tenant, client, draft, monkeypatch):
    send(client, "POST", f"{draft}/records", {"records": [{"id": "x", "data": {}}]})
    monkeypatch.setattr(publishing, "is_inline", lambda _: False)
    monkeypatch.setattr("datasets.api.drafts.is_inline", lambda _: False)
    answer = send(client, "POST", f"{draft}/publish", {})
    assert answer.status_code == 202
    run_publication(tenant.pk, answer.json()["id"])
    assert send(client, "GET", draft).json()["version"] == "v1.1.0"
