"""Erasure of records: gone from every version, whatever happens at the same time."""

import hashlib
import json
import threading

import orjson
import pytest
from django.db import connections
from django.utils import timezone

from anonymization.services.tokens import TokenScope, detokenize_values, tokenize_values
from audit.models import AuditEvent
from datasets.errors import DatasetHeld, RecordNotFound
from datasets.errors.upkeep import ErasedMeanwhile, ErasureUnderway
from datasets.models import Chunk, Dataset, ErasedRecord, Ingest, SubjectIndexEntry, Version
from datasets.services.erasure import work
from datasets.services.erasure.suppress import suppressed
from datasets.services.erasure.work import run_erasure
from datasets.services.keys import load_keys
from datasets.services.pack_reader import PackReader
from datasets.services.pack_store import PackWriter
from datasets.services.places import PLACE_SECONDS, open_place, places_of
from datasets.services.read import open_release, read_record, read_records, scanned_chunk
from datasets.services.relocation import Move, Relocation
from datasets.services.write import run_ingest
from datasets.tree.reader import find, locate, prove, verify_proof
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, queue_upload, read_all, reload, someone, upload
from tests.factories.upkeep import (
    again,
    collect,
    drop_head,
    erase,
    full_disk,
    queue_erasure,
    readable_bytes,
    receipt_of,
)
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.errors import StorageFull
from vaultsite.kernel.jobs import claim
from vaultsite.kernel.tenancy.scope import tenant_scope

CANARY = "zanzibar-9f31c"
COUNT = 310
#: Makes rows long enough for several chunks without giving the detectors much to read.
FILLER = "all work and no play " * 40


@pytest.fixture(autouse=True)
def patient_readers(monkeypatch):
    """Nobody reads slowly in most tests, so no erasure needs to wait for them."""
    monkeypatch.setattr(work, "PLACE_SECONDS", 0.0)


def rows(count=COUNT, canary_at=70, note="", with_ids=True):
    return [
        ({"id": f"r{index:05}"} if with_ids else {})
        | {
            "text": f"Row {index}. {note} {FILLER}"
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

    erasure = erase(tenant, dataset, ["r00070", "r99999"])

    assert (erasure.status, erasure.error, erasure.record_count) == ("succeeded", None, 1)
    assert CANARY.encode() not in readable_bytes(tenant, dataset)
    assert b"ada.70@" not in readable_bytes(tenant, dataset)
    for label in ("v1.0.0", "v1.1.0", "v1.2.0"):
        shown = read_all(tenant, dataset, version=label)
        assert "r00070" not in {record.id for record in shown}
        assert len(shown) == COUNT - 1
    with acting(tenant):
        assert not SubjectIndexEntry.objects.filter(dataset=dataset, record_id="r00070").exists()


def test_the_receipt_says_what_was_erased_and_what_stays(tenant, settings):
    settings.BACKUP_DAYS = 21
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows()))
    upload(tenant, dataset, jsonl(rows(note="Second.")))
    with acting(tenant):
        roots = [bytes(version.root) for version in Version.objects.filter(dataset=dataset).order_by("sequence")]
    reader = reader_of(tenant, dataset)
    leaves = {find(reader, root, "r00070").leaf.hex() for root in roots}

    receipt = receipt_of(tenant, erase(tenant, dataset, ["r00070", "r99999"]))

    assert [record["id"] for record in receipt["records"]] == ["r00070"]
    assert set(receipt["records"][0]["leaves"]) == leaves
    assert receipt["not_found"] == ["r99999"]
    assert (receipt["versions_affected"], receipt["chunks_rewritten"], receipt["unreadable"]) == (2, 2, [])
    assert receipt["backups"]["days"] == 21
    assert CANARY not in json.dumps(receipt)


def test_old_roots_and_the_proofs_of_other_records_still_hold(tenant):
    dataset = make_dataset(tenant)
    version = upload(tenant, dataset, jsonl(rows())).version
    reader, root = reader_of(tenant, dataset), bytes(version.root)
    before = {name: (find(reader, root, name).leaf, prove(reader, root, name)) for name in ("r00069", "r00071")}

    erase(tenant, dataset, ["r00070"])

    for name, (leaf, proof) in before.items():
        verify_proof(root, leaf, proof)
        assert prove(reader, root, name) == proof
    assert find(reader, root, "r00070") is None


