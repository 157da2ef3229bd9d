import gzip
from datetime import timedelta

import pytest
from django.db.models.functions import Now

from audit.models import AuditEvent
from datasets.errors import DatasetNotFound
from datasets.models import Blob, BlobKind, Branch, Chunk, FindingsBlob, Ingest, SubjectIndexEntry, Version
from datasets.services.commit import read_profile
from datasets.services.lifecycle import delete_dataset
from datasets.services.sweep import sweep_blobs
from datasets.services.write import UploadOptions, begin_ingest, finish_receiving, run_ingest
from tests.factories.access import acting, age
from tests.factories.datasets import (
    jsonl,
    make_dataset,
    queue_upload,
    read_all,
    reload,
    rows_of,
    someone,
    sorted_rows,
    upload,
)
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.errors import BlobMissing
from vaultsite.kernel.jobs import MAX_ATTEMPTS


def test_an_upload_becomes_a_version_whose_records_equal_the_input(tenant):
    dataset, rows = make_dataset(tenant), rows_of(700)
    ingest = upload(tenant, dataset, jsonl(rows))
    assert (ingest.status, ingest.version.label, ingest.version.record_count) == ("succeeded", "v1.0.0", 700)
    assert sorted_rows(record.data for record in read_all(tenant, dataset)) == sorted_rows(rows)


def test_gzip_is_recognized(tenant):
    dataset, rows = make_dataset(tenant), rows_of(30)
    ingest = upload(tenant, dataset, gzip.compress(jsonl(rows)))
    assert ingest.version.record_count == 30
    assert sorted_rows(record.data for record in read_all(tenant, dataset)) == sorted_rows(rows)


def test_csv_rows_become_records_of_strings(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, b'id,question,answer\r\n7,"two\nlines","a, b"\r\n', format="csv")
    (record,) = read_all(tenant, dataset)
    assert (record.id, record.data) == ("7", {"id": "7", "question": "two\nlines", "answer": "a, b"})


def test_the_same_file_again_shares_every_chunk(tenant):
    dataset, body = make_dataset(tenant), jsonl(rows_of(900))
    first, second = upload(tenant, dataset, body), upload(tenant, dataset, body)
    assert bytes(second.version.root) == bytes(first.version.root)
    assert (second.version.new_chunk_count, second.version.new_sealed_bytes) == (0, 0)
    assert second.version.sequence == 2
    assert bytes(second.version.digest) != bytes(first.version.digest)


def test_one_changed_record_stores_one_chunk(tenant):
    dataset = make_dataset(tenant)
    rows = [row | {"id": f"r{index}", "filler": "x" * 600} for index, row in enumerate(rows_of(1500))]
    upload(tenant, dataset, jsonl(rows))
    rows[750] |= {"filler": "y" * 600}  # as long as before: ids and sizes decide where chunks end
    ingest = upload(tenant, dataset, jsonl(rows))
    assert ingest.version.chunk_count > 3  # a chunk ends at 256 KiB at the latest, wherever the dataset's key cuts
    assert ingest.version.new_chunk_count == 1
    assert sorted_rows(record.data for record in read_all(tenant, dataset)) == sorted_rows(rows)


def test_replace_leaves_out_what_the_file_does_not_name(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "a", "n": 1}, {"id": "b", "n": 2}, {"id": "c", "n": 3}]))
    upload(tenant, dataset, jsonl([{"id": "b", "n": 2}, {"id": "c", "n": 4}, {"id": "d", "n": 5}]))
    assert {record.id: record.data["n"] for record in read_all(tenant, dataset)} == {"b": 2, "c": 4, "d": 5}
    assert {record.id for record in read_all(tenant, dataset, version="v1.0.0")} == {"a", "b", "c"}


def test_replace_pairs_equal_contents_and_keeps_their_ids(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"n": 1}, {"n": 1}, {"n": 2}, {"n": 3}]))
    before = {record.id: record.data["n"] for record in read_all(tenant, dataset)}
    upload(tenant, dataset, jsonl([{"n": 3}, {"n": 1}, {"n": 9}, {"n": 1}, {"n": 1}]))
    after = {record.id: record.data["n"] for record in read_all(tenant, dataset)}
    kept = {name: value for name, value in after.items() if name in before}
    assert kept == {name: value for name, value in before.items() if value != 2}
    assert sorted(after.values()) == [1, 1, 1, 3, 9]


