"""What an upload does to the records that are there, how it names its own, and what it need not do again."""

import pytest
import zstandard

from datasets.errors import ContradictoryOptions, FormatUnavailable
from datasets.formats.parquet.reader import require_parquet
from datasets.models import Blob, BlobKind, FindingsBlob, IdMode, IngestFormat
from datasets.services.commit import read_profile
from datasets.services.ingest import runs, scan, work
from datasets.services.ingest.random_access import SealedUpload
from datasets.services.ingest.receive import FRAME_BYTES, PART_BYTES, read_parts, receive_parts
from datasets.services.keys import load_keys
from datasets.services.write import UploadOptions, begin_ingest, run_ingest
from tests.factories.access import acting
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
from vaultsite.kernel.identifiers import uuid7


def held(tenant, dataset):
    return {record.id: record.data for record in read_all(tenant, dataset)}


def test_upsert_puts_in_replaces_and_leaves_the_rest(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "a", "n": 1}, {"id": "b", "n": 2}, {"id": "c", "n": 3}]))
    ingest = upload(
        tenant, dataset, jsonl([{"id": "b", "n": 20}, {"id": "d", "n": 4}, {"id": "c", "n": 3}]), mode="upsert"
    )
    assert ingest.version.record_count == 4
    assert {name: data["n"] for name, data in held(tenant, dataset).items()} == {"a": 1, "b": 20, "c": 3, "d": 4}


def test_upserting_what_is_there_changes_nothing(tenant):
    dataset, body = make_dataset(tenant), jsonl([{"id": f"r{n}", "n": n} for n in range(50)])
    first, second = upload(tenant, dataset, body), upload(tenant, dataset, body, mode="upsert")
    assert bytes(first.version.root) == bytes(second.version.root)


def test_upsert_needs_an_id_in_every_record(tenant):
    dataset = make_dataset(tenant)
    ingest = upload(tenant, dataset, jsonl([{"id": "a"}, {"n": 1}]), mode="upsert")
    assert (ingest.error["code"], ingest.error["reason"], ingest.error["line"]) == ("VAULT_DATA_4104", "id-missing", 2)


def test_upsert_by_key_fields_names_records_by_their_values_and_shows_none_of_them(tenant):
    dataset = make_dataset(tenant)
    rows = [{"mail": f"person{n}@example.com", "day": n % 2, "text": "first"} for n in range(6)]
    upload(tenant, dataset, jsonl(rows), mode="upsert", key="mail,day")
    before = held(tenant, dataset)
    assert not any("example" in name for name in before)
    changed = [rows[3] | {"text": "second"}, {"mail": "new@example.com", "day": 0, "text": "first"}]
    upload(tenant, dataset, jsonl(changed), mode="upsert", key="/day,mail")
    after = held(tenant, dataset)
    assert len(after) == 7
    assert {name: data["text"] for name, data in after.items() if data["mail"] == rows[3]["mail"]} == {
        name: "second" for name, data in before.items() if data["mail"] == rows[3]["mail"]
    }


def test_a_missing_key_rejects_its_line_and_no_other(tenant):
    dataset = make_dataset(tenant)
    body = jsonl([{"k": "a"}, {"n": 1}, {"k": None}, {"k": "b"}])
    ingest = upload(tenant, dataset, body, mode="upsert", key="k", on_error="reject")
    assert (ingest.version.record_count, ingest.rejected_count) == (2, 2)


def test_the_same_key_twice_in_one_upload_names_both_lines(tenant):
    dataset = make_dataset(tenant)
    ingest = upload(tenant, dataset, jsonl([{"k": "a"}, {"k": "b"}, {"k": "a", "n": 1}]), mode="upsert", key="k")
    assert (ingest.error["code"], ingest.error["first_line"], ingest.error["line"]) == ("VAULT_DATA_4106", 1, 3)


def test_ids_that_are_personal_data_can_be_hashed(tenant):
    dataset, rows = make_dataset(tenant), [{"id": "jane@example.com", "n": 1}, {"id": "x y", "n": 2}]
    assert upload(tenant, dataset, jsonl(rows)).error["code"] == "VAULT_DATA_4105"
    upload(tenant, dataset, jsonl(rows), id_mode=IdMode.HASH)
    first = held(tenant, dataset)
    upload(tenant, dataset, jsonl([rows[0] | {"n": 3}]), id_mode=IdMode.HASH, mode="upsert")
    second = held(tenant, dataset)
    assert first.keys() == second.keys()
    assert not any("jane" in name for name in first)
    assert sorted(data["n"] for data in second.values()) == [2, 3]


