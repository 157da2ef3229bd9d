"""Rules of exports: what is written, and that it is what its reader may see."""

import csv
import gzip
import hashlib
import io
import json

import orjson
import pytest
import zstandard

from datasets.models import Blob, BlobState, Export
from datasets.passport.verify import verify
from datasets.services.exports.selection import place_of
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, read_all, rows_of, upload
from tests.factories.exports import contents, export, saved

MAIL = "ada.lovelace@example.com"
ROWS = [
    {"id": f"r{number:03d}", "text": f"row {number} of {MAIL}", "n": number, "even": number % 2 == 0}
    for number in range(40)
]


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl(ROWS))
    return made


def lines(body):
    return [json.loads(line) for line in body.splitlines()]


def test_a_raw_export_holds_the_records_in_order_of_id(tenant, dataset):
    done = export(tenant, dataset)
    assert (done.status, done.error, done.seed) == ("succeeded", None, None)
    files = contents(tenant, done)
    assert set(files) == {"export.jsonl", "passport.json"}
    assert lines(files["export.jsonl"]) == ROWS
    assert (done.record_count, done.progress["percent"]) == (40, 100)


def test_an_export_is_what_its_reader_may_see(tenant, dataset):
    done = export(tenant, dataset, role="data_scientist", envelope=True)
    rows = lines(contents(tenant, done)["export.jsonl"])
    shown = {record.data["text"] for record in read_all(tenant, dataset, "data_scientist")}
    assert {row["data"]["text"] for row in rows} == shown
    assert not any(MAIL in json.dumps(row) for row in rows)


def test_nothing_of_the_source_ids_is_in_an_export_that_is_not_raw(tenant, dataset):
    files = contents(tenant, export(tenant, dataset, role="data_scientist", envelope=True))
    rows = lines(files["export.jsonl"])
    assert len({row["id"] for row in rows}) == 40
    assert all(row["id"] == row["data"]["id"] for row in rows)
    everything = b"".join(files.values())
    assert not any(row["id"].encode() in everything for row in ROWS)
    passport = json.loads(files["passport.json"])
    assert passport["proofs"] is None
    assert [row["data"]["n"] for row in rows] != sorted(row["data"]["n"] for row in rows)
    again = lines(contents(tenant, export(tenant, dataset, role="data_scientist", envelope=True))["export.jsonl"])
    assert {row["id"] for row in again} & {row["id"] for row in rows} == set()


def test_a_source_id_is_replaced_at_any_depth(tenant):
    dataset = make_dataset(tenant)
    rows = [{"id": name, "of": {"all": [name, "x"]}, "n": 1} for name in ("first-record", "second-record")]
    upload(
        tenant,
        dataset,
        jsonl({"id": row["id"], "data": row, "metadata": {"by": row["id"]}} for row in rows),
        envelope=True,
    )
    files = contents(tenant, export(tenant, dataset, role="data_scientist", envelope=True))
    assert b"-record" not in b"".join(files.values())
    for row in lines(files["export.jsonl"]):
        assert row["data"]["of"]["all"] == [row["id"], "x"]
        assert row["metadata"] == {"by": row["id"]}


def test_a_filter_is_met_by_what_the_reader_sees(tenant, dataset):
    expression = f"text contains '{MAIL}'"
    assert export(tenant, dataset, filter=expression).record_count == 40
    masked = export(tenant, dataset, role="data_scientist", filter=expression)
    assert (masked.status, masked.record_count) == ("succeeded", 0)
    assert contents(tenant, masked)["export.jsonl"] == b""


def test_the_values_of_a_filter_are_kept_sealed(tenant, dataset):
    done = export(tenant, dataset, filter=f"text contains '{MAIL}'")
    with acting(tenant):
        (row,) = Export.objects.filter(pk=done.pk).values()
    assert MAIL not in repr(row)
    assert row["options"]["filter"]
    assert MAIL.encode() not in contents(tenant, done)["passport.json"]


def test_fields_pick_members_of_data(tenant, dataset):
    rows = lines(contents(tenant, export(tenant, dataset, fields=["n", "none"]))["export.jsonl"])
    assert rows == [{"n": number} for number in range(40)]


def test_a_split_can_be_computed_by_anybody(tenant, dataset):
    split = {"shares": ("0.6", "0.2", "0.2"), "salt": "s1"}
    files = contents(tenant, export(tenant, dataset, split=split))
    assert set(files) == {"train.jsonl", "validation.jsonl", "test.jsonl", "passport.json"}
    for row in ROWS:
        place = int.from_bytes(hashlib.sha256(f"split\0s1\0{row['id']}".encode()).digest()[:8], "big") / 2**64
        name = "train" if place < 0.6 else "validation" if place < 0.8 else "test"
        assert row in lines(files[f"{name}.jsonl"])
    assert sum(len(lines(body)) for name, body in files.items() if name != "passport.json") == 40


def test_a_split_without_rows_has_an_empty_file(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(ROWS[:1]))
    files = contents(tenant, export(tenant, dataset, split={"shares": ("0.5", "0", "0.5")}, compression="gzip"))
    assert set(files) == {"train.jsonl.gz", "test.jsonl.gz", "passport.json"}
    assert sum(len(lines(gzip.decompress(files[name]))) for name in ("train.jsonl.gz", "test.jsonl.gz")) == 1