def test_a_whole_chunk_of_records_can_be_erased(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows()))
    wanted = [f"r{index:05}" for index in range(20, 130)]

    assert erase(tenant, dataset, wanted).record_count == 110

    assert CANARY.encode() not in readable_bytes(tenant, dataset)
    assert len(read_all(tenant, dataset)) == COUNT - 110
    masked = read_all(tenant, dataset, role="data_scientist")
    assert len(masked) == COUNT - 110


def test_an_upload_from_before_the_erasure_does_not_bring_the_record_back(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows()))
    waiting = queue_upload(tenant, dataset, jsonl(rows(note="Second.")))

    erase(tenant, dataset, ["r00070"])
    run_ingest(tenant.pk, waiting.pk)

    assert reload(tenant, waiting).status == "succeeded"
    assert CANARY.encode() not in readable_bytes(tenant, dataset)
    shown = read_all(tenant, dataset)
    assert "r00070" not in {record.id for record in shown}
    assert len(shown) == COUNT - 1


@pytest.mark.parametrize("mode", ["append", "replace"])
def test_nor_does_one_without_ids_under_a_made_up_id(tenant, mode):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows(with_ids=False)))
    (name,) = (record.id for record in read_all(tenant, dataset) if CANARY in record.data["text"])
    waiting = queue_upload(tenant, dataset, jsonl([*rows(with_ids=False), {"text": "one more"}]), mode=mode)

    erase(tenant, dataset, [name])
    run_ingest(tenant.pk, waiting.pk)

    assert reload(tenant, waiting).status == "succeeded"
    assert CANARY.encode() not in readable_bytes(tenant, dataset)
    assert len(read_all(tenant, dataset)) == (COUNT if mode == "replace" else 2 * COUNT - 1)


def test_an_upload_from_before_waits_until_the_erasure_has_ended(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows()))
    ingest = queue_upload(tenant, dataset, jsonl(rows(note="Second.")))
    erasure = queue_erasure(tenant, dataset, ["r00070"])

    run_ingest(tenant.pk, ingest.pk)
    assert (reload(tenant, ingest).status, reload(tenant, ingest).attempt) == ("queued", 0)

    run_erasure(tenant.pk, erasure.pk)
    run_ingest(tenant.pk, ingest.pk)
    assert reload(tenant, ingest).status == "succeeded"
    assert CANARY.encode() not in readable_bytes(tenant, dataset)


def test_what_is_uploaded_after_the_erasure_is_new_data(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows()))
    erase(tenant, dataset, ["r00070"])
    upload(tenant, dataset, jsonl([{"id": "r00070", "text": "somebody else"}]), mode="append")
    assert {"id": "r00070", "text": "somebody else"} in [record.data for record in read_all(tenant, dataset)]
    assert CANARY.encode() not in readable_bytes(tenant, dataset)


class Interrupted:
    """Builds a version in a thread, stopping once where its first pack has just been written."""

    def __init__(self, tenant, ingest, monkeypatch):
        self.reached, self.go_on = threading.Event(), threading.Event()
        self._is_ours = threading.local()
        put = BlobStore.put

        def put_and_wait(store, name, data):
            put(store, name, data)
            if getattr(self._is_ours, "yes", False) and name.startswith("pack/") and not self.reached.is_set():
                self.reached.set()
                assert self.go_on.wait(120)

        monkeypatch.setattr(BlobStore, "put", put_and_wait)
        self._thread = threading.Thread(target=self._run, args=(tenant, ingest))
        self._thread.start()
        assert self.reached.wait(240)

    def _run(self, tenant, ingest):
        self._is_ours.yes = True
        try:
            run_ingest(tenant.pk, ingest.pk)
        finally:
            connections.close_all()

    def finish(self):
        self.go_on.set()
        self._thread.join(240)
        assert not self._thread.is_alive()


