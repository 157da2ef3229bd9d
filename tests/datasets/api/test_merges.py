"""Rules of diffs, merges, conflicts and merge requests over REST."""

import json

import pytest

from audit.models import AuditEvent
from datasets.models import Branch, Version
from tests.factories.access import acting
from tests.factories.api import caller, decisions_of, events_of, new_request_id, send
from tests.factories.merges import parted, put_on
from vaultsite.kernel.identifiers import uuid7

CANARY = "canary.lovelace@example.com"
BASE = [{"id": name, "text": f"text of {name}", "n": 0} for name in "abc"]
OURS = [row | {"a": {"text": "ours"}, "b": {"n": 1}}.get(row["id"], {}) for row in BASE]
THEIRS = [row | {"a": {"text": f"mail {CANARY}"}, "b": {"text": "theirs"}}.get(row["id"], {}) for row in BASE]
CLEAN = [row | {"c": {"n": 9}}.get(row["id"], {}) for row in BASE]


def lines_of(answer):
    return [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]


def test_a_difference_is_streamed_with_its_summary_first(tenant):
    dataset = parted(tenant, BASE, OURS, THEIRS)
    steward, request_id = caller(tenant, "data_steward"), new_request_id()
    path = f"/datasets/{dataset.pk}/diff"
    answer = send(steward, "GET", f"{path}?from=main&to=work", **{"X-Request-ID": request_id})
    assert answer["Content-Type"] == "application/x-ndjson"
    summary, *changes = lines_of(answer)
    assert summary == {"from": "v1.2.0", "to": "v1.1.0", "added": 0, "removed": 0, "modified": 2, "erased": 0}
    assert changes[1] == {
        "id": "b",
        "change": "modified",
        "members": [
            {"pointer": "/data/n", "change": "changed", "before": 1, "after": 0},
            {"pointer": "/data/text", "change": "changed", "before": "text of b", "after": "theirs"},
        ],
    }
    assert [event.type for event in decisions_of(tenant, request_id)] == ["data.access.read"]
    (ended,) = [event for event in events_of(tenant, request_id) if event.type == "data.access.completed"]
    assert json.loads(bytes(ended.body))["metadata"]["records_accessed"] == 2

    masked = caller(tenant, "data_scientist")
    said = b"".join(send(masked, "GET", f"{path}?from=main&to=work&whole=1").streaming_content).decode()
    assert CANARY not in said
    assert '"before"' in said

    json_only = {"Accept": "application/json"}
    first = send(steward, "GET", f"{path}?from=main&to=work&limit=1", **json_only).json()
    assert (first["summary"]["modified"], [change["id"] for change in first["data"]]) == (2, ["a"])
    rest = send(steward, "GET", f"{path}?cursor={first['pagination']['next_cursor']}", **json_only).json()
    assert ([change["id"] for change in rest["data"]], rest["pagination"]["next_cursor"]) == (["b"], None)
    assert "summary" not in rest
    assert lines_of(send(steward, "GET", f"{path}?from=main&to=work&kind=added"))[1:] == []

    assert send(steward, "GET", f"{path}?kind=other").status_code == 400
    assert send(steward, "GET", f"{path}?from=v9.9.9").json()["code"] == "VAULT_DATA_4002"
    assert send(caller(tenant, "viewer"), "GET", path).status_code == 403
    assert send(caller(tenant, "data_steward", purpose=""), "GET", path).status_code == 403