@pytest.mark.parametrize("size", [1, 7, 39, 40, 41])
def test_a_sample_by_size_has_that_many_rows_and_the_same_each_time(tenant, dataset, size):
    first, second = (export(tenant, dataset, sample={"seed": "k", "size": size}) for _ in range(2))
    taken = lines(contents(tenant, first)["export.jsonl"])
    assert len(taken) == min(size, 40)
    assert taken == lines(contents(tenant, second)["export.jsonl"])
    lowest = sorted(ROWS, key=lambda row: place_of("sample", "k", row["id"]))[:size]
    assert sorted(row["id"] for row in taken) == sorted(row["id"] for row in lowest)


def test_a_sample_by_rate_takes_rows_by_their_hash(tenant, dataset):
    taken = lines(contents(tenant, export(tenant, dataset, sample={"seed": "k", "rate": "0.5"}))["export.jsonl"])
    assert taken == [row for row in ROWS if place_of("sample", "k", row["id"]) < 2**63]
    assert 5 < len(taken) < 35


def unzstd(body):
    return zstandard.ZstdDecompressor().stream_reader(body, read_across_frames=True).read()


@pytest.mark.parametrize(("compression", "opened"), [("gzip", gzip.decompress), ("zstd", unzstd)])
def test_files_are_compressed_as_asked(tenant, dataset, monkeypatch, compression, opened):
    monkeypatch.setattr("datasets.services.exports.work.PART_BYTES", 500)
    done = export(tenant, dataset, compression=compression)
    assert len(done.files[0]["parts"]) > 3
    name = {"gzip": "export.jsonl.gz", "zstd": "export.jsonl.zst"}[compression]
    assert lines(opened(contents(tenant, done)[name])) == ROWS


def test_a_csv_export_has_a_header_of_every_member(tenant):
    dataset = make_dataset(tenant)
    rows = [
        {"id": "a", "x": "=1+1", "deep": {"k": [1]}},
        {"id": "b", "y": None, "x": 'say "hi"\r\nthere'},
        {"id": "c", "y": 1.5, "z": True},
    ]
    upload(tenant, dataset, jsonl(rows))
    body = contents(tenant, export(tenant, dataset, format="csv"))["export.csv"]
    table = list(csv.reader(io.StringIO(body.decode(), newline="")))
    assert set(table[0]) == {"id", "x", "deep", "y", "z"}
    found = [dict(zip(table[0], row, strict=True)) for row in table[1:]]
    assert found[0] == {"id": "a", "x": "'=1+1", "deep": '{"k":[1]}', "y": "", "z": ""}
    assert found[1]["x"] == 'say "hi"\r\nthere'
    assert (found[2]["y"], found[2]["z"]) == ("1.5", "true")


def test_a_parquet_export_keeps_types(tenant, monkeypatch):
    pq = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr("datasets.services.exports.work.SHARD_BYTES", 400)
    dataset = make_dataset(tenant)
    rows = [
        {"id": f"r{n:02d}", "n": n, "x": n / 4, "ok": n > 3, "mixed": n if n % 2 else "s", "deep": [n]}
        for n in range(20)
    ]
    upload(tenant, dataset, jsonl(rows))
    files = contents(tenant, export(tenant, dataset, format="parquet"))
    shards = sorted(name for name in files if name.endswith(".parquet"))
    assert len(shards) > 1
    tables = [pq.read_table(io.BytesIO(files[name])) for name in shards]
    kinds = {field.name: str(field.type) for field in tables[0].schema}
    assert kinds == {"id": "string", "n": "int64", "x": "double", "ok": "bool", "mixed": "string", "deep": "string"}
    found = [row for table in tables for row in table.to_pylist()]
    assert [(row["id"], row["n"], row["x"], row["ok"]) for row in found] == [
        (row["id"], row["n"], row["x"], row["ok"]) for row in rows
    ]
    assert [orjson.loads(row["mixed"]) for row in found] == [row["mixed"] for row in rows]
    assert [orjson.loads(row["deep"]) for row in found] == [row["deep"] for row in rows]


def test_an_export_in_many_parts_is_one_file_and_verifies(tenant, tmp_path, monkeypatch):
    monkeypatch.setattr("datasets.services.exports.work.PART_BYTES", 700)
    dataset, rows = make_dataset(tenant), rows_of(300)
    upload(tenant, dataset, jsonl(rows))
    done = export(tenant, dataset)
    assert len(done.files[0]["parts"]) > 10
    files = contents(tenant, done)
    assert sorted(map(json.dumps, lines(files["export.jsonl"]))) == sorted(json.dumps(row) for row in rows)
    passport, others = saved(tmp_path, files)
    assert "300 rows, hash and row tree hold" in verify(passport, others)[1]
    assert len(json.loads(files["passport.json"])["proofs"]) == 16


def test_nothing_but_the_named_parts_stays(tenant, dataset):
    done = export(tenant, dataset)
    named = {blob for file in done.files for blob, _ in file["parts"]}
    with acting(tenant):
        rows = {str(pk): state for pk, state in Blob.objects.filter(job=done.pk).values_list("pk", "state")}
    assert rows == dict.fromkeys(named, BlobState.SEALED)


def test_too_many_columns_fail_the_export_and_leave_nothing(tenant, monkeypatch):
    monkeypatch.setattr("datasets.formats.write_columns.MAX_COLUMNS", 5)
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{f"member{n}": n} for n in range(6)]))
    done = export(tenant, dataset, format="csv")
    assert (done.status, done.error_code, done.seed) == ("failed", "VAULT_DATA_4424", None)
    with acting(tenant):
        assert not Blob.objects.filter(job=done.pk).exists()
