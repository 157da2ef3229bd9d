from uuid import uuid4

import pytest

from access.models import EncryptionKey, KeyPurpose
from datasets.services.rotation.work import run_rotation
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.datasets import jsonl, make_dataset, rows_of, upload
from tests.factories.pages import browser_of
from tests.vaultsite.conftest import plain_static  # noqa: F401 - a fixture


@pytest.fixture
def dataset(tenant):
    dataset = make_dataset(tenant, name="chats")
    upload(tenant, dataset, jsonl(rows_of(20)))
    return dataset


def rotated(tenant, dataset):
    """The id of a data key that has a successor."""
    answer = send(caller(tenant, "tenant_admin"), "POST", "/keys/rotations", {"purpose": "dataset"} | ids(dataset))
    assert answer.status_code == 202
    assert answer["Location"].endswith(answer.json()["id"])
    run_rotation(tenant.pk, answer.json()["id"])
    with acting(tenant):
        return EncryptionKey.objects.get(purpose=KeyPurpose.DATASET, scope_id=dataset.pk, version=1).pk


def ids(dataset):
    return {"dataset_id": str(dataset.pk)}


def test_keys_are_listed_with_use_and_without_themselves(tenant, dataset):
    rotated(tenant, dataset)
    data = send(caller(tenant, "auditor"), "GET", "/keys").json()["data"]
    family = next(one for one in data if one["purpose"] == "dataset")
    assert (family["dataset"], [one["state"] for one in family["versions"]]) == ("chats", ["active", "decrypt_only"])
    assert family["versions"][0]["uses"] >= 3
    assert {"kek", "platform", "dataset"} <= {one["purpose"] for one in data}
    assert "wrapped" not in str(data)


def test_a_rotation_tells_how_far_it_is(tenant, dataset):
    admin = caller(tenant, "tenant_admin")
    started = send(admin, "POST", "/keys/rotations", {"purpose": "kek"}).json()
    assert send(admin, "GET", f"/keys/rotations/{started['id']}").json()["status"] == "queued"
    run_rotation(tenant.pk, started["id"])
    done = send(admin, "GET", f"/keys/rotations/{started['id']}").json()
    assert (done["status"], done["moved_count"] > 3) == ("succeeded", True)
    unknown = send(admin, "GET", f"/keys/rotations/{uuid4()}")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "VAULT_DATA_4481")


@pytest.mark.parametrize("body", [{"purpose": "boundary"}, {"purpose": "dataset"}, {}, {"purpose": "kek", "x": 1}])
def test_what_cannot_rotate_is_refused(tenant, body):
    assert send(caller(tenant, "tenant_admin"), "POST", "/keys/rotations", body).status_code == 400


def test_the_end_of_a_key_over_rest(tenant, dataset):
    key = rotated(tenant, dataset)
    first, second = caller(tenant, "tenant_admin"), caller(tenant, "security_officer")
    path = f"/keys/{key}/destruction"
    assert send(first, "POST", path, {"reason": "rotated"}).status_code == 202
    alone = send(first, "POST", f"{path}/confirm", {})
    assert (alone.status_code, alone.json()["code"]) == (403, "VAULT_AUTHZ_2013")
    used = send(second, "POST", f"{path}/confirm", {})
    assert used.status_code in (200, 409)  # the upload's report may still lie under the old key
    if used.status_code == 409:
        assert (used.json()["code"], used.json()["uses"] > 0) == ("VAULT_AUTHZ_2012", True)
        assert send(second, "POST", f"{path}/confirm", {"accepts_loss": True}).json()["state"] == "destroyed"
    again = send(first, "POST", path, {"reason": "again"})
    assert (again.status_code, again.json()["code"]) == (404, "VAULT_AUTHZ_2010")


def test_an_active_key_cannot_be_ended(tenant, dataset):
    with acting(tenant):
        key = EncryptionKey.objects.get(purpose=KeyPurpose.DATASET, scope_id=dataset.pk).pk
    answer = send(caller(tenant, "tenant_admin"), "POST", f"/keys/{key}/destruction", {"reason": "now"})
    assert (answer.status_code, answer.json()["code"]) == (409, "VAULT_AUTHZ_2011")


def test_another_tenant_sees_and_ends_no_key(tenant, rival, dataset):
    key = rotated(tenant, dataset)
    stranger = caller(rival, "tenant_admin")
    assert str(key) not in send(stranger, "GET", "/keys").content.decode()
    assert send(stranger, "POST", f"/keys/{key}/destruction", {"reason": "x"}).status_code == 404
    body = {"purpose": "dataset"} | ids(dataset)
    assert send(stranger, "POST", "/keys/rotations", body).status_code == 404


def test_readers_of_keys_end_none(tenant, dataset):
    key = rotated(tenant, dataset)
    auditor = caller(tenant, "auditor")
    assert send(auditor, "POST", f"/keys/{key}/destruction", {"reason": "x"}).status_code == 403
    assert send(auditor, "DELETE", f"/keys/{key}/destruction").status_code == 403
    assert send(auditor, "POST", "/keys/rotations", {"purpose": "kek"}).status_code == 403


def test_the_page_rotates_and_ends_keys(tenant, dataset, plain_static):  # noqa: F811 - the fixture
    key = rotated(tenant, dataset)
    first, second = browser_of(tenant, "tenant_admin"), browser_of(tenant, "security_officer")
    page = "/admin/datasets/dataset/keys/"
    assert "decrypt only" in first.get(page).content.decode()
    assert first.post(page, {"act": "rotate", "purpose": "kek"}).status_code == 302
    assert first.post(page, {"act": "request", "key": key, "reason": "rotated"}).status_code == 302
    assert "Somebody else must confirm" in first.get(page).content.decode()
    assert second.post(page, {"act": "confirm", "key": key, "accepts_loss": "yes"}).status_code == 302
    assert "destroyed" in second.get(page).content.decode()
    for bad in ({"act": "x"}, {"act": "rotate", "purpose": "index"}, {"act": "request", "key": "x", "reason": "y"}):
        assert first.post(page, bad).status_code == 400
    assert "Rotate</button>" not in browser_of(tenant, "auditor").get(page).content.decode()