def test_a_mixed_file_loses_no_record(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "a", "n": 1}, {"n": 1}]))
    upload(tenant, dataset, jsonl([{"n": 1, "id": "a"}, {"n": 1}, {"n": 7}]))
    assert sorted(record.data["n"] for record in read_all(tenant, dataset)) == [1, 1, 7]


def test_append_keeps_what_is_there(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(10)))
    upload(tenant, dataset, jsonl(rows_of(5, seed=1)), mode="append")
    assert sorted_rows(r.data for r in read_all(tenant, dataset)) == sorted_rows(rows_of(10) + rows_of(5, seed=1))


def test_append_refuses_an_id_that_exists_and_names_the_line(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "a"}, {"id": "b"}]))
    ingest = upload(tenant, dataset, jsonl([{"id": "c"}, {"id": "b"}]), mode="append")
    assert (ingest.status, ingest.error["code"], ingest.error["line"]) == ("failed", "VAULT_DATA_4012", 2)
    assert len(read_all(tenant, dataset)) == 2


def test_a_failed_ingest_leaves_nothing_but_its_row(tenant):
    dataset, before = make_dataset(tenant), set(BlobStore.default().names())
    ingest = upload(tenant, dataset, jsonl(rows_of(400)) + b'{"id": "x", "mail": "eve@example.com"}\n{"id": "x"}\n')
    assert (ingest.status, ingest.error["code"]) == ("failed", "VAULT_DATA_4106")
    assert (ingest.error["first_line"], ingest.error["line"]) == (401, 402)
    assert ingest.seed is None
    with acting(tenant):
        for model in (Blob, Chunk, FindingsBlob, SubjectIndexEntry, Version, Branch):
            assert not model.objects.exists(), model
    assert set(BlobStore.default().names()) == before


def test_a_finished_ingest_keeps_no_temporary_object_and_no_seed(tenant):
    dataset = make_dataset(tenant)
    ingest = upload(tenant, dataset, jsonl(rows_of(300)))
    assert ingest.seed is None
    with acting(tenant):
        assert set(Blob.objects.values_list("kind", "state", "job")) == {(BlobKind.PACK, "sealed", None)}


def test_bad_lines_can_be_rejected_into_a_sealed_report(tenant):
    dataset = make_dataset(tenant)
    body = b'{"n": 1}\n{broken\n{"n": 2}\n{"id": "eve@example.com"}\n'
    ingest = upload(tenant, dataset, body, on_error="reject")
    assert (ingest.status, ingest.rejected_count) == ("succeeded", 2)
    assert sorted(record.data["n"] for record in read_all(tenant, dataset)) == [1, 2]
    with acting(tenant):
        (report,) = Blob.objects.filter(kind=BlobKind.REPORT)
    assert b"broken" not in BlobStore.default().get(report.name)


def test_an_upload_of_nothing_but_bad_lines_is_empty(tenant):
    dataset = make_dataset(tenant)
    ingest = upload(tenant, dataset, b"\n\n{\n", on_error="reject")
    assert (ingest.status, ingest.error["code"]) == ("failed", "VAULT_DATA_4011")


def test_card_authentication_data_is_refused_with_its_line(tenant):
    dataset = make_dataset(tenant)
    ingest = upload(tenant, dataset, jsonl([{"n": 1}, {"text": "card 4111111111111111 exp 12/27 cvv: 123"}]))
    assert (ingest.status, ingest.error["code"], ingest.error["line"]) == ("failed", "VAULT_DATA_4014", 2)


def test_the_profile_counts_what_the_version_holds(tenant):
    dataset, rows = make_dataset(tenant), rows_of(50)
    first = upload(tenant, dataset, jsonl(rows))
    second = upload(tenant, dataset, jsonl(rows[1:]))
    with acting(tenant):
        before, after = read_profile(first.version), read_profile(second.version)
    assert before["/data/response", "EMAIL_ADDRESS"] == 5
    assert after["/data/response", "EMAIL_ADDRESS"] == 4


