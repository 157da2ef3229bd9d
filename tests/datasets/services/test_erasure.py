"""Erasure of records: gone from every version, whatever happens at the same time."""

import json

import pytest

from datasets.models import Chunk, Dataset, ErasedRecord, SubjectIndexEntry, Version
from datasets.services.erasure import work
from datasets.services.keys import load_keys
from datasets.services.pack_reader import PackReader
from datasets.tree.reader import find, prove, verify_proof
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, read_all, reload, upload
from tests.factories.upkeep import erase, readable_bytes, receipt_of

CANARY = "zanzibar-9f31c"
COUNT = 1_500


@pytest.fixture(autouse=True)
def patient_readers(monkeypatch):
    """Nobody reads slowly in most tests, so no erasure needs to wait for them."""
    monkeypatch.setattr(work, "PLACE_SECONDS", 0.0)


def rows(count=COUNT, canary_at=700, note=""):
    return [
        {
            "id": f"r{index:05}",
            "text": f"Row {index} says that {index} times 7 is {index * 7}. {note}"
            + (f" {CANARY} lives at ada.{index}@example.com" if index == canary_at else ""),
        }
        for index in range(count)
    ]


def reader_of(tenant, dataset):
    with acting(tenant):
        return PackReader(load_keys(dataset.pk))


def test_an_erased_record_is_in_no_version_and_in_no_object_that_opens(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows()))
    upload(tenant, dataset, jsonl(rows(note="Second.")))
    upload(tenant, dataset, jsonl(rows(canary_at=None, note="Third.")))
    assert CANARY.encode() in readable_bytes(tenant, dataset)

    erasure = erase(tenant, dataset, ["r00700", "r99999"])

    assert (erasure.status, erasure.error, erasure.record_count) == ("succeeded", None, 1)
    assert CANARY.encode() not in readable_bytes(tenant, dataset)
    assert b"ada.700@" not in readable_bytes(tenant, dataset)
    for label in ("v1.0.0", "v1.1.0", "v1.2.0"):
        shown = read_all(tenant, dataset, version=label)
        assert "r00700" not in {record.id for record in shown}
        assert len(shown) == COUNT - 1
    with acting(tenant):
        assert not SubjectIndexEntry.objects.filter(dataset=dataset, record_id="r00700").exists()


def test_the_receipt_says_what_was_erased_and_what_stays(tenant, settings):
    settings.BACKUP_DAYS = 21
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows()))
    upload(tenant, dataset, jsonl(rows(note="Second.")))
    with acting(tenant):
        roots = [bytes(version.root) for version in Version.objects.filter(dataset=dataset).order_by("sequence")]
    reader = reader_of(tenant, dataset)
    leaves = {find(reader, root, "r00700").leaf.hex() for root in roots}

    receipt = receipt_of(tenant, erase(tenant, dataset, ["r00700", "r99999"]))

    assert [record["id"] for record in receipt["records"]] == ["r00700"]
    assert set(receipt["records"][0]["leaves"]) == leaves
    assert receipt["not_found"] == ["r99999"]
    assert (receipt["versions_affected"], receipt["chunks_rewritten"], receipt["unreadable"]) == (2, 2, [])
    assert receipt["backups"]["days"] == 21
    assert CANARY not in json.dumps(receipt)


def test_old_roots_and_the_proofs_of_other_records_still_hold(tenant):
    dataset = make_dataset(tenant)
    version = upload(tenant, dataset, jsonl(rows())).version
    reader, root = reader_of(tenant, dataset), bytes(version.root)
    before = {name: (find(reader, root, name).leaf, prove(reader, root, name)) for name in ("r00699", "r00701")}

    erase(tenant, dataset, ["r00700"])

    for name, (leaf, proof) in before.items():
        verify_proof(root, leaf, proof)
        assert prove(reader, root, name) == proof
    assert find(reader, root, "r00700") is None


def test_a_whole_chunk_of_records_can_be_erased(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows()))
    wanted = [f"r{index:05}" for index in range(200, 1200)]

    assert erase(tenant, dataset, wanted).record_count == 1000

    assert CANARY.encode() not in readable_bytes(tenant, dataset)
    assert len(read_all(tenant, dataset)) == COUNT - 1000
    masked = read_all(tenant, dataset, role="data_scientist")
    assert len(masked) == COUNT - 1000