def test_a_small_merge_is_finished_with_its_answer_and_conflicts_are_resolved(tenant):
    dataset = parted(tenant, BASE, OURS, THEIRS)
    steward = caller(tenant, "data_steward")
    answer = send(steward, "POST", f"/datasets/{dataset.pk}/merge", {"source": "work", "target": "main"})
    merge = answer.json()
    assert (answer.status_code, merge["state"]) == (200, "conflicted")
    assert merge["conflicts"] == {"total": 1, "unresolved": 1}
    path = answer["Location"].removeprefix("/api/v1")

    (conflict,) = send(steward, "GET", f"{path}/conflicts").json()["data"]
    assert (conflict["record_id"], conflict["pointers"]) == ("a", ["/data/text"])
    assert conflict["sides"]["theirs"]["data"]["text"] == f"mail {CANARY}"
    masked = send(caller(tenant, "data_scientist"), "GET", f"{path}/conflicts/{conflict['id']}")
    assert CANARY not in masked.content.decode()
    assert send(caller(tenant, "viewer"), "GET", f"{path}/conflicts").status_code == 403

    refused = send(steward, "POST", f"{path}/continue")
    assert (refused.status_code, refused.json()["code"], refused.json()["conflicts"]) == (409, "VAULT_DATA_4364", 1)
    place = f"{path}/conflicts/{conflict['id']}"
    for bad in ({}, {"resolution": "record"}, {"resolution": "mine"}, {"resolution": "ours", "record": {"data": {}}}):
        assert send(steward, "PUT", place, bad).status_code == 400, bad
    assert send(caller(tenant, "data_scientist"), "PUT", place, {"resolution": "ours"}).status_code == 403
    given = {"record": {"data": {"id": "a", "text": "by hand"}}}
    assert send(steward, "PUT", place, given).status_code == 204
    done = send(steward, "POST", f"{path}/continue")
    assert (done.status_code, done.json()["state"]) == (200, "merged")
    record = send(steward, "GET", f"/datasets/{dataset.pk}/versions/main/records/a").json()
    assert record["data"] == {"id": "a", "text": "by hand"}
    assert send(steward, "DELETE", path).json()["code"] == "VAULT_DATA_4366"
    assert send(steward, "GET", path).json()["version"] == done.json()["version"]

    again = send(steward, "POST", f"/datasets/{dataset.pk}/merge", {"source": "work", "target": "main"})
    assert (again.status_code, again.json()["state"]) == (200, "unchanged")


@pytest.mark.parametrize(
    "path",
    [
        "/merges/{id}",
        "/merges/{id}/conflicts",
        "/merges/{id}/conflicts/{id}",
        "/merge-requests/{id}",
    ],
)
def test_what_is_not_there_is_not_found_and_recorded(tenant, path):
    request_id = new_request_id()
    steward = caller(tenant, "data_steward")
    answer = send(steward, "GET", path.format(id=uuid7()), **{"X-Request-ID": request_id})
    assert answer.status_code == 404
    (event,) = decisions_of(tenant, request_id)
    assert (event.type, event.status) == ("data.access.denied", "denied")


def test_a_protected_branch_takes_what_somebody_else_has_approved(tenant):
    author, reviewer = caller(tenant, "data_steward"), caller(tenant, "data_steward")
    dataset = parted(tenant, BASE, BASE, CLEAN)
    with acting(tenant):
        Branch.objects.filter(dataset=dataset, name="main").update(is_protected=True)
    direct = send(author, "POST", f"/datasets/{dataset.pk}/merge", {"source": "work", "target": "main"})
    assert direct.json()["code"] == "VAULT_DATA_4302"

    path = f"/datasets/{dataset.pk}/merge-requests"
    asked = send(author, "POST", path, {"title": "nine", "source": "work", "target": "main"})
    assert (asked.status_code, asked.json()["state"]) == (201, "open")
    place = asked["Location"].removeprefix("/api/v1")
    assert send(author, "POST", f"{place}/merge", {}).json()["code"] == "VAULT_DATA_4369"
    own = send(author, "POST", f"{place}/review", {"verdict": "approve"})
    assert (own.status_code, own.json()["code"]) == (403, "VAULT_DATA_4368")
    assert send(caller(tenant, "ml_engineer"), "POST", f"{place}/review", {"verdict": "approve"}).status_code == 403

    wanting = send(reviewer, "POST", f"{place}/review", {"verdict": "request_changes", "comment": "why nine"})
    assert wanting.json()["state"] == "changes_requested"
    assert send(reviewer, "POST", f"{place}/review", {"verdict": "approve"}).json()["state"] == "approved"
    put_on(tenant, dataset, "work", [row | {"n": 10} for row in CLEAN])
    assert send(author, "GET", place).json()["state"] == "open"  # approved was another state of the source
    assert send(author, "POST", f"{place}/merge", {}).json()["code"] == "VAULT_DATA_4369"
    assert send(reviewer, "POST", f"{place}/review", {"verdict": "approve"}).json()["state"] == "approved"

    merged = send(author, "POST", f"{place}/merge", {})
    assert (merged.status_code, merged.json()["state"]) == (200, "fast_forward")
    ended = send(author, "GET", place).json()
    assert (ended["state"], ended["version"]) == ("merged", merged.json()["version"])
    assert send(author, "POST", f"{place}/close").json()["code"] == "VAULT_DATA_4370"
    assert [row["state"] for row in send(author, "GET", f"{path}?state=merged").json()["data"]] == ["merged"]
    with acting(tenant):
        kinds = list(
            AuditEvent.objects.filter(type__startswith="data.merge").order_by("id").values_list("type", flat=True)
        )
    assert kinds == ["data.merge.requested", *["data.merge.reviewed"] * 3, "data.merged"]


