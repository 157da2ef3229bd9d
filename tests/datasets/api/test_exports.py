"""Rules of exports over REST: who may ask, who may download, and for how long."""

import hashlib
import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import signing
from django.utils import timezone

from access.models import ApiKey, RoleBinding
from anonymization.operators.strategy import make_strategy
from anonymization.services.anonymizer import Anonymizer
from datasets.models import Blob, BlobState, Dataset, Export
from datasets.services.exports import encode
from datasets.services.exports.expiry import expire_exports
from datasets.services.exports.removal import remove_exports
from datasets.services.exports.run import run_export
from tests.factories.access import acting, age
from tests.factories.api import caller, decisions_of, events_of, new_request_id, send
from tests.factories.datasets import jsonl, make_dataset, upload
from vaultsite.kernel.identifiers import uuid7

EXPORT = {
    "id", "dataset_id", "version", "status", "progress", "format", "compression", "options", "purpose", "shown",
    "obligations", "record_count", "size", "files", "error", "created_at", "started_at", "finished_at", "expires_at",
    "removed_at", "recipient",
}  # fmt: skip
ROWS = [{"id": f"r{number:02d}", "text": f"row {number} of ada{number}@example.com"} for number in range(12)]


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl(ROWS))
    return made


def ask(client, dataset, body=None, **headers):
    return send(client, "POST", f"/datasets/{dataset.pk}/exports", body or {}, **headers)


def made(tenant, client, dataset, body=None):
    """The id of a finished export."""
    answer = ask(client, dataset, body)
    assert answer.status_code == 202, answer.content
    run_export(tenant.pk, answer.json()["id"])
    return answer.json()["id"]


def address(client, export_id, **body):
    return send(client, "POST", f"/exports/{export_id}/download-url", body)


def fetch(client, url, **headers):
    return client.get(url, headers=headers)


def body_of(answer):
    return b"".join(answer.streaming_content)


def test_an_export_is_asked_for_watched_and_downloaded(tenant, dataset):
    client = caller(tenant, "data_steward")
    answer = ask(client, dataset, {"format": "jsonl", "purpose": "model-training"})
    assert answer.status_code == 202, answer.content
    assert answer["Location"] == f"/api/v1/exports/{answer.json()['id']}"
    assert set(answer.json()) == EXPORT
    assert (answer.json()["status"], answer.json()["purpose"], answer.json()["shown"]) == (
        "queued", "model-training", "raw",
    )  # fmt: skip
    run_export(tenant.pk, answer.json()["id"])
    done = send(client, "GET", f"/exports/{answer.json()['id']}").json()
    assert (done["status"], done["progress"]["percent"], done["record_count"]) == ("succeeded", 100, 12)
    assert [file["name"] for file in done["files"]] == ["export.jsonl", "passport.json"]
    for file in done["files"]:
        signed = address(client, done["id"], file=file["name"]).json()
        got = fetch(client, signed["url"])
        body = body_of(got)
        assert (len(body), hashlib.sha256(body).hexdigest()) == (file["bytes"], file["sha256"])
        assert got["Content-Disposition"] == f'attachment; filename="{file["name"]}"'
        assert (got["Cache-Control"], got["Content-Length"]) == ("no-store", str(file["bytes"]))
    listed = send(client, "GET", f"/datasets/{dataset.pk}/exports").json()
    assert [row["id"] for row in listed["data"]] == [done["id"]]


def test_asking_and_downloading_are_decisions_and_a_download_is_an_event(tenant, dataset):
    client, request_id = caller(tenant, "data_scientist"), new_request_id()
    answer = ask(client, dataset, {}, **{"X-Request-ID": request_id})
    (decision,) = decisions_of(tenant, request_id)
    assert (decision.type, decision.status) == ("data.access.read", "success")
    assert b"anonymize:mask" in bytes(decision.body)
    run_export(tenant.pk, answer.json()["id"])
    signed = address(client, answer.json()["id"]).json()
    request_id = new_request_id()
    body = body_of(fetch(client, signed["url"], **{"X-Request-ID": request_id}))
    assert len(decisions_of(tenant, request_id)) == 1
    (event,) = [event for event in events_of(tenant, request_id) if event.type == "data.exported"]
    said = json.loads(bytes(event.body))["metadata"]
    assert (said["bytes_transferred"], said["records_accessed"], said["file"]) == (len(body), 12, "export.jsonl")


