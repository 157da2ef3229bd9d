"""REST: versions in quarantine."""

from tests.factories.api import caller, send
from tests.factories.datasets import jsonl, make_dataset, upload


def test_a_version_is_put_into_quarantine_and_told_when_and_by_whom(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "a", "text": "nothing"}]))
    path = f"/datasets/{dataset.pk}/versions/v1.0.0/quarantine"
    officer = caller(tenant, "privacy_officer")
    placed = send(officer, "POST", path, {"reason": "to be looked at"})
    assert placed.status_code == 201
    (listed,) = send(officer, "GET", f"/datasets/{dataset.pk}/quarantine/versions").json()["data"]
    assert placed.json() == listed
    assert (listed["placed_at"] is not None, listed["reason"]) == (True, "to be looked at")
    assert send(officer, "POST", path, {"reason": "again"}).json()["code"] == "VAULT_DATA_4602"
