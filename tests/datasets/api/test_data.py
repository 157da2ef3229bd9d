"""Rules of uploading and downloading: /api/v1/datasets/{id}/data and /api/v1/ingests."""

import gzip
import json
from io import BytesIO
from uuid import uuid4

import pytest

from datasets.models import Blob, Ingest, Version
from datasets.services.write import run_ingest
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.datasets import jsonl, make_dataset, queue_upload, rows_of, sorted_rows, upload

ROW = b'{"n": 1}\n'
INGEST = {
    "id", "dataset_id", "status", "progress", "version", "error", "format", "mode", "received_bytes", "rejected_count",
    "quarantined_count", "shape", "recognized_shape", "recognized_format",
    "created_at", "started_at", "finished_at",
}  # fmt: skip


def send_chunked(client, dataset, body):
    """Without a Content-Length, as a server hands on a chunked request."""
    unread = {"CONTENT_LENGTH": "", "wsgi.input": BytesIO(body), "HTTP_TRANSFER_ENCODING": "chunked"}
    return client.generic("POST", f"/api/v1/datasets/{dataset.pk}/data", **unread)


def test_an_upload_without_waiting_is_accepted_and_can_be_followed(tenant):
    dataset, client = make_dataset(tenant), caller(tenant, "data_steward")
    answer = send(client, "POST", f"/datasets/{dataset.pk}/data", ROW)
    body = answer.json()
    assert answer.status_code == 202
    assert answer["Location"] == f"/api/v1/ingests/{body['id']}"
    assert set(body) == INGEST
    assert (body["status"], body["version"], body["received_bytes"]) == ("queued", None, len(ROW))
    assert client.get(answer["Location"]).json() == body
    run_ingest(tenant.pk, body["id"])
    done = client.get(answer["Location"]).json()
    assert (done["status"], done["version"], done["progress"]) == (
        "succeeded",
        "v1.0.0",
        {"stage": "done", "records": 1},
    )
    assert done["started_at"] <= done["finished_at"]


def test_a_finished_upload_that_was_waited_for_is_created(tenant, worker):
    dataset, client = make_dataset(tenant), caller(tenant, "data_steward")
    answer = send(client, "POST", f"/datasets/{dataset.pk}/data?wait=60", jsonl(rows_of(40)))
    assert (answer.status_code, answer.json()["status"], answer.json()["version"]) == (201, "succeeded", "v1.0.0")
    assert answer["Location"] == f"/api/v1/ingests/{answer.json()['id']}"
    assert send(client, "GET", f"/datasets/{dataset.pk}/versions/main").json()["record_count"] == 40


def test_a_failed_upload_that_was_waited_for_is_its_problem(tenant, worker):
    dataset, client = make_dataset(tenant), caller(tenant, "data_steward")
    answer = send(client, "POST", f"/datasets/{dataset.pk}/data?wait=60", ROW + b"{broken\n")
    body = answer.json()
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert (body["code"], body["line"], body["status"]) == ("VAULT_DATA_4101", 2, 400)
    assert set(body) >= {"type", "title", "detail", "errors", "trace_id", "ingest"}
    assert answer["X-Request-ID"] == body["trace_id"]
    shown = send(client, "GET", f"/ingests/{body['ingest']}").json()
    assert (shown["status"], shown["error"]["code"]) == ("failed", "VAULT_DATA_4101")


@pytest.mark.parametrize(
    "kind",
    ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "application/json", "text/csv", "", "x/y"],
)
def test_the_body_is_the_file_whatever_its_content_type(tenant, kind):
    dataset, client = make_dataset(tenant), caller(tenant, "data_steward")
    answer = client.generic("POST", f"/api/v1/datasets/{dataset.pk}/data", ROW, content_type=kind)
    assert answer.status_code == 202
    run_ingest(tenant.pk, answer.json()["id"])
    assert send(client, "GET", f"/datasets/{dataset.pk}/data").getvalue() == b'{"n":1}\n'


def test_a_form_is_bad_jsonl_and_says_so(tenant):
    dataset, client = make_dataset(tenant), caller(tenant, "data_steward")
    answer = client.post(f"/api/v1/datasets/{dataset.pk}/data", {"file": "x"})
    run_ingest(tenant.pk, answer.json()["id"])
    error = client.get(answer["Location"]).json()["error"]
    assert (error["code"], error["line"]) == ("VAULT_DATA_4101", 1)