@pytest.mark.parametrize("role", ["analyst", "privacy_officer", "auditor", "viewer"])
def test_who_may_not_take_data_out_is_denied(tenant, dataset, role):
    request_id = new_request_id()
    answer = ask(caller(tenant, role), dataset, {}, **{"X-Request-ID": request_id})
    assert (answer.status_code, answer.json()["code"][:12]) == (403, "VAULT_AUTHZ_")
    (decision,) = decisions_of(tenant, request_id)
    assert decision.type == "data.access.denied"
    with acting(tenant):
        assert not Export.objects.exists()


def test_an_export_needs_a_purpose_that_is_known(tenant, dataset):
    assert ask(caller(tenant, "data_steward", purpose=""), dataset).status_code == 403
    assert ask(caller(tenant, "data_steward"), dataset, {"purpose": "curiosity"}).status_code == 403


def test_restricted_data_leaves_raw_or_not_at_all(tenant):
    dataset = make_dataset(tenant, classification="restricted")
    upload(tenant, dataset, jsonl(ROWS))
    assert ask(caller(tenant, "data_scientist"), dataset).status_code == 403
    assert ask(caller(tenant, "data_steward"), dataset).status_code == 202


def test_exports_of_others_do_not_exist(tenant, rival, dataset):
    client = caller(tenant, "data_steward")
    export_id = made(tenant, client, dataset)
    unknown = send(client, "GET", f"/exports/{uuid7()}").json()
    for stranger in (caller(tenant, "data_steward"), caller(rival, "data_steward")):
        for method, path in (
            ("GET", f"/exports/{export_id}"),
            ("DELETE", f"/exports/{export_id}"),
            ("POST", f"/exports/{export_id}/download-url"),
            ("GET", f"/exports/{export_id}/files/export.jsonl?token=x"),
        ):
            answer = send(stranger, method, path, {} if method == "POST" else None)
            assert answer.status_code == 404, path
            assert {**answer.json(), "trace_id": ""} == {**unknown, "trace_id": ""}
    assert send(caller(tenant, "data_steward"), "GET", f"/datasets/{dataset.pk}/exports").json()["data"] == []
    assert send(caller(rival, "data_steward"), "GET", f"/datasets/{dataset.pk}/exports").status_code == 404


def test_an_address_is_for_one_file_one_reader_and_a_short_time(tenant, dataset, monkeypatch):
    client, other = caller(tenant, "data_steward"), caller(tenant, "data_steward")
    export_id, second = made(tenant, client, dataset), made(tenant, client, dataset)
    url = address(client, export_id, file="export.jsonl").json()["url"]
    token = parse_qs(urlsplit(url).query)["token"][0]
    path = f"/api/v1/exports/{export_id}/files"
    forged = signing.dumps(signing.loads(token, salt="llm-data-vault/export-download/v1"), key="x" * 50)
    for wrong in (
        f"{path}/passport.json?token={token}",
        f"/api/v1/exports/{second}/files/export.jsonl?token={token}",
        f"{path}/export.jsonl",
        f"{path}/export.jsonl?token={token[:-1]}",
        f"{path}/export.jsonl?token={forged}",
    ):
        answer = fetch(client, wrong)
        assert (answer.status_code, answer.json()["code"]) == (403, "VAULT_DATA_4426"), wrong
    assert fetch(other, url).status_code == 404
    assert client.get(url, headers={"Authorization": ""}).status_code == 401
    assert fetch(client, url).status_code == 200
    monkeypatch.setattr("datasets.services.exports.download.LIFETIME", timedelta(0))
    assert fetch(client, url).json()["code"] == "VAULT_DATA_4426"


def test_a_download_is_decided_anew(tenant, dataset):
    client = caller(tenant, "data_steward")
    export_id = made(tenant, client, dataset)
    url = address(client, export_id).json()["url"]
    with acting(tenant):
        key = ApiKey.objects.get()
        RoleBinding.objects.filter(api_key_id=key.pk).delete()
    assert fetch(client, url).status_code in {403, 404}
    with acting(tenant):
        ApiKey.objects.update(revoked_at=timezone.now())
    assert fetch(client, url).status_code == 401