def test_only_new_leaves_enter_the_subject_index(tenant):
    dataset, rows = make_dataset(tenant), rows_of(50)
    upload(tenant, dataset, jsonl(rows))
    with acting(tenant):
        first = SubjectIndexEntry.objects.count()
    upload(tenant, dataset, jsonl([*rows, {"response": "Write to zoe@example.com"}]))
    with acting(tenant):
        assert (first, SubjectIndexEntry.objects.count()) == (5, 6)


@pytest.mark.parametrize("label", ["v2.0.0", "v7.1.3"])
def test_a_version_takes_the_label_it_is_given(tenant, label):
    dataset = make_dataset(tenant)
    assert upload(tenant, dataset, b'{"n": 1}\n', label=label).version.label == label


def test_an_ingest_tried_too_often_fails_with_an_event_and_leaves_nothing(tenant):
    dataset = make_dataset(tenant)
    ingest = queue_upload(tenant, dataset, jsonl(rows_of(3)))
    with acting(tenant):
        Ingest.objects.filter(pk=ingest.pk).update(attempt=MAX_ATTEMPTS)
    run_ingest(tenant.pk, ingest.pk)
    with acting(tenant):
        failed = Ingest.objects.get(pk=ingest.pk)
        assert (failed.status, failed.error_code, failed.seed) == ("failed", "VAULT_SYS_9011", None)
        assert not Blob.objects.exists()
        assert AuditEvent.objects.filter(type="data.ingest.failed").count() == 1
    run_ingest(tenant.pk, ingest.pk)
    with acting(tenant):
        assert AuditEvent.objects.filter(type="data.ingest.failed").count() == 1


def test_an_upload_with_a_missing_part_is_never_taken_for_whole(tenant):
    dataset = make_dataset(tenant)
    ingest = queue_upload(tenant, dataset, jsonl(rows_of(60_000)), on_error="reject")
    with acting(tenant):
        assert Blob.objects.filter(job=ingest.pk, kind=BlobKind.PART).count() > 1
        Blob.objects.filter(job=ingest.pk, kind=BlobKind.PART, sequence=1).delete()
    with pytest.raises(BlobMissing):
        run_ingest(tenant.pk, ingest.pk)
    with acting(tenant):
        assert Ingest.objects.get(pk=ingest.pk).status == "queued"
        assert not Version.objects.exists()


def test_the_sweep_leaves_an_upload_alone_that_still_brings_parts(tenant):
    dataset = make_dataset(tenant)
    ingest = queue_upload(tenant, dataset, jsonl(rows_of(60_000)))
    with acting(tenant):
        first, *others = Blob.objects.filter(job=ingest.pk).order_by("sequence")
        Ingest.objects.all().delete()
    age(first, created_at=timedelta(hours=3))
    sweep_blobs()
    with acting(tenant):
        assert Blob.objects.filter(job=ingest.pk, state="sealed").count() == 1 + len(others)
    for other in others:
        age(other, created_at=timedelta(hours=3))
    sweep_blobs()
    with acting(tenant):
        assert not Blob.objects.filter(job=ingest.pk, state="sealed").exists()


def test_a_dataset_deleted_during_an_upload_refuses_its_end(tenant):
    steward, dataset = someone(tenant, "data_steward"), make_dataset(tenant)
    with acting(tenant, steward):
        upload_ = begin_ingest(steward, dataset_id=dataset.pk, options=UploadOptions())
    with acting(tenant, steward):
        delete_dataset(steward, dataset_id=dataset.pk)
    with pytest.raises(DatasetNotFound):
        finish_receiving(steward, upload_, [b'{"n": 1}\n'])


def test_a_second_ingest_waits_while_the_first_one_builds(tenant):
    dataset = make_dataset(tenant)
    first, second = (queue_upload(tenant, dataset, b'{"n": 1}\n') for _ in range(2))
    with acting(tenant):
        building = Ingest.objects.filter(pk=first.pk)
        building.update(status="running", checkpoint={"stage": "build"}, lease_until=Now() + timedelta(minutes=5))
    for _ in range(MAX_ATTEMPTS + 2):
        run_ingest(tenant.pk, second.pk)
    assert (reload(tenant, second).status, reload(tenant, second).attempt) == ("queued", 0)