def test_a_build_that_was_under_way_through_an_erasure_keeps_nothing_of_it(tenant, monkeypatch):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows()))
    ingest = queue_upload(tenant, dataset, jsonl([{"id": "r00071", "text": "changed"}]), mode="append")
    with acting(tenant):
        Ingest.objects.filter(pk=ingest.pk).update(mode="replace")
    build = Interrupted(tenant, ingest, monkeypatch)
    erasure = erase(tenant, dataset, ["r00070"])
    assert CANARY.encode() not in readable_bytes(tenant, dataset)
    build.finish()
    assert (erasure.status, reload(tenant, ingest).status) == ("succeeded", "succeeded")
    assert CANARY.encode() not in readable_bytes(tenant, dataset)
    assert [record.data["text"] for record in read_all(tenant, dataset)] == ["changed"]


def test_a_build_that_carries_the_record_over_into_a_new_chunk_is_done_again(tenant, monkeypatch):
    """It read the record before the erasure and writes it after: as part of a chunk whose neighbour changed."""
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows()))
    changed = rows()
    changed[69]["text"] = "changed"
    ingest = queue_upload(tenant, dataset, jsonl(changed))
    build = Interrupted(tenant, ingest, monkeypatch)
    assert erase(tenant, dataset, ["r00070"]).status == "succeeded"
    assert CANARY.encode() not in readable_bytes(tenant, dataset)
    build.finish()
    assert reload(tenant, ingest).status == "succeeded"
    assert CANARY.encode() not in readable_bytes(tenant, dataset)
    shown = {record.id: record.data["text"] for record in read_all(tenant, dataset)}
    assert (len(shown), shown["r00069"]) == (COUNT - 1, "changed")


def test_a_stream_that_began_before_ends_without_the_record(tenant, monkeypatch):
    monkeypatch.setattr(work, "PLACE_SECONDS", PLACE_SECONDS)
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows(count=COUNT, canary_at=290)))
    reader = someone(tenant, "data_steward")
    with tenant_scope(tenant.pk, reader):
        release = open_release(reader, dataset_id=dataset.pk, version="main")
    stream = read_records(release)
    shown = [next(stream)]
    assert erase(tenant, dataset, ["r00290"]).status == "succeeded"
    collect(tenant, dataset)
    shown += list(stream)
    assert len(shown) == COUNT - 1
    assert not [record for record in shown if CANARY in record.data["text"]]


def test_a_masked_reader_whose_chunk_was_rewritten_meanwhile_gets_the_rest(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows()))
    reader = someone(tenant, "data_scientist")
    with tenant_scope(tenant.pk, reader):
        release = open_release(reader, dataset_id=dataset.pk, version="main")
    store = release.store
    child, chunk, _ = locate(store, bytes(release.version.root), "r00070")
    erase(tenant, dataset, ["r00070"])
    current, findings = scanned_chunk(release, child.digest, chunk)
    assert len(current) == len(findings) == len(chunk) - 1
    with pytest.raises(RecordNotFound):
        read_record(release, "r00070")


@pytest.mark.parametrize("order", ["collect first", "erase first"])
def test_erasure_and_garbage_collection_in_either_order(tenant, settings, order):
    settings.GC_GRACE_HOURS = 0
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows()))
    upload(tenant, dataset, jsonl(rows(note="Second.")))
    drop_head(tenant, dataset)
    steps = [lambda: collect(tenant, dataset), lambda: erase(tenant, dataset, ["r00070"])]
    for step in steps if order == "collect first" else reversed(steps):
        assert step().status == "succeeded"
    collect(tenant, dataset)
    assert CANARY.encode() not in readable_bytes(tenant, dataset)
    assert len(read_all(tenant, dataset)) == COUNT - 1


def test_an_object_that_moves_while_its_chunk_is_rewritten_is_rewritten_again(tenant, monkeypatch):
    """Somebody seals everything anew between reading and swapping: the swap loses, and is tried on what is there."""
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows()))
    flush, is_first = Relocation.flush, []

    def overtaken(relocation):
        if not is_first:
            is_first.append(True)
            seal_all_anew(tenant, dataset, relocation)
        return flush(relocation)

    monkeypatch.setattr(Relocation, "flush", overtaken)
    assert erase(tenant, dataset, ["r00070"]).chunk_count == 1
    assert CANARY.encode() not in readable_bytes(tenant, dataset)
    assert len(read_all(tenant, dataset)) == COUNT - 1


def seal_all_anew(tenant, dataset, beside):
    """What a rotation of keys does to every object, under the claim of the job beside which it runs."""
    mover = Relocation(beside._keys, beside._claim)
    with acting(tenant):
        places = places_of(Chunk.objects.filter(dataset=dataset))
    for place in places:
        mover.seal_object(Move(), place, open_place(beside._keys, BlobStore.default(), place))
    mover.flush()


