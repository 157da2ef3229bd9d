"""Rules of queries over the API."""

import json

import pytest

from datasets.services import query as service
from tests.factories.api import caller, decisions_of, events_of, new_request_id, send
from tests.factories.datasets import jsonl, make_dataset, upload
from vaultsite.kernel.identifiers import uuid7

ROWS = [
    {
        "id": f"r{number:03d}",
        "n": number,
        "kind": "even" if number % 2 == 0 else "odd",
        "mail": f"ada{number}@example.com",
        "deep": {"score": number / 2},
    }
    for number in range(40)
]


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl(ROWS))
    return made


def ask(client, dataset, body, **headers):
    return send(client, "POST", f"/datasets/{dataset.pk}/query", body, **headers)


def ids(answer):
    assert answer.status_code == 200, answer.content
    return [record["id"] for record in answer.json()["data"]]


def test_records_that_meet_the_filter_come_in_order_of_id(tenant, dataset):
    client = caller(tenant, "data_steward")
    for filter_ in ("n >= 10 AND kind = 'odd' AND deep.score < 8", {"n": {"gte": 10, "lt": 16}, "/data/kind": "odd"}):
        assert ids(ask(client, dataset, {"filter": filter_})) == ["r011", "r013", "r015"]
    whole = ask(client, dataset, {"filter": "id = 'r003'"}).json()
    assert whole["data"] == [{"id": "r003", "data": ROWS[3], "metadata": {}}]
    assert whole["pagination"] == {"next_cursor": None, "limit": 100}
    assert whole["scanned"]["is_complete"] is True
    assert len(ids(ask(client, dataset, {}))) == 40
    assert ids(ask(client, dataset, {"filter": "n > 100"})) == []


def test_pages_join_without_gap_or_repetition_and_keep_their_version(tenant, dataset):
    client, seen, cursor = caller(tenant, "data_steward"), [], ""
    while cursor is not None:
        answer = ask(client, dataset, {"filter": "kind = 'even'", "limit": 3, "cursor": cursor})
        seen += ids(answer)
        cursor = answer.json()["pagination"]["next_cursor"]
        if len(seen) == 3:
            upload(tenant, dataset, jsonl([{"id": "r100", "kind": "even"}]), mode="append")
    assert seen == [row["id"] for row in ROWS if row["kind"] == "even"]


def test_a_page_whose_time_is_up_goes_on_by_its_cursor(tenant, dataset, monkeypatch):
    monkeypatch.setattr(service.find_page, "__kwdefaults__", {"seconds": 0.0})
    client, seen, cursor, pages = caller(tenant, "data_steward"), [], "", 0
    while cursor is not None:
        answer = ask(client, dataset, {"filter": "n >= 38", "cursor": cursor})
        seen += ids(answer)
        cursor = answer.json()["pagination"]["next_cursor"]
        pages += 1
        assert answer.json()["scanned"]["is_complete"] is (cursor is None)
    assert seen == ["r038", "r039"]
    assert pages > 30


def test_a_filter_sees_what_its_reader_sees(tenant, dataset):
    steward, scientist = caller(tenant, "data_steward"), caller(tenant, "data_scientist")
    by_mail = {"filter": {"mail": "ada7@example.com"}}
    assert ids(ask(steward, dataset, by_mail)) == ["r007"]
    for probe in (by_mail, {"filter": "mail PREFIX 'ada7@'"}, {"filter": "mail CONTAINS 'ada7'"}):
        assert ids(ask(scientist, dataset, probe)) == []
    masked = ask(scientist, dataset, {"filter": "id = 'r007'"})
    shown = masked.json()["data"][0]["data"]["mail"]
    assert "ada7" not in shown
    assert "r007" in ids(ask(scientist, dataset, {"filter": {"mail": shown}}))
    assert masked.json()["scanned"]["pruned_chunks"] == 0


def test_fields_are_picked_of_the_view(tenant, dataset):
    client = caller(tenant, "data_scientist")
    answer = ask(client, dataset, {"filter": "n = 4", "fields": ["deep.score", "/data/n", "metadata.none"]})
    assert answer.json()["data"] == [{"id": "r004", "data": {"deep": {"score": 2.0}, "n": 4}, "metadata": {}}]
    assert b"example.com" not in ask(client, dataset, {"fields": ["mail"]}).content


def test_aggregates_are_for_readers_of_raw_data(tenant, dataset):
    body = {
        "filter": "n < 10",
        "aggregate": ["count", {"op": "max", "path": "n", "name": "top"}, {"op": "avg", "path": "deep.score"}],
        "group_by": ["kind"],
    }
    answer = ask(caller(tenant, "data_steward"), dataset, body)
    assert answer.json()["data"] == [
        {"group": {"/data/kind": "even"}, "values": {"count": 5, "top": 8, "avg(deep.score)": 2.0}},
        {"group": {"/data/kind": "odd"}, "values": {"count": 5, "top": 9, "avg(deep.score)": 2.5}},
    ]
    for role in ("data_scientist", "analyst"):
        request_id = new_request_id()
        refused = ask(caller(tenant, role), dataset, body, **{"X-Request-ID": request_id})
        assert (refused.status_code, refused.json()["code"]) == (403, "VAULT_DATA_4383")
        (decision,) = decisions_of(tenant, request_id)
        assert (decision.type, decision.status) == ("data.access.denied", "denied")