def test_a_body_of_unknown_length_is_read_to_its_end(tenant):
    dataset, client = make_dataset(tenant), caller(tenant, "data_steward")
    answer = send_chunked(client, dataset, ROW * 3)
    assert (answer.status_code, answer.json()["received_bytes"]) == (202, len(ROW) * 3)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("format=xml", "/format"),
        ("mode=merge", "/mode"),
        ("on_error=ignore", "/on_error"),
        ("wait=61", "/wait"),
        ("wait=-1", "/wait"),
        ("wait=x", "/wait"),
        ("version=1.0", "/version"),
        ("version=v1.0.0x", "/version"),
        ("envelope=perhaps", "/envelope"),
        ("formt=csv", "/formt"),
        ("id_field=" + "x" * 201, "/id_field"),
        ("message=" + "x" * 1001, "/message"),
    ],
)
def test_an_option_that_does_not_fit_is_named_before_a_byte_is_kept(tenant, query, field):
    dataset = make_dataset(tenant)
    answer = send(caller(tenant, "data_steward"), "POST", f"/datasets/{dataset.pk}/data?{query}", ROW)
    assert (answer.status_code, answer.json()["code"]) == (400, "VAULT_VALID_3001")
    assert [problem["field"] for problem in answer.json()["errors"]] == [field]
    with acting(tenant):
        assert not Ingest.objects.exists()
        assert not Blob.objects.exists()


def test_personal_data_in_the_message_is_refused(tenant):
    dataset = make_dataset(tenant)
    path = f"/datasets/{dataset.pk}/data?message=from%20jane.roe@example.com"
    answer = send(caller(tenant, "data_steward"), "POST", path, ROW)
    assert (answer.status_code, answer.json()["code"]) == (400, "VAULT_DATA_4008")
    assert b"jane" not in answer.content


def test_a_label_can_be_chosen_once(tenant):
    dataset, client = make_dataset(tenant), caller(tenant, "data_steward")
    upload(tenant, dataset, ROW, label="v3.1.4")
    answer = send(client, "POST", f"/datasets/{dataset.pk}/data?version=v3.1.4", ROW)
    assert (answer.status_code, answer.json()["code"]) == (409, "VAULT_DATA_4007")
    assert send(client, "POST", f"/datasets/{dataset.pk}/data?version=v3.1.5", ROW).status_code == 202


def test_an_empty_body_is_refused_and_leaves_nothing(tenant):
    dataset = make_dataset(tenant)
    answer = send(caller(tenant, "data_steward"), "POST", f"/datasets/{dataset.pk}/data", b"")
    assert (answer.status_code, answer.json()["code"]) == (400, "VAULT_DATA_4011")
    with acting(tenant):
        assert not Ingest.objects.exists()
        assert not Blob.objects.exists()


def test_a_body_over_the_limit_is_refused_and_leaves_nothing(tenant, settings):
    settings.MAX_UPLOAD_BYTES = 1_000_000
    dataset, client = make_dataset(tenant), caller(tenant, "data_steward")
    path = f"/api/v1/datasets/{dataset.pk}/data"
    declared = client.generic("POST", path, b"x" * 1_000_001)
    streamed = send_chunked(client, dataset, b"x" * 9_000_000)
    for answer in (declared, streamed):
        assert (answer.status_code, answer.json().get("code")) == (413, "VAULT_VALID_3006"), answer.content
    with acting(tenant):
        assert not Ingest.objects.exists()
        assert not Blob.objects.exists()


def test_csv_gzip_and_a_named_id_member(tenant):
    dataset, client = make_dataset(tenant), caller(tenant, "data_steward")
    body = gzip.compress(b"key,text\r\nk2,two\r\nk1,one\r\n")
    answer = send(client, "POST", f"/datasets/{dataset.pk}/data?format=csv&id_field=key", body)
    run_ingest(tenant.pk, answer.json()["id"])
    lines = send(client, "GET", f"/datasets/{dataset.pk}/data").getvalue().splitlines()
    assert [json.loads(line) for line in lines] == [{"key": "k1", "text": "one"}, {"key": "k2", "text": "two"}]


def test_append_adds_and_replace_replaces(tenant):
    dataset, client = make_dataset(tenant), caller(tenant, "data_steward")
    path = f"/datasets/{dataset.pk}/data"
    for query, body in (("", ROW), ("?mode=append", b'{"n": 2}\n'), ("?mode=replace", b'{"n": 3}\n')):
        run_ingest(tenant.pk, send(client, "POST", path + query, body).json()["id"])
    found = [send(client, "GET", f"{path}?version={number}").getvalue() for number in (1, 2, 3)]
    assert found == [b'{"n":1}\n', b'{"n":1}\n{"n":2}\n', b'{"n":3}\n']