def test_who_wrote_a_commit_of_the_source_does_not_review_it(tenant):
    dataset = parted(tenant, BASE, BASE, CLEAN)
    author, writer = caller(tenant, "data_steward"), caller(tenant, "data_steward")
    added = {"id": "z", "text": "by the writer"}
    body = {"branch": "work", "records": [{"id": "z", "data": added}]}
    assert send(writer, "PATCH", f"/datasets/{dataset.pk}/data", body).status_code == 201
    asked = send(author, "POST", f"/datasets/{dataset.pk}/merge-requests", {"title": "t", "source": "work"})
    place = asked["Location"].removeprefix("/api/v1")
    assert send(writer, "POST", f"{place}/review", {"verdict": "approve"}).json()["code"] == "VAULT_DATA_4368"
    closed = send(author, "POST", f"{place}/close")
    assert (closed.status_code, closed.json()["state"]) == (200, "closed")
    with acting(tenant):
        assert AuditEvent.objects.filter(type="data.merge.closed").count() == 1


def test_who_staged_a_record_or_resolved_a_conflict_of_the_source_does_not_review_it(tenant):
    dataset = parted(tenant, BASE, OURS, THEIRS)
    author, stager, resolver = (caller(tenant, "data_steward") for _ in range(3))
    draft = send(author, "POST", f"/datasets/{dataset.pk}/versions", {"branch": "work"}).json()["id"]
    records = {"records": [{"id": "z", "data": {"id": "z", "text": "staged by another"}}]}
    assert send(stager, "POST", f"/datasets/{dataset.pk}/versions/{draft}/records", records).status_code == 200
    assert send(author, "POST", f"/datasets/{dataset.pk}/versions/{draft}/publish", {}).status_code in (200, 201)
    brought = send(author, "POST", f"/datasets/{dataset.pk}/merge", {"source": "main", "target": "work"})
    (conflict,) = send(author, "GET", f"/merges/{brought.json()['id']}/conflicts").json()["data"]
    path = f"/merges/{brought.json()['id']}/conflicts/{conflict['id']}"
    assert send(resolver, "PUT", path, {"resolution": "theirs"}).status_code == 204
    assert send(author, "POST", f"/merges/{brought.json()['id']}/continue", {}).status_code in (200, 202)
    with acting(tenant):
        staged, merged = Version.objects.order_by("-sequence")[:2][::-1]
        assert (len(staged.contributors), len(merged.contributors)) == (1, 1)

    asked = send(author, "POST", f"/datasets/{dataset.pk}/merge-requests", {"title": "t", "source": "work"})
    place = asked["Location"].removeprefix("/api/v1")
    for hand in (author, stager, resolver):
        assert send(hand, "POST", f"{place}/review", {"verdict": "approve"}).json()["code"] == "VAULT_DATA_4368"
    assert send(caller(tenant, "data_steward"), "POST", f"{place}/review", {"verdict": "approve"}).status_code == 201


def test_conflicts_under_a_request_are_for_the_source_to_resolve(tenant):
    """Nothing comes into the target that no reviewer has seen."""
    dataset = parted(tenant, BASE, OURS, THEIRS)
    author, reviewer = caller(tenant, "data_steward"), caller(tenant, "data_steward")
    asked = send(author, "POST", f"/datasets/{dataset.pk}/merge-requests", {"title": "t", "source": "work"})
    place = asked["Location"].removeprefix("/api/v1")
    send(reviewer, "POST", f"{place}/review", {"verdict": "approve"})
    refused = send(author, "POST", f"{place}/merge", {})
    assert (refused.status_code, refused.json()["code"], refused.json()["conflicts"]) == (409, "VAULT_DATA_4364", 1)
    assert send(author, "GET", place).json()["state"] == "approved"
    with acting(tenant):
        assert Version.objects.filter(dataset=dataset, kind="merge").count() == 0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"title": "t", "source": "main"}, "VAULT_DATA_4371"),
        ({"title": "t", "source": "nowhere"}, "VAULT_DATA_4301"),
        ({"title": "t", "source": "work"}, "VAULT_DATA_4371"),
        ({"title": f"for {CANARY}", "source": "main"}, "VAULT_DATA_4008"),
        ({"title": "", "source": "work"}, "VAULT_VALID_3001"),
        ({"title": "t", "source": "work", "author": "me"}, "VAULT_VALID_3001"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(tenant, body, code):
    dataset = parted(tenant, BASE[:1], BASE[:1], BASE[:1])
    answer = send(caller(tenant, "data_steward"), "POST", f"/datasets/{dataset.pk}/merge-requests", body)
    assert (answer.status_code, answer.json()["code"]) == (400 if "4301" not in code else 404, code)