def test_an_aggregate_that_takes_too_long_or_too_many_groups_is_refused(tenant, dataset, monkeypatch):
    client = caller(tenant, "data_steward")
    monkeypatch.setattr("datasets.query.aggregate.MAX_GROUPS", 39)
    refused = ask(client, dataset, {"aggregate": "count", "group_by": "n"})
    assert (refused.status_code, refused.json()["code"]) == (422, "VAULT_DATA_4384")
    monkeypatch.setattr(service.aggregate, "__kwdefaults__", {"seconds": 0.0})
    refused = ask(client, dataset, {"aggregate": "count"})
    assert (refused.status_code, refused.json()["code"]) == (422, "VAULT_DATA_4385")


def test_a_text_too_long_to_be_answered_with_is_refused(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "a", "text": "x" * 4097}, {"id": "b", "text": "y"}]))
    refused = ask(caller(tenant, "data_steward"), dataset, {"aggregate": {"op": "max", "path": "text", "name": "top"}})
    assert (refused.status_code, refused.json()["code"]) == (422, "VAULT_DATA_4386")


def test_lines_stream_to_who_asks_for_them(tenant, dataset):
    client = caller(tenant, "data_steward")
    answer = ask(client, dataset, {"filter": "kind = 'odd'", "fields": ["n"]}, Accept="application/x-ndjson")
    assert answer["Content-Type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]
    assert [line["data"]["n"] for line in lines] == list(range(1, 40, 2))
    few = ask(client, dataset, {"limit": 2}, Accept="application/x-ndjson")
    assert len(b"".join(few.streaming_content).splitlines()) == 2


def test_the_audit_knows_the_shape_and_the_counts_of_a_query_and_nothing_else(tenant, dataset):
    request_id = new_request_id()
    body = {"filter": "mail = 'ada7@example.com' OR secretmember > 3", "purpose": "evaluation"}
    assert ids(ask(caller(tenant, "data_steward", purpose=""), dataset, body, **{"X-Request-ID": request_id}))
    decision, completed = (json.loads(bytes(event.body)) for event in events_of(tenant, request_id))
    assert decision["metadata"]["query"] == "or(eq,gt)"
    assert completed["metadata"]["records_accessed"] == 1
    assert completed["metadata"]["scanned"] == 40
    said = json.dumps([decision, completed])
    assert "ada7" not in said
    assert "secretmember" not in said
    assert [event.type for event in events_of(tenant, request_id)] == ["data.access.read", "data.access.completed"]


@pytest.mark.parametrize(
    "body",
    [
        {"filter": {"_connector": "OR"}},
        {"filter": {"data__n": 1}},
        {"filter": {"n": {"$gt": 1}}},
        {"filter": {"$where": "1"}},
        {"filter": {"n' OR '1'='1": 1}},
        {"filter": "n = 1; DROP TABLE datasets_version"},
        {"filter": "n = 1 OR 1 = 1"},
        {"filter": "n = (SELECT 1)"},
        {"filter": "\uff4e = 1"},
        {"filter": [{"n": 1}]},
        {"filter": 5},
        {"fields": ["__class__"]},
        {"fields": ["n;"]},
        {"fields": ["$.n"]},
        {"fields": [["n"]]},
        {"fields": {"n": 1}},
        {"fields": ["n"] * 101},
        {"aggregate": "sum"},
        {"aggregate": [{"op": "max", "path": "n'--"}]},
        {"aggregate": "count", "group_by": ["n__x"]},
        {"aggregate": "count", "group_by": ['n"']},
        {"aggregate": "count", "limit": 5},
        {"group_by": ["n"]},
        {"sort": "n"},
        {"order_by": "-n"},
        {"limit": 0},
        {"limit": 100000},
        {"limit": "many"},
        {"cursor": "x"},
        {"cursor": "WyJhIl0"},
        {"version": {"a": 1}},
        [],
        "x",
        None,
    ],
)
def test_what_is_no_query_is_a_400(tenant, dataset, body):
    raw = json.dumps(body).encode()
    answer = send(caller(tenant, "data_steward"), "POST", f"/datasets/{dataset.pk}/query", raw)
    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"].startswith("VAULT_")


def test_the_errors_of_a_filter_say_where(tenant, dataset):
    answer = ask(caller(tenant, "data_steward"), dataset, {"filter": "n > 3 AND"}).json()
    assert (answer["code"], answer["position"]) == ("VAULT_DATA_4381", 10)
    answer = ask(caller(tenant, "data_steward"), dataset, {"filter": {"or": [{"n": 1}, {"n": {"like": 1}}]}}).json()
    assert answer["errors"][0]["field"] == "/filter/or/1/n/like"
    answer = ask(caller(tenant, "data_steward"), dataset, {"fields": ["n", "a__b"]}).json()
    assert (answer["code"], answer["errors"][0]["field"]) == ("VAULT_DATA_4382", "/fields/1")


def test_who_may_not_see_the_dataset_learns_nothing(tenant, rival, dataset):
    outsider = caller(rival, "data_steward")
    answers = [send(outsider, "POST", f"/datasets/{key}/query", {"filter": "n = 1"}) for key in (dataset.pk, uuid7())]
    bodies = [{name: value for name, value in answer.json().items() if name != "trace_id"} for answer in answers]
    assert answers[0].status_code == 404
    assert bodies[0] == bodies[1]
    assert ask(caller(tenant, "viewer"), dataset, {}).status_code == 403
    assert ask(caller(tenant, "data_steward", purpose=""), dataset, {}).status_code == 403
    unknown = ask(caller(tenant, "data_steward"), dataset, {"version": "v9.9.9"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "VAULT_DATA_4002")


def test_an_empty_version_has_no_matches(tenant):
    empty = make_dataset(tenant)
    assert ask(caller(tenant, "data_steward"), empty, {}).status_code == 404
