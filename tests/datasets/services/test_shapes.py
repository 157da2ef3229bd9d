"""Data for language models: its shape is declared or found, every record is held to it, errors say where."""

import orjson
import pytest

from datasets.models import RecordShape
from datasets.services.rejects import open_rejects
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, read_all, someone, upload

PAIR = {"prompt": "Q", "completion": "A"}
SECRET = "jane@example.com"


def test_any_shape_is_taken_unless_one_is_asked_for(tenant):
    dataset = make_dataset(tenant)
    ingest = upload(tenant, dataset, jsonl([PAIR, {"messages": 1}]))
    assert (ingest.status, ingest.shape, ingest.recognized_shape) == ("succeeded", "any", "any")


def test_a_record_of_another_shape_ends_the_upload_with_line_and_pointer(tenant):
    dataset = make_dataset(tenant)
    body = jsonl([PAIR, PAIR, {"prompt": SECRET, "completion": [SECRET]}])
    ingest = upload(tenant, dataset, body, shape=RecordShape.PROMPT_COMPLETION)
    error = ingest.error
    assert (ingest.status, error["code"], error["reason"]) == ("failed", "VAULT_DATA_4107", "shape-type")
    assert (error["line"], error["pointer"]) == (3, "/prompt")
    assert error["errors"] == [{"field": "/prompt", "detail": "prompt must be an array", "line": 3}]
    assert "jane" not in orjson.dumps(error).decode()


def test_records_of_another_shape_can_be_rejected_with_a_report(tenant):
    dataset, steward = make_dataset(tenant), someone(tenant, "data_steward")
    body = jsonl([PAIR, {"prompt": "Q"}, PAIR, {"prompt": 1, "completion": ""}])
    ingest = upload(tenant, dataset, body, shape=RecordShape.PROMPT_COMPLETION, on_error="reject")
    assert (ingest.status, ingest.rejected_count, len(read_all(tenant, dataset))) == ("succeeded", 2, 2)
    with acting(tenant, steward):
        lines = open_rejects(steward, ingest_id=ingest.pk)
    reports = [orjson.loads(line) for line in b"".join(lines).splitlines()]
    assert [(one["line"], one["reason"], one["pointer"]) for one in reports] == [
        (2, "shape-missing", "/completion"),
        (4, "shape-type", "/prompt"),
    ]


def test_the_shape_is_found_recorded_and_then_held_to(tenant):
    dataset = make_dataset(tenant)
    rows = [{"messages": [{"role": "user", "content": f"Question {n}"}]} for n in range(100)]
    ingest = upload(tenant, dataset, jsonl([*rows, PAIR]), shape=RecordShape.AUTO, on_error="reject")
    assert (ingest.shape, ingest.recognized_shape) == ("auto", "openai-chat")
    assert (ingest.version.record_count, ingest.rejected_count) == (100, 1)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_file_of_no_known_shape_is_held_to_none(tenant, form):
    dataset = make_dataset(tenant)
    body = jsonl([{"question": "?"}]) if form == "jsonl" else b"question\n?\n"
    ingest = upload(tenant, dataset, body, shape=RecordShape.AUTO, format=form)
    assert (ingest.status, ingest.recognized_shape) == ("succeeded", "any")


def test_csv_can_hold_instructions(tenant):
    dataset = make_dataset(tenant)
    ingest = upload(tenant, dataset, b"instruction,output\nSay hi,Hi\n,Hm\n", format="csv", shape=RecordShape.AUTO)
    assert (ingest.recognized_shape, ingest.error["pointer"], ingest.error["line"]) == (
        "instruction",
        "/instruction",
        3,
    )
