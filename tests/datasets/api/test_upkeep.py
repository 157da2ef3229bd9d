"""REST: erasures, garbage collections and scrubs."""

from uuid import uuid4

import pytest

from datasets.models import Dataset
from datasets.services.erasure import work
from datasets.services.erasure.work import run_erasure
from datasets.services.upkeep.jobs import run_collection, run_scrub
from tests.factories.access import acting
from tests.factories.api import caller, decisions_of, new_request_id, send
from tests.factories.datasets import jsonl, make_dataset, read_all, upload

ROWS = [{"id": f"r{index}", "text": "all work and no play " * 10} for index in range(20)]


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl(ROWS))
    return made


@pytest.fixture(autouse=True)
def patient_readers(monkeypatch):
    monkeypatch.setattr(work, "PLACE_SECONDS", 0.0)


def test_an_erasure_is_accepted_done_and_receipted(tenant, dataset):
    officer = caller(tenant, "privacy_officer")
    request_id = new_request_id()
    body = {"record_ids": ["r3", "r4"], "reason": "asked for"}
    answer = send(officer, "POST", f"/datasets/{dataset.pk}/erasures", body, **{"X-Request-ID": request_id})
    assert answer.status_code == 202
    made = answer.json()
    assert (made["status"], made["id_count"], made["epoch"]) == ("queued", 2, 1)
    (decision,) = decisions_of(tenant, request_id)
    assert (decision.type, decision.status) == ("data.access.delete", "success")

    where = answer["Location"].removeprefix("/api/v1")
    assert send(officer, "GET", where).json()["receipt"] is None
    run_erasure(tenant.pk, made["id"])
    done = send(officer, "GET", where).json()
    assert (done["status"], done["record_count"]) == ("succeeded", 2)
    assert [record["id"] for record in done["receipt"]["records"]] == ["r3", "r4"]
    assert [item["id"] for item in send(officer, "GET", f"/datasets/{dataset.pk}/erasures").json()["data"]] == [
        made["id"]
    ]
    assert len(read_all(tenant, dataset)) == 18
    assert send(officer, "GET", f"/datasets/{dataset.pk}/versions/main/records/r3").json()["code"] == "VAULT_DATA_4003"


def test_the_same_key_erases_once(tenant, dataset):
    officer = caller(tenant, "privacy_officer")
    body = {"record_ids": ["r3"], "reason": "asked for"}
    key = {"Idempotency-Key": uuid4().hex}
    path = f"/datasets/{dataset.pk}/erasures"
    first = send(officer, "POST", path, body, **key)
    second = send(officer, "POST", path, body, **key)
    assert (second.status_code, second.json(), second["Location"]) == (202, first.json(), first["Location"])
    other = send(officer, "POST", path, body | {"record_ids": ["r4"]}, **key)
    assert (other.status_code, other.json()["code"]) == (422, "VAULT_VALID_3012")
    with acting(tenant):
        assert Dataset.objects.get(pk=dataset.pk).erasure_epoch == 1


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"record_ids": []}, "record_ids"),
        ({"record_ids": ["a b"]}, "record_ids"),
        ({"record_ids": [f"r{index}" for index in range(10_001)]}, "record_ids"),
        ({"reason": ""}, "reason"),
        ({"epoch": 7}, "epoch"),
    ],
)
def test_what_is_no_erasure_is_refused_by_field(tenant, dataset, changed, field):
    body = {"record_ids": ["r3"], "reason": "asked for"} | changed
    answer = send(caller(tenant, "privacy_officer"), "POST", f"/datasets/{dataset.pk}/erasures", body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"].startswith(f"/{field}")


def test_a_reason_with_personal_data_is_refused(tenant, dataset):
    body = {"record_ids": ["r3"], "reason": "jane.doe@example.com asked"}
    answer = send(caller(tenant, "privacy_officer"), "POST", f"/datasets/{dataset.pk}/erasures", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "VAULT_DATA_4008")


def test_legal_hold_answers_409(tenant, dataset):
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(legal_hold=True)
    body = {"record_ids": ["r3"], "reason": "asked for"}
    answer = send(caller(tenant, "privacy_officer"), "POST", f"/datasets/{dataset.pk}/erasures", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "VAULT_DATA_4006")


def test_only_who_may_erase_does_and_strangers_learn_nothing(tenant, rival, dataset):
    body = {"record_ids": ["r3"], "reason": "asked for"}
    path = f"/datasets/{dataset.pk}/erasures"
    assert send(caller(tenant, "ml_engineer"), "POST", path, body).status_code == 403
    made = send(caller(tenant, "privacy_officer"), "POST", path, body).json()
    stranger = caller(rival, "privacy_officer")
    for kind in ("erasures", "garbage-collections", "scrubs"):
        hidden = send(stranger, "GET", f"/{kind}/{made['id']}").json()
        absent = send(stranger, "GET", f"/{kind}/{uuid4()}").json()
        assert hidden["status"] == 404
        assert {**hidden, "trace_id": ""} == {**absent, "trace_id": ""}
    assert send(caller(tenant, "ml_engineer"), "GET", f"/erasures/{made['id']}").json()["code"] == "VAULT_DATA_4442"
    assert send(caller(tenant, "auditor"), "GET", f"/erasures/{made['id']}").status_code == 200


@pytest.mark.parametrize(
    ("kind", "run", "code"),
    [
        ("garbage-collections", run_collection, "VAULT_DATA_4445"),
        ("scrubs", run_scrub, "VAULT_DATA_4446"),
    ],
)
def test_upkeep_is_started_by_hand_once_at_a_time(tenant, dataset, kind, run, code):
    admin, auditor = caller(tenant, "tenant_admin"), caller(tenant, "auditor")
    path = f"/datasets/{dataset.pk}/{kind}"
    assert send(auditor, "POST", path).status_code == 403
    answer = send(admin, "POST", path)
    assert answer.status_code == 202
    made = answer.json()
    assert send(admin, "POST", path).json()["id"] == made["id"]
    run(tenant.pk, made["id"])
    assert send(auditor, "GET", answer["Location"].removeprefix("/api/v1")).json()["status"] == "succeeded"
    again = send(admin, "POST", path).json()["id"]
    assert again != made["id"]
    listed = send(auditor, "GET", f"{path}?limit=1").json()
    assert [item["id"] for item in listed["data"]] == [again]
    rest = send(auditor, "GET", f"{path}?limit=1&cursor={listed['pagination']['next_cursor']}").json()
    assert [item["id"] for item in rest["data"]] == [made["id"]]
    assert send(auditor, "GET", f"/{kind}/{uuid4()}").json()["code"] == code
