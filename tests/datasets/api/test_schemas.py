"""Rules of schemas over the API, and of the uploads they bind."""

import json

import pytest

from datasets.services.schemas import validator_for
from tests.factories.access import acting
from tests.factories.api import caller, decisions_of, events_of, new_request_id, send
from tests.factories.datasets import jsonl, make_dataset, read_all, upload
from vaultsite.kernel.identifiers import uuid7

SHORT = {"model_id": "string", "accuracy": "float", "note": "string?"}


@pytest.fixture
def dataset(tenant):
    return make_dataset(tenant)


@pytest.fixture
def steward(tenant):
    return caller(tenant, "data_steward")


def post(client, dataset, body, tail="", **headers):
    return send(client, "POST", f"/datasets/{dataset.pk}/schemas{tail}", body, **headers)


def test_a_schema_becomes_a_version_and_is_the_active_one(tenant, steward, dataset):
    request_id = new_request_id()
    made = post(steward, dataset, {"shorthand": SHORT, "message": "first"}, **{"X-Request-ID": request_id})
    assert made.status_code == 201, made.content
    assert made["Location"] == f"/api/v1/datasets/{dataset.pk}/schemas/1"
    body = made.json()
    assert (body["version"], body["compatibility"], body["message"]) == (1, "none", "first")
    assert body["schema"]["properties"]["accuracy"] == {"type": "number"}
    for name in ("1", "active"):
        assert send(steward, "GET", f"/datasets/{dataset.pk}/schemas/{name}").json() == body
    assert [event.type for event in events_of(tenant, request_id)] == ["data.access.write", "data.schema.changed"]
    again = post(steward, dataset, {"shorthand": SHORT})
    assert again.json()["version"] == 1
    post(steward, dataset, {"schema": {"type": "object"}, "compatibility": "backward"})
    listed = send(steward, "GET", f"/datasets/{dataset.pk}/schemas?limit=1").json()
    assert [row["version"] for row in listed["data"]] == [2]
    more = send(steward, "GET", f"/datasets/{dataset.pk}/schemas?cursor={listed['pagination']['next_cursor']}").json()
    assert [row["version"] for row in more["data"]] == [1]


def test_words_that_look_personal_beside_each_other_alone_are_no_personal_data(steward, dataset):
    nick = {"type": "string", "title": "(phone)"}
    order = {"type": "string", "enum": ["4155550132"]}
    made = post(steward, dataset, {"schema": {"type": "object", "properties": {"nick": nick, "order": order}}})
    assert made.status_code == 201, made.content
    phone = {"type": "object", "properties": {"phone": {"type": "string", "examples": ["4155550132"]}}}
    for personal in (phone, {"type": "object", "properties": {"ada@example.com": {"type": "string"}}}):
        refused = post(steward, dataset, {"schema": personal})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "/schema")


def test_a_schema_keeps_the_order_and_the_annotations_of_its_author(steward, dataset):
    document = {
        "type": "object",
        "properties": {
            "z": {"type": "string", "x-pii-type": "PERSON", "x-pii-strategy": "replace"},
            "a": {"type": "number"},
        },
    }
    made = post(steward, dataset, {"schema": document})
    assert list(json.loads(made.content)["schema"]["properties"]) == ["z", "a"]
    assert made.json()["annotations"] == [{"pointer": "/z", "pii_type": "PERSON", "strategy": "replace"}]


def test_what_is_not_compatible_is_refused_with_its_pointer(steward, dataset):
    assert post(steward, dataset, {"shorthand": SHORT, "compatibility": "backward"}).status_code == 201
    stricter = SHORT | {"owner": "string"}
    refused = post(steward, dataset, {"shorthand": stricter})  # the mode before holds
    assert (refused.status_code, refused.json()["code"]) == (409, "VAULT_DATA_4402")
    assert refused.json()["errors"][0]["field"] == "/schema/required"
    assert post(steward, dataset, {"shorthand": stricter, "compatibility": "forward"}).json()["version"] == 2
    refused = post(steward, dataset, {"shorthand": SHORT, "compatibility": "full"})
    assert refused.status_code == 409
    assert post(steward, dataset, {"shorthand": SHORT, "compatibility": "none"}).json()["version"] == 3