def test_what_was_written_raw_is_not_handed_to_who_now_reads_masked(tenant, dataset):
    client = caller(tenant, "data_steward")
    export_id = made(tenant, client, dataset)
    url = address(client, export_id).json()["url"]
    with acting(tenant):
        Export.objects.filter(pk=export_id).update(requested_by=ApiKey.objects.get().pk)
    scientist = caller(tenant, "data_scientist")
    with acting(tenant):
        newest = ApiKey.objects.order_by("-created_at", "-pk").first()
        Export.objects.filter(pk=export_id).update(requested_by=newest.pk)
    for answer in (address(scientist, export_id), fetch(scientist, url)):
        assert (answer.status_code, answer.json()["code"]) == (403, "VAULT_DATA_4427")
    with acting(tenant):
        Export.objects.filter(pk=export_id).update(
            operator="redact",
            obligations=["anonymize:redact"],
            view_hash=Anonymizer(floor=make_strategy("redact")).content_hash,
        )
    assert address(scientist, export_id).status_code == 200


def test_a_download_goes_on_from_any_byte(tenant, dataset, monkeypatch):
    monkeypatch.setattr("datasets.services.exports.work.PART_BYTES", 100)
    client = caller(tenant, "data_steward")
    export_id = made(tenant, client, dataset)
    url = address(client, export_id).json()["url"]
    whole = body_of(fetch(client, url))
    size = len(whole)
    for asked, start, stop in (
        ("bytes=0-0", 0, 1), ("bytes=5-", 5, size), ("bytes=50-149", 50, 150), ("bytes=-7", size - 7, size),
        (f"bytes=3-{size * 2}", 3, size), ("bytes=-99999", 0, size),
    ):  # fmt: skip
        answer = fetch(client, url, Range=asked)
        assert body_of(answer) == whole[start:stop], asked
        assert answer["Content-Length"] == str(stop - start)
        if (start, stop) != (0, size):
            assert (answer.status_code, answer["Content-Range"]) == (206, f"bytes {start}-{stop - 1}/{size}")
    for ignored in ("bytes=x-", "lines=1-2", "bytes=1-2,4-5", "bytes=-"):
        assert fetch(client, url, Range=ignored).status_code == 200, ignored
    for beyond in (f"bytes={size}-", "bytes=9-3", "bytes=-0"):
        answer = fetch(client, url, Range=beyond)
        assert (answer.status_code, answer.json()["code"]) == (416, "VAULT_DATA_4430"), beyond
    head = client.head(url)
    assert (head.status_code, head["Content-Length"], b"".join(head)) == (200, str(size), b"")


def test_an_export_that_is_not_finished_has_no_files_and_can_be_cancelled(tenant, dataset):
    client = caller(tenant, "data_steward")
    export_id = ask(client, dataset).json()["id"]
    assert address(client, export_id).json()["code"] == "VAULT_DATA_4422"
    assert send(client, "DELETE", f"/exports/{export_id}").status_code == 204
    run_export(tenant.pk, export_id)
    assert send(client, "GET", f"/exports/{export_id}").json()["status"] == "cancelled"
    with acting(tenant):
        assert Export.objects.get().seed is None


def test_files_are_removed_by_hand_by_age_and_by_erasure(tenant, dataset):
    client = caller(tenant, "data_steward")
    by_hand, by_age, by_erasure = (made(tenant, client, dataset) for _ in range(3))
    urls = {export_id: address(client, export_id).json()["url"] for export_id in (by_hand, by_age, by_erasure)}
    assert send(client, "DELETE", f"/exports/{by_hand}").status_code == 204
    with acting(tenant):
        age(Export.objects.get(pk=by_age), expires_at=timedelta(seconds=1))
    assert expire_exports() >= 1
    assert fetch(client, urls[by_erasure]).status_code == 200
    with acting(tenant):
        assert remove_exports(dataset.pk) == 1
    for export_id, url in urls.items():
        for answer in (fetch(client, url), address(client, export_id)):
            assert (answer.status_code, answer.json()["code"]) == (410, "VAULT_DATA_4423")
    with acting(tenant):
        assert not Blob.objects.filter(job__in=urls).exclude(state=BlobState.DEAD).exists()


def test_an_export_begun_before_an_erasure_is_outdated(tenant, dataset):
    client = caller(tenant, "data_steward")
    finished, waiting = made(tenant, client, dataset), ask(client, dataset).json()["id"]
    url = address(client, finished).json()["url"]
    with acting(tenant):
        Dataset.objects.update(erasure_epoch=dataset.erasure_epoch + 1)
    run_export(tenant.pk, waiting)
    assert send(client, "GET", f"/exports/{waiting}").json()["error"]["code"] == "VAULT_DATA_4428"
    assert fetch(client, url).json()["code"] == "VAULT_DATA_4428"
    assert address(client, finished, file="none").json()["code"] == "VAULT_DATA_4428"