def test_a_download_streams_the_version_and_names_it(tenant):
    dataset, rows = make_dataset(tenant), rows_of(3000)
    upload(tenant, dataset, jsonl(rows))
    answer = send(caller(tenant, "data_steward"), "GET", f"/datasets/{dataset.pk}/data?version=v1.0.0")
    assert answer.streaming
    assert (answer["Content-Type"], answer["X-Vault-Version"]) == ("application/x-ndjson", "v1.0.0")
    assert answer["Cache-Control"] == "no-store"
    pieces = list(answer.streaming_content)
    assert len(pieces) > 1
    assert sorted_rows(map(json.loads, b"".join(pieces).splitlines())) == sorted_rows(rows)


def test_a_download_shows_a_data_scientist_no_personal_data(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(60)))
    body = send(caller(tenant, "data_scientist"), "GET", f"/datasets/{dataset.pk}/data").getvalue()
    assert body.count(b"\n") == 60
    assert b"@example.com" not in body


def test_a_download_of_nothing_is_no_such_version(tenant):
    dataset, client = make_dataset(tenant), caller(tenant, "data_steward")
    for query in ("", "?version=main", "?version=v9.9.9", "?version=" + "x" * 5000):
        answer = send(client, "GET", f"/datasets/{dataset.pk}/data{query}")
        assert (answer.status_code, answer.json()["code"]) == (404, "VAULT_DATA_4002")


def test_the_report_of_rejected_lines_is_for_readers_of_raw_data(tenant):
    dataset = make_dataset(tenant)
    ingest = upload(
        tenant, dataset, ROW + b'{broken jane.roe@example.com\n{"id": "jane.roe@example.com"}\n', on_error="reject"
    )
    path = f"/ingests/{ingest.pk}/rejects"
    answer = send(caller(tenant, "data_steward"), "GET", path)
    lines = [json.loads(line) for line in answer.getvalue().splitlines()]
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/x-ndjson")
    assert [line["line"] for line in lines] == [2, 3]
    assert {"line", "code", "reason", "detail", "raw"} == set(lines[0])
    assert "jane.roe@example.com" in lines[0]["raw"]
    for role, status in {"ml_engineer": 403, "tenant_admin": 403, "data_scientist": 404, "viewer": 404}.items():
        refused = send(caller(tenant, role), "GET", path)
        assert (refused.status_code, refused["Content-Type"]) == (status, "application/problem+json"), role
        assert b"jane" not in refused.content
    assert send(caller(tenant, "data_steward", purpose=""), "GET", path).status_code == 403


def test_an_ingest_without_rejected_lines_has_no_report(tenant):
    ingest = upload(tenant, make_dataset(tenant), ROW)
    answer = send(caller(tenant, "data_steward"), "GET", f"/ingests/{ingest.pk}/rejects")
    assert (answer.status_code, answer.json()["code"]) == (404, "VAULT_DATA_4009")


def test_an_ingest_shows_no_reader_what_the_file_held(tenant):
    ingest = upload(tenant, make_dataset(tenant), b'{"id": "jane.roe@example.com", "ssn": "078-05-1120"}\n')
    answer = send(caller(tenant, "ml_engineer"), "GET", f"/ingests/{ingest.pk}")
    assert answer.json()["error"]["code"] == "VAULT_DATA_4105"
    assert b"jane" not in answer.content
    assert b"078-05" not in answer.content


def test_two_uploads_at_once_make_two_versions_one_after_the_other(tenant):
    dataset = make_dataset(tenant)
    first, second = (queue_upload(tenant, dataset, jsonl(rows_of(50, seed)), mode="append") for seed in (1, 2))
    run_ingest(tenant.pk, second.pk)
    run_ingest(tenant.pk, first.pk)
    with acting(tenant):
        assert list(Version.objects.order_by("sequence").values_list("label", "record_count")) == [
            ("v1.0.0", 50),
            ("v1.1.0", 100),
        ]


@pytest.mark.parametrize("path", ["/datasets/{}/data", "/datasets/{}/data?wait=1"])
def test_nobody_uploads_into_a_dataset_that_is_not(tenant, path):
    answer = send(caller(tenant, "data_steward"), "POST", path.format(uuid4()), ROW)
    assert (answer.status_code, answer.json()["code"]) == (404, "VAULT_DATA_4001")
    with acting(tenant):
        assert not Blob.objects.exists()