def test_a_check_keeps_nothing_and_says_everything(tenant, steward, dataset):
    post(steward, dataset, {"shorthand": SHORT})
    body = {
        "shorthand": SHORT | {"runs": "int"},
        "compatibility": "backward",
        "samples": [{"model_id": "m", "accuracy": 1, "runs": 2}, {"model_id": "m", "accuracy": "high"}],
    }
    answer = post(caller(tenant, "viewer"), dataset, body, "/check").json()
    assert (answer["is_compatible"], answer["compared_with"]) == (False, 1)
    assert answer["incompatibilities"][0] == {
        "direction": "backward",
        "pointer": "/required",
        "rule": "asks for runs, which the other schema does not",
    }
    problems = {(problem["sample"], problem["pointer"]): problem["rule"] for problem in answer["problems"]}
    assert problems == {(1, "/accuracy"): "must be of type number", (1, "/runs"): "is required"}
    assert len(send(steward, "GET", f"/datasets/{dataset.pk}/schemas").json()["data"]) == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "VAULT_VALID_3001"),
        ({"schema": {}, "shorthand": SHORT}, "VAULT_VALID_3001"),
        ({"schema": {}, "mode": "none"}, "VAULT_VALID_3001"),
        ({"schema": {}, "compatibility": "sideways"}, "VAULT_VALID_3001"),
        ({"schema": []}, "VAULT_DATA_4401"),
        ({"schema": {"type": "strin"}}, "VAULT_DATA_4401"),
        ({"schema": {"$ref": "https://example.com/s"}}, "VAULT_DATA_4401"),
        ({"shorthand": {"a": "text"}}, "VAULT_DATA_4401"),
        ({"schema": {"description": "ask ada@example.com"}}, "VAULT_DATA_4008"),
        ({"schema": {"properties": {"a": {"enum": ["ada@example.com"]}}}}, "VAULT_DATA_4008"),
        ({"schema": {}, "message": "for ada@example.com"}, "VAULT_DATA_4008"),
    ],
)
def test_what_is_no_schema_is_refused(steward, dataset, body, code):
    answer = post(steward, dataset, body)
    assert (answer.status_code, answer.json()["code"]) == (400, code), answer.content
    assert b"ada@" not in answer.content


def test_who_may_not_write_schemas_does_not(tenant, rival, steward, dataset):
    request_id = new_request_id()
    refused = post(caller(tenant, "data_scientist"), dataset, {"shorthand": SHORT}, **{"X-Request-ID": request_id})
    assert refused.status_code == 403
    assert [event.type for event in decisions_of(tenant, request_id)] == ["data.access.denied"]
    outsider = caller(rival, "data_steward")
    for tail in ("", "/1", "/active"):
        answers = [send(outsider, "GET", f"/datasets/{key}/schemas{tail}") for key in (dataset.pk, uuid7())]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].json()["code"] == answers[1].json()["code"] == "VAULT_DATA_4001"
    for name in ("1", "active", "0", "-1", "9" * 30, "x", "\u0661"):
        missing = send(steward, "GET", f"/datasets/{dataset.pk}/schemas/{name}")
        assert (missing.status_code, missing.json()["code"]) == (404, "VAULT_DATA_4403")


def test_an_upload_that_breaks_the_schema_is_refused_with_line_and_pointer(tenant, steward, dataset):
    post(steward, dataset, {"shorthand": SHORT})
    good, bad = {"model_id": "m1", "accuracy": 0.9}, {"model_id": "m2", "accuracy": "secret-4711"}
    failed = upload(tenant, dataset, jsonl([good, bad]))
    assert (failed.status, failed.error["code"]) == ("failed", "VAULT_DATA_4404")
    assert (failed.error["line"], failed.error["pointer"]) == (2, "/accuracy")
    assert "4711" not in json.dumps(failed.error)
    kept = upload(tenant, dataset, jsonl([good, bad, {"accuracy": 1}]), on_error="reject")
    assert (kept.status, kept.version.record_count, kept.rejected_count) == ("succeeded", 1, 2)
    report = send(steward, "GET", f"/ingests/{kept.pk}/rejects")
    lines = [json.loads(line) for line in b"".join(report.streaming_content).splitlines()]
    assert [(line["line"], line["code"], line["reason"]) for line in lines] == [
        (2, "VAULT_DATA_4404", "schema"),
        (3, "VAULT_DATA_4404", "schema"),
    ]


def test_what_a_schema_says_is_personal_is_hidden_from_who_may_not_see_it(tenant, steward, dataset):
    document = {"properties": {"who": {"type": "string", "x-pii-type": "PERSON"}, "n": {"x-pii-type": "ID_NUMBER"}}}
    post(steward, dataset, {"schema": document})
    upload(tenant, dataset, jsonl([{"id": "r1", "who": "Grace Hopper", "n": 190612, "text": "plain"}]))
    (raw,) = read_all(tenant, dataset)
    assert raw.data["who"] == "Grace Hopper"
    (masked,) = read_all(tenant, dataset, role="data_scientist")
    assert "Grace" not in json.dumps(masked.data)
    assert "190612" not in json.dumps(masked.data)
    assert masked.data["text"] == "plain"


def test_other_ways_to_write_ask_for_the_same_judge(tenant, steward, dataset):
    with acting(tenant):
        assert validator_for(dataset.pk)({"anything": 1}) == []
    post(steward, dataset, {"shorthand": SHORT})
    with acting(tenant):
        judge = validator_for(dataset.pk)
    assert [(problem.pointer, problem.rule) for problem in judge({"model_id": 1})] == [
        ("/model_id", "must be of type string"),
        ("/accuracy", "is required"),
    ]