@pytest.mark.parametrize(
    "options",
    [
        {"key": "a", "id_field": "b"},
        {"key": "a", "id_mode": IdMode.HASH},
        {"key": "a,a"},
        {"envelope": True, "format": IngestFormat.CSV},
    ],
)
def test_options_that_contradict_each_other_are_refused_before_a_byte_is_read(tenant, options):
    dataset, steward = make_dataset(tenant), someone(tenant, "data_steward")
    with pytest.raises(ContradictoryOptions), acting(tenant, steward):
        begin_ingest(steward, dataset_id=dataset.pk, options=UploadOptions(**options))


def test_zstd_is_recognized(tenant):
    dataset, rows = make_dataset(tenant), rows_of(30)
    upload(tenant, dataset, zstandard.compress(jsonl(rows)))
    assert sorted_rows(record.data for record in read_all(tenant, dataset)) == sorted_rows(rows)


@pytest.mark.parametrize(
    ("body", "form"),
    [
        (b'\xef\xbb\xbf \n{"id": "a", "n": "1"}\n', "jsonl"),
        (b"id,n\na,1\n", "csv"),
        (zstandard.compress(b"id,n\na,1\n"), "csv"),
    ],
)
def test_the_format_is_told_by_the_file_and_shown(tenant, body, form):
    dataset = make_dataset(tenant)
    ingest = upload(tenant, dataset, body, format="auto")
    assert (ingest.format, ingest.recognized_format, ingest.recognized_shape) == ("auto", form, "any")
    assert held(tenant, dataset) == {"a": {"id": "a", "n": "1"}}


def test_parquet_comes_in_and_its_rows_are_the_lines(tenant):
    pytest.importorskip("pyarrow", reason="the parquet extra is not installed")
    from tests.datasets.formats.parquet_files import packed

    dataset = make_dataset(tenant)
    file = packed(
        {"id": [f"r{n}" for n in range(500)], "text": [f"mail{n}@example.com" for n in range(500)]}, row_group_size=90
    )
    ingest = upload(tenant, dataset, file, format="auto")
    assert (ingest.recognized_format, ingest.version.record_count) == ("parquet", 500)
    with acting(tenant):
        assert read_profile(ingest.version)["/data/text", "EMAIL_ADDRESS"] == 500
    bad = upload(tenant, dataset, packed({"n": [1.0, float("nan")]}), format="parquet")
    assert (bad.error["code"], bad.error["reason"], bad.error["line"]) == ("VAULT_DATA_4101", "not-finite", 2)


