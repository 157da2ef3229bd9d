"""Rules of requests that are sent twice."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from datasets.models import Blob, Dataset, Ingest, Version
from datasets.services.write import run_ingest
from tests.factories.access import acting
from tests.factories.api import caller, decisions_of, new_request_id, send
from tests.factories.datasets import jsonl, make_dataset, rows_of

BODY = jsonl(rows_of(30))


def _at_once(count, call):
    """The answers of ``count`` calls, as many at a time as there are connections: more are told to come back later."""
    threads = connections["default"].settings_dict["OPTIONS"]["pool"]["max_size"]

    def one(_):
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, range(count)))


@pytest.mark.parametrize("header", ["Idempotency-Key", "X-Idempotency-Key"])
def test_a_dataset_created_twice_under_one_key_is_one(tenant, header):
    client = caller(tenant, "data_steward")
    first, second = (send(client, "POST", "/datasets", {"name": "once"}, **{header: "k"}) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert (first.content, first["Location"]) == (second.content, second["Location"])
    with acting(tenant):
        assert Dataset.objects.count() == 1


def test_an_upload_sent_twice_under_one_key_is_one_ingest(tenant):
    client, dataset = caller(tenant, "data_steward"), make_dataset(tenant)
    path = f"/datasets/{dataset.pk}/data"
    first = send(client, "POST", path, BODY, **{"Idempotency-Key": "k"}).json()
    run_ingest(tenant.pk, first["id"])
    second = send(client, "POST", path, BODY, **{"Idempotency-Key": "k"})
    assert (second.status_code, second.json()["id"], second.json()["version"]) == (201, first["id"], "v1.0.0")
    with acting(tenant):
        assert (Ingest.objects.count(), Version.objects.count()) == (1, 1)


def test_fifty_equal_creations_at_once_make_one_dataset(tenant):
    client = caller(tenant, "data_steward")
    answers = _at_once(50, lambda: send(client, "POST", "/datasets", {"name": "once"}, **{"Idempotency-Key": "k"}))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"VAULT_VALID_3011"}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    with acting(tenant):
        assert Dataset.objects.count() == 1


def test_fifty_equal_uploads_at_once_make_one_version(tenant):
    client, dataset = caller(tenant, "data_steward"), make_dataset(tenant)
    path = f"/datasets/{dataset.pk}/data"
    answers = _at_once(50, lambda: send(client, "POST", path, BODY, **{"Idempotency-Key": "k"}))
    assert {answer.status_code for answer in answers} <= {202, 409}
    (ingest,) = {answer.json()["id"] for answer in answers if answer.status_code == 202}
    run_ingest(tenant.pk, ingest)
    assert send(client, "POST", path, BODY, **{"Idempotency-Key": "k"}).json()["version"] == "v1.0.0"
    with acting(tenant):
        assert (Ingest.objects.count(), Version.objects.count()) == (1, 1)
        assert set(Blob.objects.values_list("kind", "state")) == {("pack", "sealed")}


def test_the_key_with_another_body_or_other_options_is_refused(tenant):
    client, dataset = caller(tenant, "data_steward"), make_dataset(tenant)
    key, path = {"Idempotency-Key": "k"}, f"/datasets/{dataset.pk}/data"
    assert send(client, "POST", "/datasets", {"name": "one"}, **key).status_code == 201
    assert send(client, "POST", path, BODY, **key).status_code == 202
    for again in (
        send(client, "POST", "/datasets", {"name": "two"}, **key),
        send(client, "POST", path, BODY + b"{}\n", **key),
        send(client, "POST", path + "?mode=append", BODY, **key),
    ):
        assert (again.status_code, again.json()["code"]) == (422, "VAULT_VALID_3012")
    with acting(tenant):
        assert not Dataset.objects.filter(name="two").exists()
        assert Ingest.objects.count() == 1


@pytest.mark.parametrize("body", [{"name": ""}, {"name": "taken"}, {"name": "jane.roe@example.com"}])
def test_a_creation_that_failed_frees_its_key(tenant, body):
    client, key = caller(tenant, "data_steward"), {"Idempotency-Key": "k"}
    make_dataset(tenant, name="taken")
    assert send(client, "POST", "/datasets", body, **key).status_code in {400, 409}
    assert send(client, "POST", "/datasets", {"name": "better"}, **key).status_code == 201


def test_an_upload_that_failed_frees_its_key(tenant, settings):
    client, dataset = caller(tenant, "data_steward"), make_dataset(tenant)
    path, key = f"/datasets/{dataset.pk}/data", {"Idempotency-Key": "k"}
    settings.MAX_UPLOAD_BYTES = len(BODY)
    assert send(client, "POST", path, BODY * 2, **key).status_code == 413
    assert send(client, "POST", path, b"", **key).status_code == 400
    assert send(client, "POST", path + "?message=jane.roe@example.com", BODY, **key).status_code == 400
    assert send(client, "POST", path, BODY, **key).status_code == 202


def test_an_upload_under_a_taken_label_frees_its_key(tenant):
    client, dataset = caller(tenant, "data_steward"), make_dataset(tenant)
    path, key = f"/datasets/{dataset.pk}/data", {"Idempotency-Key": "k"}
    run_ingest(tenant.pk, send(client, "POST", f"{path}?version=v1.0.0", BODY).json()["id"])
    assert send(client, "POST", f"{path}?version=v1.0.0", BODY, **key).status_code == 409
    assert send(client, "POST", f"{path}?version=v1.0.1", BODY, **key).status_code == 202


def test_a_request_that_could_not_be_audited_frees_its_key(tenant, audit_failing_for):
    client, key, dataset = caller(tenant, "data_steward"), {"Idempotency-Key": "k"}, make_dataset(tenant)
    requests = (("/datasets", {"name": "once"}, 201), (f"/datasets/{dataset.pk}/data", BODY, 202))
    with audit_failing_for(tenant.pk):
        for path, body, _ in requests:
            assert send(client, "POST", path, body, **key).status_code == 503
    for path, body, status in requests:
        assert send(client, "POST", path, body, **key).status_code == status


def test_a_repetition_is_decided_anew_and_audited(tenant):
    client, dataset = caller(tenant, "data_steward"), make_dataset(tenant)
    for path, body in (("/datasets", {"name": "once"}), (f"/datasets/{dataset.pk}/data", BODY)):
        for _ in range(2):
            request_id = new_request_id()
            assert (
                send(client, "POST", path, body, **{"Idempotency-Key": "k", "X-Request-ID": request_id}).status_code
                < 300
            )
            (decision,) = decisions_of(tenant, request_id)
            assert (decision.type, decision.status) == ("data.access.write", "success")


def test_keys_of_different_clients_do_not_meet(tenant):
    names = {}
    for number in range(2):
        answer = send(
            caller(tenant, "data_steward"), "POST", "/datasets", {"name": f"n{number}"}, **{"Idempotency-Key": "k"}
        )
        names[answer.json()["id"]] = answer.status_code
    assert list(names.values()) == [201, 201]
