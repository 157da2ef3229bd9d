"""T57: the end of a dataset's keys is the end of every copy of its records, before a row or object is removed."""

import pytest

from access.services.keyring import drop_tenant
from audit.models import AuditEvent
from datasets.models import Chunk, FindingsBlob
from datasets.services.exports.run import run_export
from datasets.services.keys import load_keys
from datasets.services.places import FAULTS, open_findings, open_place, places_of
from datasets.services.purge import run_purge
from datasets.services.read import open_release, read_records
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.datasets import jsonl, make_dataset, read_all, someone, upload
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.errors import KeyDestroyed

CANARY = "shredded-canary-7c1f"
ROWS = [{"id": f"r{number}", "text": f"{CANARY} {number}"} for number in range(40)]
GONE = ("missing", "destroyed")


@pytest.fixture
def dataset(tenant):
    """Read, exported and searched before, so that every cache there is holds it."""
    dataset = make_dataset(tenant, name=f"about {CANARY}")
    upload(tenant, dataset, jsonl(ROWS))
    upload(tenant, dataset, jsonl([*ROWS, {"id": "later", "text": CANARY}]))
    assert len(read_all(tenant, dataset)) == len(ROWS) + 1
    return dataset


def exported(tenant, client, dataset):
    """A finished export, and the signed address of its file."""
    made = send(client, "POST", f"/datasets/{dataset.pk}/exports", {}).json()["id"]
    run_export(tenant.pk, made)
    address = send(client, "POST", f"/exports/{made}/download-url", {"file": "export.jsonl"}).json()["url"]
    return made, address


def ask_for_everything(client, dataset, made, address):
    """What the API has of the dataset: status and body by what was asked."""
    base = f"/datasets/{dataset.pk}"
    asked = {
        "dataset": base,
        "data": f"{base}/data",
        "old version": f"{base}/versions/v1.0.0/records",
        "record": f"{base}/versions/main/records/r1",
        "difference": f"{base}/diff?from=v1.0.0&to=main",
        "metadata": f"{base}/metadata",
        "lineage": f"{base}/lineage",
        "log": f"{base}/log",
        "export": f"/exports/{made}",
    }
    answers = {name: send(client, "GET", path) for name, path in asked.items()}
    answers |= {"query": send(client, "POST", f"{base}/query", {}), "file": client.get(address)}
    return {name: (answer.status_code, answer.getvalue()) for name, answer in answers.items()}


def test_a_shredded_dataset_is_readable_nowhere(tenant, dataset):
    other = make_dataset(tenant)
    upload(tenant, other, jsonl([{"id": "kept", "text": "kept"}]))
    client = caller(tenant, "data_steward")
    taken = exported(tenant, client, dataset)
    before = ask_for_everything(client, dataset, *taken)
    assert {name: status for name, (status, _) in before.items()} == dict.fromkeys(before, 200)
    assert all(CANARY.encode() in before[name][1] for name in ("data", "old version", "record", "file", "query"))
    steward = someone(tenant, "data_steward")
    with acting(tenant, steward):
        opened = open_release(steward, dataset_id=dataset.pk, version="v1.0.0")
    backup = {name: BlobStore.default().get(name) for name in BlobStore.default().names()}
    with acting(tenant):
        recorded = AuditEvent.objects.count()
        places = list(places_of(Chunk.objects.filter(dataset=dataset)))
        findings = list(FindingsBlob.objects.filter(dataset=dataset).select_related("blob"))

    answer = send(client, "DELETE", f"/datasets/{dataset.pk}?purge=now")
    assert answer.status_code == 202

    after = ask_for_everything(client, dataset, *taken)
    assert {name: status for name, (status, _) in after.items()} == dict.fromkeys(after, 404)
    assert not any(CANARY.encode() in body for _, body in after.values())
    for path in (f"/datasets/search?q={CANARY}", "/datasets", "/datasets/inventory"):
        listed = send(client, "GET", path).getvalue()
        assert CANARY.encode() not in listed
        assert str(dataset.pk).encode() not in listed

    # A replica or a backup of the store: rows and objects are all there still, and open with no key.
    with acting(tenant):
        assert Chunk.objects.filter(dataset=dataset).count() == len(places) > 1
        others = [load_keys(dataset.pk), load_keys(other.pk)]  # keys made since, and another dataset's
    store = BlobStore.default()
    for keys in others:
        for place in places:
            with pytest.raises((KeyDestroyed, *FAULTS)):
                open_place(keys, store, place)
        for row in findings:
            with pytest.raises((KeyDestroyed, *FAULTS)):
                open_findings(keys, store, row)
    assert not any(CANARY.encode() in body for body in backup.values())
    with acting(tenant):
        proof = AuditEvent.objects.get(type="data.purged")
        assert AuditEvent.objects.count() > recorded
        assert (proof.status, str(dataset.pk) in str(proof.resource_id)) == ("success", True)

    run_purge(tenant.pk, answer.json()["id"])
    drop_tenant(tenant.pk)
    for name, body in backup.items():  # an old copy of the store comes back
        if name not in set(store.names()):
            store.put(name, body)
    with pytest.raises(Exception, match="|".join(GONE)):
        list(read_records(opened))
    assert {status for status, _ in ask_for_everything(client, dataset, *taken).values()} == {404}
    assert [record.id for record in read_all(tenant, other)] == ["kept"]
