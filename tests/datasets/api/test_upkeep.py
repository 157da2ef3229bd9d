"""REST and pages of erasures, garbage collections and scrubs."""

from uuid import uuid4

import pytest

from datasets.models import Dataset, GarbageCollection
from datasets.services.erasure import work
from datasets.services.erasure.work import run_erasure
from datasets.services.upkeep.jobs import run_collection, run_scrub
from tests.factories.access import acting
from tests.factories.api import caller, decisions_of, new_request_id, send
from tests.factories.datasets import jsonl, make_dataset, read_all, upload
from tests.factories.pages import browser_of, opened

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
    assert (decision.type, decision.outcome) == ("data.access.delete", "success")

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
    assert answer.json()["errors"][0]["field"].startswith(field)


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


def test_the_storage_page_shows_packs_and_starts_upkeep(tenant, dataset):
    browser = browser_of(tenant, "tenant_admin")
    path = f"/admin/datasets/dataset/{dataset.pk}/storage/"
    answer, _ = opened(browser, path)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "Nothing damaged is known of." in text
    assert "pack/" in text
    answer, _ = opened(browser, path, {"do": "collect"}, method="post")
    assert (answer.status_code, answer["Location"]) == (302, path)
    with acting(tenant):
        assert GarbageCollection.objects.filter(dataset=dataset).count() == 1
    empty, _ = opened(browser, f"/admin/datasets/dataset/{make_dataset(tenant).pk}/storage/")
    assert "Nothing is stored yet." in empty.content.decode()
    refused, _ = opened(browser_of(tenant, "data_steward"), path, {"do": "scrub"}, method="post")
    assert refused.status_code == 403


def test_records_are_erased_from_the_page_with_a_receipt(tenant, dataset):
    browser = browser_of(tenant, "privacy_officer")
    path = f"/admin/datasets/dataset/{dataset.pk}/erasures/"
    answer, _ = opened(browser, path)
    assert "Nothing was erased." in answer.content.decode()
    form = {"record_ids": "r3\nr99", "reason": "asked for"}
    refused, _ = opened(browser, path, form, method="post")
    assert refused.status_code == 400
    assert "confirm that this cannot be undone" in refused.content.decode()
    refused, _ = opened(browser, path, form | {"record_ids": "<b>", "confirmed": "1"}, method="post")
    assert "line 1 is no record id" in refused.content.decode()
    assert "<b>" not in refused.content.decode()
    answer, _ = opened(browser, path, form | {"confirmed": "1"}, method="post")
    assert (answer.status_code, answer["Location"]) == (302, path)
    with acting(tenant):
        (erasure,) = Dataset.objects.get(pk=dataset.pk).erasures.all()
    receipt = f"/admin/datasets/dataset/erasures/{erasure.pk}/"
    assert "No receipt yet" in opened(browser, receipt)[0].content.decode()
    run_erasure(tenant.pk, erasure.pk)
    text = opened(browser, receipt)[0].content.decode()
    assert ">r3<" in text
    assert ">r99<" in text
    assert opened(browser_of(tenant, "ml_engineer"), receipt)[0].status_code == 404
