"""Garbage collection takes nothing that is needed; the scrubber finds what rots, and nothing rotten is served."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from datasets.errors.upkeep import DataCorruption
from datasets.models import Blob, BlobState, Chunk, FindingsBlob, GarbageCollection, Ingest, Scrub
from datasets.services.erasure import work
from datasets.services.keys import load_keys
from datasets.services.node_cache import NODES
from datasets.services.pack_store import PackWriter
from datasets.services.read import open_release, read_record, read_records
from datasets.services.upkeep import verify
from datasets.services.upkeep.jobs import plan_upkeep, run_scrub, start_scrub
from datasets.services.write import run_ingest
from datasets.tree.reader import iterate_chunks
from tests.factories.access import acting, age, principal_with
from tests.factories.datasets import jsonl, make_dataset, queue_upload, read_all, reload, someone, upload
from tests.factories.upkeep import again, collect, drop_head, erase, file_of, scrub
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.jobs import claim
from vaultsite.kernel.tenancy.scope import tenant_scope

FILLER = "all work and no play " * 40
COUNT = 310


def rows(note=""):
    return [{"id": f"r{index:05}", "text": f"Row {index}. {note} {FILLER}"} for index in range(COUNT)]


def digests_of(tenant, dataset):
    with acting(tenant):
        return {bytes(digest) for digest in Chunk.objects.filter(dataset=dataset).values_list("digest", flat=True)}


@pytest.fixture
def no_grace(settings):
    settings.GC_GRACE_HOURS = 0


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    assert upload(tenant, made, jsonl(rows())).status == "succeeded"
    return made


def test_what_no_version_reaches_goes_and_the_rest_stays(tenant, dataset, no_grace):
    needed = digests_of(tenant, dataset)
    upload(tenant, dataset, jsonl(rows("Second.")))
    drop_head(tenant, dataset)
    garbage = digests_of(tenant, dataset) - needed
    assert garbage

    done = collect(tenant, dataset)

    assert (done.status, done.swept_count) == ("succeeded", len(garbage))
    assert digests_of(tenant, dataset) == needed
    with acting(tenant):
        found = {
            bytes(digest) for digest in FindingsBlob.objects.filter(dataset=dataset).values_list("digest", flat=True)
        }
        assert found <= needed
        assert Blob.objects.filter(dataset_id=dataset.pk, kind="pack", state=BlobState.DEAD).count() == 1
    assert (done.dead_pack_count, done.freed_bytes > 0) == (1, True)
    assert len(read_all(tenant, dataset)) == COUNT


def test_the_grace_period_keeps_what_was_touched_lately(tenant, dataset, settings):
    settings.GC_GRACE_HOURS = 1
    assert upload(tenant, dataset, jsonl(rows("Second."))).status == "succeeded"
    drop_head(tenant, dataset)
    before = digests_of(tenant, dataset)
    assert collect(tenant, dataset).swept_count == 0
    assert digests_of(tenant, dataset) == before


def test_what_a_job_in_flight_found_stored_is_not_swept_from_under_it(tenant, dataset, no_grace):
    """A build that meets a chunk nobody reaches any more relies on it before its version says so."""
    upload(tenant, dataset, jsonl(rows("Second.")))
    needed = digests_of(tenant, dataset)
    drop_head(tenant, dataset)
    with acting(tenant):
        garbage = [bytes(row.digest) for row in Chunk.objects.filter(dataset=dataset)]
    ingest = queue_upload(tenant, dataset, jsonl(rows("Third.")))
    with acting(tenant):
        keys, claimed = load_keys(dataset.pk), claim(Ingest, ingest.pk)
    writer = PackWriter(keys, claim=claimed[1], detector=bytes(32))
    assert writer.known(garbage) == set(garbage)

    assert collect(tenant, dataset).swept_count == 0
    assert digests_of(tenant, dataset) == needed

    claimed[1].fail(DataCorruption(b""), seed=None)
    assert collect(tenant, dataset).swept_count > 0


def test_a_chunk_swept_a_moment_ago_is_not_taken_for_known(tenant, dataset):
    ingest = queue_upload(tenant, dataset, jsonl(rows("Second.")))
    with acting(tenant):
        keys, claimed = load_keys(dataset.pk), claim(Ingest, ingest.pk)
        victim = Chunk.objects.filter(dataset=dataset, kind="chunk").first()
        Chunk.objects.filter(pk=victim.pk).delete()
    writer = PackWriter(keys, claim=claimed[1], detector=bytes(32))
    assert writer.known([bytes(victim.digest)]) == set()


def test_mostly_dead_packs_are_packed_anew_and_stay_readable(tenant, dataset, no_grace):
    with acting(tenant):
        (pack,) = Blob.objects.filter(dataset_id=dataset.pk, kind="pack")
        Blob.objects.filter(pk=pack.pk).update(size=pack.size * 3)
    done = collect(tenant, dataset)
    assert done.moved_bytes == pack.size
    with acting(tenant):
        assert Blob.objects.get(pk=pack.pk).state == BlobState.DEAD
        assert not Chunk.objects.filter(blob=pack).exists()
    BlobStore.default().delete(pack.name)
    assert len(read_all(tenant, dataset)) == COUNT
    assert len(read_all(tenant, dataset, role="data_scientist")) == COUNT
    assert scrub(tenant, dataset).damaged_count == 0


def test_a_damaged_node_stops_a_collection_before_it_deletes_anything(tenant, dataset, no_grace):
    upload(tenant, dataset, jsonl(rows("Second.")))
    drop_head(tenant, dataset)
    with acting(tenant):
        assert Chunk.objects.filter(dataset=dataset, kind="node").update(secret=bytes(32))
    NODES.clear()  # as in the worker, which has not opened them
    before = digests_of(tenant, dataset)
    done = collect(tenant, dataset)
    assert (done.status, done.error_code) == ("failed", "VAULT_DATA_4441")
    assert digests_of(tenant, dataset) == before


def second_chunk(tenant, dataset):
    with acting(tenant):
        chunks = list(Chunk.objects.filter(dataset=dataset, kind="chunk").select_related("blob"))
    reader = someone(tenant, "data_steward")
    with tenant_scope(tenant.pk, reader):
        release = open_release(reader, dataset_id=dataset.pk, version="main")
    named = {child.digest: child for child, _ in _chunks(release)}
    ordered = sorted(chunks, key=lambda chunk: named[bytes(chunk.digest)].first_id)
    assert len(ordered) > 1
    return release, ordered[1], named[bytes(ordered[1].digest)]


def _chunks(release):
    return iterate_chunks(release.store, bytes(release.version.root))


def flip(chunk):
    path = file_of(chunk.blob.name)
    body = bytearray(path.read_bytes())
    body[chunk.offset + chunk.length // 2] ^= 1
    path.write_bytes(body)


def flip_key_id(chunk):
    """Such a bit must not look like a key that the tenant does not have."""
    path = file_of(chunk.blob.name)
    body = bytearray(path.read_bytes())
    body[chunk.offset + 10] ^= 1
    path.write_bytes(body)


def cut_off(chunk):
    file_of(chunk.blob.name).write_bytes(file_of(chunk.blob.name).read_bytes()[: chunk.offset])


@pytest.mark.parametrize("harm", [flip, flip_key_id, cut_off])
def test_rot_is_found_named_and_never_served_and_the_rest_is_readable(tenant, dataset, harm):
    release, victim, child = second_chunk(tenant, dataset)
    harm(victim)

    before = []
    with pytest.raises(DataCorruption) as raised:
        before.extend(read_records(release))
    assert raised.value.extra == {"digest": bytes(victim.digest).hex()}
    if harm is not cut_off:  # which takes what lies behind it along
        assert before
        assert max(record.id for record in before) < child.first_id
        assert read_record(release, "r00000").id == "r00000"
        after = list(read_records(release, after=child.last_id))
        assert len(before) + victim.record_count + len(after) == COUNT
    with acting(tenant):
        assert Chunk.objects.get(pk=victim.pk).damaged_at is not None
        event = AuditEvent.objects.get(type="data.corruption.detected")
    assert (event.severity, event.status) == ("critical", "failure")
    assert json.loads(bytes(event.body))["metadata"]["digest"] == bytes(victim.digest).hex()


def test_the_scrubber_finds_what_nobody_reads(tenant, dataset):
    _, victim, _ = second_chunk(tenant, dataset)
    flip(victim)
    done = scrub(tenant, dataset)
    with acting(tenant):
        total = Chunk.objects.filter(dataset=dataset).count() + FindingsBlob.objects.filter(dataset=dataset).count()
        assert Chunk.objects.get(pk=victim.pk).damaged_at is not None
        assert AuditEvent.objects.filter(type="data.corruption.detected", severity="critical").count() == 1
    assert (done.status, done.damaged_count, done.object_count) == ("succeeded", 1, total)
    assert scrub(tenant, dataset).damaged_count == 0  # it is known by now


def test_a_missing_pack_is_damage_of_all_that_lay_in_it_and_heals_when_it_comes_back(tenant, dataset):
    with acting(tenant):
        (pack,) = Blob.objects.filter(dataset_id=dataset.pk, kind="pack")
        total = Chunk.objects.filter(dataset=dataset).count() + FindingsBlob.objects.filter(dataset=dataset).count()
    kept = file_of(pack.name).read_bytes()
    file_of(pack.name).unlink()
    assert scrub(tenant, dataset).damaged_count == total
    with pytest.raises(DataCorruption):
        read_all(tenant, dataset)

    file_of(pack.name).write_bytes(kept)
    with pytest.raises(DataCorruption):
        read_all(tenant, dataset)  # not before it was verified
    assert scrub(tenant, dataset).healed_count == total
    assert len(read_all(tenant, dataset)) == COUNT


def test_a_damaged_chunk_with_an_erased_record_is_not_served_until_that_is_erased_again(tenant, dataset, monkeypatch):
    monkeypatch.setattr(work, "PLACE_SECONDS", 0.0)
    with acting(tenant):
        (pack,) = Blob.objects.filter(dataset_id=dataset.pk, kind="pack")
    kept = file_of(pack.name).read_bytes()
    file_of(pack.name).unlink()
    scrub(tenant, dataset)
    assert erase(tenant, dataset, ["r00000"]).status == "succeeded"
    file_of(pack.name).write_bytes(kept)
    scrub(tenant, dataset)
    with pytest.raises(DataCorruption):
        read_all(tenant, dataset)
    assert erase(tenant, dataset, ["r00000"]).status == "succeeded"
    scrub(tenant, dataset)
    assert len(read_all(tenant, dataset)) == COUNT - 1


def test_swapped_objects_and_empty_packs_are_found(tenant, dataset):
    release, victim, _ = second_chunk(tenant, dataset)
    with acting(tenant):
        other = Chunk.objects.filter(dataset=dataset, kind="chunk").exclude(pk=victim.pk).first()
    path = file_of(victim.blob.name)
    body = bytearray(path.read_bytes())
    length = min(victim.length, other.length)
    body[victim.offset : victim.offset + length] = body[other.offset : other.offset + length]
    path.write_bytes(body)
    assert scrub(tenant, dataset).damaged_count == 1
    with pytest.raises(DataCorruption):
        list(read_records(release))
    path.write_bytes(b"")
    assert scrub(tenant, dataset).damaged_count > 1


def test_what_is_damaged_is_not_known_to_a_writer(tenant, dataset):
    """So that the same chunk, built again, is stored again."""
    _, victim, _ = second_chunk(tenant, dataset)
    ingest = queue_upload(tenant, dataset, jsonl(rows()))
    with acting(tenant):
        Chunk.objects.filter(pk=victim.pk).update(damaged_at=timezone.now())
        keys, claimed = load_keys(dataset.pk), claim(Ingest, ingest.pk)
    writer = PackWriter(keys, claim=claimed[1], detector=bytes(32))
    assert writer.known([bytes(victim.digest)]) == set()


def test_a_scrub_goes_on_where_its_turn_ended(tenant, dataset, monkeypatch):
    monkeypatch.setattr(verify, "_BATCH", 2)
    monkeypatch.setattr(verify, "TURN_SECONDS", 0.0)
    admin = principal_with(tenant, "tenant_admin")
    with tenant_scope(tenant.pk, admin):
        job = start_scrub(admin, dataset_id=dataset.pk)
        assert start_scrub(admin, dataset_id=dataset.pk) == job
    turns = 0
    while not again(tenant, job).is_final:
        run_scrub(tenant.pk, job.pk)
        turns += 1
    with acting(tenant):
        total = Chunk.objects.filter(dataset=dataset).count() + FindingsBlob.objects.filter(dataset=dataset).count()
    assert again(tenant, job).object_count == total
    assert turns > 2


def test_upkeep_is_planned_when_it_is_due(tenant, dataset, settings):
    settings.GC_HOURS, settings.SCRUB_DAYS = 1, 1
    plan_upkeep()
    with acting(tenant):
        assert not GarbageCollection.objects.exists()
        assert not Scrub.objects.exists()
    age(dataset, created_at=timedelta(hours=2))
    plan_upkeep()
    plan_upkeep()
    with acting(tenant):
        assert GarbageCollection.objects.count() == 1
        assert not Scrub.objects.exists()
    age(dataset, created_at=timedelta(days=2))
    plan_upkeep()
    with acting(tenant):
        assert Scrub.objects.count() == 1


def test_an_ingest_after_a_collection_is_whole(tenant, dataset, no_grace):
    collect(tenant, dataset)
    ingest = queue_upload(tenant, dataset, jsonl(rows("Second.")))
    run_ingest(tenant.pk, ingest.pk)
    assert reload(tenant, ingest).status == "succeeded"
    assert collect(tenant, dataset).status == "succeeded"
    assert len(read_all(tenant, dataset, version="v1.0.0")) == len(read_all(tenant, dataset)) == COUNT