def test_legal_hold_refuses_an_erasure_at_its_request_and_at_its_work(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows()))
    erasure = queue_erasure(tenant, dataset, ["r00070"])
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(legal_hold=True)
    with pytest.raises(DatasetHeld):
        queue_erasure(tenant, dataset, ["r00071"])
    run_erasure(tenant.pk, erasure.pk)
    refused = again(tenant, erasure)
    assert (refused.status, refused.error_code) == ("failed", "VAULT_DATA_4006")
    with acting(tenant):
        assert not ErasedRecord.objects.filter(erasure=erasure).exists()
        assert AuditEvent.objects.filter(type="data.erased", status="failure").exists()
    assert CANARY.encode() in readable_bytes(tenant, dataset)


def test_a_chunk_that_cannot_be_opened_is_named_in_the_receipt(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows()))
    with acting(tenant):
        victim = Chunk.objects.filter(dataset=dataset, kind="chunk").order_by("offset").first()
        Chunk.objects.filter(pk=victim.pk).update(secret=bytes(32))
    ids = [f"r{index:05}" for index in range(COUNT)]
    receipt = receipt_of(tenant, erase(tenant, dataset, ids))
    assert receipt["unreadable"] == [bytes(victim.digest).hex()]
    assert len(receipt["records"]) == COUNT - victim.record_count


def test_an_erasure_onto_a_full_disk_is_tried_again(tenant, settings):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows()))
    erasure = queue_erasure(tenant, dataset, ["r00070"])
    with full_disk(settings), pytest.raises(StorageFull):
        run_erasure(tenant.pk, erasure.pk)
    assert again(tenant, erasure).status == "queued"
    run_erasure(tenant.pk, erasure.pk)
    assert again(tenant, erasure).status == "succeeded"
    assert CANARY.encode() not in readable_bytes(tenant, dataset)


def test_the_audit_has_the_erasure_and_its_receipts_digest(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows()))
    erasure = erase(tenant, dataset, ["r00070"])
    with acting(tenant):
        event = AuditEvent.objects.get(type="data.erased")
    facts = json.loads(bytes(event.body))["metadata"]
    encoded = orjson.dumps(receipt_of(tenant, erasure), option=orjson.OPT_SORT_KEYS)
    assert facts["receipt_sha256"] == hashlib.sha256(encoded).hexdigest()
    assert (facts["records"], facts["chunks"], facts["versions"]) == (1, 1, 1)


def test_a_writer_from_before_an_erasure_can_keep_nothing_more(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows(count=2)))
    ingest = queue_upload(tenant, dataset, jsonl(rows(count=1)))
    with acting(tenant):
        keys, claimed = load_keys(dataset.pk), claim(Ingest, ingest.pk)
    writer = PackWriter(keys, claim=claimed[1], detector=bytes(32))
    writer.add_findings(bytes(32), b"[]")
    erasure = queue_erasure(tenant, dataset, ["r00001"])
    with acting(tenant), pytest.raises(ErasureUnderway):
        suppressed(dataset.pk, since=ingest.created_at)
    with pytest.raises(ErasedMeanwhile):
        writer.flush()
    run_erasure(tenant.pk, erasure.pk)
    with acting(tenant):
        erased = suppressed(dataset.pk, since=ingest.created_at)
        assert not suppressed(dataset.pk, since=timezone.now())
    assert erased("r00001", bytes(16))
    assert not erased("r00002", bytes(16))


def test_tokens_of_what_an_erased_record_held_go_with_it(tenant):
    dataset = make_dataset(tenant)
    upload(
        tenant,
        dataset,
        jsonl([{"id": "a", "text": "mail ada@example.com"}, {"id": "b", "text": "mail bo@example.com"}]),
    )
    scope = TokenScope(dataset.pk, "analytics")
    values = ["ada@example.com", "mail ada@example.com", "bo@example.com"]
    with acting(tenant):
        tokens = tokenize_values(scope, values)
    erase(tenant, dataset, "a")
    with acting(tenant):
        assert detokenize_values(scope, tokens) == [None, None, "bo@example.com"]