def test_a_parquet_upload_is_refused_where_its_packages_are_missing(tenant, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    dataset, steward = make_dataset(tenant), someone(tenant, "data_steward")
    with pytest.raises(FormatUnavailable, match="parquet"), acting(tenant, steward):
        begin_ingest(steward, dataset_id=dataset.pk, options=UploadOptions(format=IngestFormat.PARQUET))
    with pytest.raises(FormatUnavailable):
        require_parquet()


def test_any_range_of_an_upload_can_be_read_from_its_sealed_parts(tenant):
    dataset, job = make_dataset(tenant), uuid7()
    body = b"".join(number.to_bytes(4, "big") for number in range((PART_BYTES + 3 * FRAME_BYTES) // 4)) + b"end"
    with acting(tenant):
        keys = load_keys(dataset.pk)
    blocks = (body[start : start + 100_001] for start in range(0, len(body), 100_001))
    received = receive_parts(keys, job, blocks)
    assert (received.size, received.part_count) == (len(body), 2)
    with acting(tenant):
        parts = list(Blob.objects.filter(job=job, kind=BlobKind.PART).order_by("sequence"))
    assert b"".join(read_parts(keys, parts)) == body
    file = SealedUpload(keys, parts, received.size)
    for offset in (0, 1, FRAME_BYTES - 1, FRAME_BYTES, PART_BYTES - 2, PART_BYTES, len(body) - 3, len(body)):
        for length in (0, 1, 3, FRAME_BYTES + 2, 3 * FRAME_BYTES):
            if offset + length <= len(body):
                assert file.read_at(offset, length) == body[offset : offset + length]
    with pytest.raises(ValueError):
        file.read_at(len(body) - 1, 2)


@pytest.fixture
def scanned(monkeypatch):
    """How many records were given to the detector, one number an upload."""
    given = []
    real = scan.detect_records

    def counted(records):
        given.append(len(records))
        return real(records)

    monkeypatch.setattr(scan, "detect_records", counted)
    return given


def test_the_same_file_again_is_not_scanned_again(tenant, scanned):
    dataset, rows = make_dataset(tenant), rows_of(600)
    first = upload(tenant, dataset, jsonl(rows))
    assert sum(scanned) == 600
    scanned.clear()
    second = upload(tenant, dataset, jsonl([*rows, {"prompt": "new", "response": "Write to zoe@example.com"}]))
    assert sum(scanned) == 1
    with acting(tenant):
        before, after = read_profile(first.version), read_profile(second.version)
    assert after["/data/response", "EMAIL_ADDRESS"] == before["/data/response", "EMAIL_ADDRESS"] + 1


def test_known_records_under_other_ids_carry_their_findings_into_new_chunks(tenant, scanned):
    dataset, rows = make_dataset(tenant), rows_of(300)
    first = upload(tenant, dataset, jsonl(rows))
    scanned.clear()
    named = upload(tenant, dataset, jsonl(row | {} for row in rows), mode="append")
    assert sum(scanned) == 0
    with acting(tenant):
        before, after = read_profile(first.version), read_profile(named.version)
    assert after == {name: 2 * count for name, count in before.items()}


def test_a_version_without_findings_of_these_detectors_is_scanned_anew(tenant, scanned):
    dataset, rows = make_dataset(tenant), rows_of(200)
    upload(tenant, dataset, jsonl(rows))
    with acting(tenant):
        FindingsBlob.objects.update(detector=b"x" * 33)
    scanned.clear()
    upload(tenant, dataset, jsonl(rows), mode="append")
    assert sum(scanned) == 200


def test_a_small_upload_does_not_read_a_large_branch(tenant, scanned, monkeypatch):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(900)))
    scanned.clear()
    upload(tenant, dataset, jsonl(rows_of(5)), mode="append")
    assert sum(scanned) == 5


def test_many_runs_are_merged_in_levels_to_the_same_tree(tenant, monkeypatch):
    rows = [{"id": f"r{(n * 7919) % 1000:04}", "text": "word " * 20} for n in range(1000)]
    plain, merged = make_dataset(tenant), make_dataset(tenant)
    expected = upload(tenant, plain, jsonl(rows))
    monkeypatch.setattr(scan, "RUN_BYTES", 4000)
    monkeypatch.setattr(scan, "BATCH_RECORDS", 16)
    monkeypatch.setattr(runs, "SEGMENT_BYTES", 20_000)
    monkeypatch.setattr(work, "MAX_OPEN_RUNS", 3)
    ingest = upload(tenant, merged, jsonl(rows))
    assert ingest.status == "succeeded"
    assert ingest.version.record_count == expected.version.record_count == 1000
    assert held(tenant, merged) == held(tenant, plain)
    with acting(tenant):
        assert set(Blob.objects.values_list("kind", "state")) == {(BlobKind.PACK, "sealed")}


def test_a_merge_that_is_taken_up_again_goes_on_where_it_was(tenant, monkeypatch):
    rows = [{"id": f"r{(n * 7919) % 400:04}"} for n in range(400)]
    dataset = make_dataset(tenant)
    monkeypatch.setattr(scan, "RUN_BYTES", 1)
    monkeypatch.setattr(scan, "BATCH_RECORDS", 16)
    monkeypatch.setattr(work, "MAX_OPEN_RUNS", 3)
    monkeypatch.setattr(work, "TURN_SECONDS", 0)
    ingest = queue_upload(tenant, dataset, jsonl(rows))
    stages = set()
    for _ in range(200):
        run_ingest(tenant.pk, ingest.pk)
        ingest = reload(tenant, ingest)
        stages.add(ingest.checkpoint.get("stage"))
        if ingest.is_final:
            break
    assert ingest.status == "succeeded"
    assert {"scan", "merge"} <= stages
    assert len(held(tenant, dataset)) == 400
