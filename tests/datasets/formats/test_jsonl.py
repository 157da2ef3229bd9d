import gzip
import json
from pathlib import Path

import orjson
import pytest

from datasets.errors import UnreadableFile
from datasets.formats.decompress import decompressed
from datasets.formats.ids import IdRule
from datasets.formats.jsonl import read_jsonl
from datasets.formats.rows import RawRecord, Rejected

SAMPLES = Path(__file__).parents[4] / "shared/data/llm"


def read(*lines, **options):
    return list(read_jsonl([b"\n".join(lines)], **options))


def test_a_line_is_the_whole_data_and_keeps_its_id():
    (record,) = read(b'{"text": "hi", "id": 7}')
    assert record == RawRecord(1, "7", {"text": "hi", "id": 7}, {}, b'{"id":7,"text":"hi"}')


def test_blank_lines_are_skipped_but_counted_and_crlf_is_accepted():
    records = read(b"", b'{"a":1}\r', b"  ", b"\r", b'{"a":2}\r', b"")
    assert [(record.line, record.data) for record in records] == [(2, {"a": 1}), (5, {"a": 2})]


def test_an_empty_file_has_no_records():
    assert list(read_jsonl([])) == list(read_jsonl([b""])) == list(read_jsonl([b"\n\n"])) == []


def test_an_envelope_has_id_data_and_metadata():
    (record,) = read(b'{"id":"x","metadata":{"lang":"de"},"data":{"b":1,"a":[]}}', envelope=True)
    assert record == RawRecord(1, "x", {"b": 1, "a": []}, {"lang": "de"}, b'{"a":[],"b":1}')
    (record,) = read(b'{"data":{"id":"inner"}}', envelope=True)
    assert (record.id, record.metadata) == (None, {})


@pytest.mark.parametrize(
    "line",
    [
        b'{"id":"x"}',
        b'{"data":[]}',
        b'{"data":{},"metadata":null}',
        b'{"data":{},"extra":1}',
        b'{"data":{"a":1,"a":1}}',
    ],
)
def test_other_envelopes_are_refused(line):
    (rejected,) = read(line, envelope=True)
    assert (rejected.line, rejected.code) == (1, "VAULT_DATA_4101")


GOOD = b'{"text":"fine"}'
BAD = {
    "broken": (b'{"text": "secret-value}', "VAULT_DATA_4101", "syntax"),
    "deep": (b"[" * 100_000, "VAULT_DATA_4101", "too-deep"),
    "duplicate": (b'{"secret-value":1,"secret-value":2}', "VAULT_DATA_4101", "duplicate-key"),
    "nan": (b'{"a":NaN}', "VAULT_DATA_4101", "not-finite"),
    "2^64": (b'{"a":18446744073709551616}', "VAULT_DATA_4101", "integer-range"),
    "surrogate": (b'{"a":"\\ud800"}', "VAULT_DATA_4101", "lone-surrogate"),
    "email": (b'{"id":"secret-value@example.com"}', "VAULT_DATA_4105", "id-email"),
    "latin-1": ('{"a":"secret-value é"}'.encode("latin-1"), "VAULT_DATA_4103", "not-utf-8"),
    "nul": (b'{"a":"secret-value \0"}', "VAULT_DATA_4103", "nul-byte"),
    "list": (b'["secret-value"]', "VAULT_DATA_4101", "not-an-object"),
    "id": (b'{"id":"secret value"}', "VAULT_DATA_4104", "id-characters"),
}


@pytest.mark.parametrize(("bad", "code", "reason"), BAD.values(), ids=BAD)
def test_a_bad_line_is_named_and_reading_goes_on(bad, code, reason):
    items = read(GOOD, GOOD, b"", GOOD, bad, GOOD)
    assert [item.line for item in items] == [1, 2, 4, 5, 6]
    rejected = items[3]
    assert isinstance(rejected, Rejected)
    assert (rejected.code, rejected.reason, rejected.raw) == (code, reason, bad[: 64 * 1024])
    assert rejected.error.line == 5
    assert rejected.error.as_problem()["detail"].startswith("Line 5: ")
    assert "secret" not in json.dumps(rejected.error.as_problem())


def test_a_required_id_must_be_there():
    items = read(b'{"key":1}', GOOD, ids=IdRule("key", required=True))
    assert items[0].id == "1"
    assert (items[1].code, items[1].reason) == ("VAULT_DATA_4104", "id-missing")


def test_an_overlong_record_is_refused_and_the_next_read():
    first, second = read(b'{"a":"%b"}' % (b"x" * 1000), GOOD, max_record_bytes=500)
    assert (first.line, first.reason, second.data) == (1, "record-too-long", {"text": "fine"})


def test_truncated_gzip_names_the_line_it_broke_off_in():
    lines = b"".join(b'{"n":%d}\n' % number for number in range(50_000))
    records = read_jsonl(decompressed([gzip.compress(lines)[:-2000]]))
    seen = 0
    with pytest.raises(UnreadableFile) as caught:
        for record in records:
            seen = record.line
    assert caught.value.line == seen + 1
    assert caught.value.detail.startswith(f"Line {seen + 1}: ")


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"no real LLM records in {SAMPLES}")
@pytest.mark.parametrize(("name", "count"), [("hh_harmless_test", 2312), ("gsm8k_train", 7473)])
def test_real_files_are_read_whole_and_exactly(name, count):
    file = (SAMPLES / f"{name}.jsonl.gz").read_bytes()
    blocks = (file[start : start + 65536] for start in range(0, len(file), 65536))
    records = list(read_jsonl(decompressed(blocks)))
    expected = [json.loads(line) for line in gzip.decompress(file).splitlines()]
    assert len(records) == count
    assert [record.data for record in records] == expected
    assert [orjson.loads(record.canonical) for record in records] == expected