def test_a_file_that_the_export_has_not_is_not_found(tenant, dataset):
    client = caller(tenant, "data_steward")
    export_id = made(tenant, client, dataset)
    answer = address(client, export_id, file="other.jsonl")
    assert (answer.status_code, answer.json()["code"]) == (404, "VAULT_DATA_4429")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"format": "xlsx"}, "format"),
        ({"compression": "rar"}, "compression"),
        ({"unknown": 1}, "unknown"),
        ({"split": {"train": 0.5, "test": 0.4}}, "split"),
        ({"split": {"train": 2, "test": -1}}, "split"),
        ({"split": {"dev": 1}}, "split"),
        ({"sample": {}}, "sample"),
        ({"sample": {"rate": 0.5, "size": 3}}, "sample"),
        ({"sample": {"rate": 0}}, "sample"),
        ({"sample": {"size": 10**9}}, "sample"),
        ({"fields": "n"}, "fields"),
        ({"fields": ["x"] * 201}, "fields"),
    ],
)
def test_options_that_do_not_fit_are_refused_by_name(tenant, dataset, body, field):
    answer = ask(caller(tenant, "data_steward"), dataset, body)
    assert answer.status_code == 400, answer.content
    assert any(field in problem["field"] for problem in answer.json()["errors"]), answer.json()


@pytest.mark.parametrize("body", [{"filter": {"n": {"nonsense": 1}}}, {"filter": "a ="}, {"filter": 5}])
def test_a_filter_that_is_none_is_refused(tenant, dataset, body):
    answer = ask(caller(tenant, "data_steward"), dataset, body)
    assert (answer.status_code, answer.json()["code"][:11]) == (400, "VAULT_DATA_")


def test_field_names_and_salts_hold_no_personal_data(tenant, dataset):
    for body in ({"fields": ["ada@example.com"]}, {"split": {"train": 1, "salt": "ada@example.com"}}):
        answer = ask(caller(tenant, "data_steward"), dataset, body)
        assert (answer.status_code, answer.json()["code"]) == (400, "VAULT_DATA_4008")


def test_a_version_that_is_not_there_is_not_found(tenant, dataset):
    assert ask(caller(tenant, "data_steward"), dataset, {"version": "v9.9.9"}).json()["code"] == "VAULT_DATA_4002"


def test_the_same_request_twice_is_one_export(tenant, dataset):
    client = caller(tenant, "data_steward")
    first, second = (ask(client, dataset, {"format": "csv"}, **{"Idempotency-Key": "k1"}) for _ in range(2))
    assert first.json()["id"] == second.json()["id"]
    assert ask(client, dataset, {}, **{"Idempotency-Key": "k1"}).status_code == 422


def test_a_format_that_is_not_installed_is_said_to_be(tenant, dataset, monkeypatch):
    monkeypatch.setitem(encode.WRITERS, "parquet", ("no_such_module", "X"))
    answer = ask(caller(tenant, "data_steward"), dataset, {"format": "parquet"})
    assert (answer.status_code, answer.json()["code"]) == (501, "VAULT_DATA_4114")
    assert "llm-data-vault[parquet]" in answer.json()["detail"]


def test_keys_and_verifier_are_there_to_check_passports(tenant, dataset, rival):
    client = caller(tenant, "data_steward")
    export_id = made(tenant, client, dataset)
    passport = json.loads(body_of(fetch(client, address(client, export_id, file="passport.json").json()["url"])))
    (key,) = send(client, "GET", "/passport-keys").json()["data"]
    assert (key["key_id"], key["public_key"]) == (passport["signer"]["key_id"], passport["signer"]["public_key"])
    assert send(caller(rival, "data_steward"), "GET", "/passport-keys").json()["data"] == []
    assert b"def verify(" in send(client, "GET", "/passport-verifier").content
    assert passport["decision"]["purpose"] == "evaluation"
    assert passport["scan"]["findings"]["EMAIL_ADDRESS"] == 12
    assert (passport["source"]["version"], passport["source"]["records"]) == ("v1.0.0", 12)


def test_a_deleted_dataset_takes_its_exports_with_it(tenant, dataset):
    client = caller(tenant, "data_steward")
    export_id = made(tenant, client, dataset)
    url = address(client, export_id).json()["url"]
    assert send(client, "DELETE", f"/datasets/{dataset.pk}").status_code == 204
    assert fetch(client, url).status_code == 404
