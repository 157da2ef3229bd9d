"""Every bad file: a clear error that names the line, nothing stored, the worker alive."""

import gzip
import json
import zlib

import pytest

from datasets.models import Chunk, Version
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, read_all, upload

GOOD = b'{"n": 1}\n'
DEEP = b'{"a":' * 100_000 + b"1" + b"}" * 100_000


def _bomb() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(b" " * 1_000_000 + b"\n") for _ in range(300)) + packer.flush()


@pytest.mark.parametrize(
    ("body", "code", "line"),
    [
        pytest.param(GOOD * 4 + b'{"broken\n' + GOOD, "VAULT_DATA_4101", 5, id="broken JSON on line 5"),
        pytest.param(GOOD + DEEP + b"\n", "VAULT_DATA_4101", 2, id="100,000 levels"),
        pytest.param(GOOD + b'{"a": 1, "a": 2}\n', "VAULT_DATA_4101", 2, id="duplicate keys"),
        pytest.param(GOOD + b'{"a": NaN}\n', "VAULT_DATA_4101", 2, id="NaN"),
        pytest.param(GOOD + b'{"a": 18446744073709551616}\n', "VAULT_DATA_4101", 2, id="2^64"),
        pytest.param(GOOD + b'{"a": "\\ud800"}\n', "VAULT_DATA_4101", 2, id="lone surrogate"),
        pytest.param(GOOD + b'{"a": "' + b"x" * 9_000_000 + b'"}\n', "VAULT_DATA_4102", 2, id="long line"),
        pytest.param(GOOD + b'{"id": "jane@example.com"}\n', "VAULT_DATA_4105", 2, id="an e-mail address as id"),
        pytest.param(b'{"id": 1}\n{"id": 2}\n{"id": 1}\n', "VAULT_DATA_4106", 3, id="a duplicate id"),
        pytest.param(GOOD + b'{"a": "caf\xe9"}\n', "VAULT_DATA_4103", 2, id="Latin-1"),
        pytest.param('{"a": 1}\n'.encode("utf-16"), "VAULT_DATA_4103", 1, id="UTF-16"),
        pytest.param(gzip.compress(GOOD * 5000)[:-20], "VAULT_DATA_4111", None, id="truncated gzip"),
        pytest.param(_bomb(), "VAULT_DATA_4112", None, id="a gzip bomb"),
        pytest.param(GOOD + b"[1]\n", "VAULT_DATA_4101", 2, id="not an object"),
        pytest.param(GOOD + b'{"a": "\x00"}\n', "VAULT_DATA_4103", 2, id="NUL"),
    ],
)
def test_bad_input_is_refused_with_its_line_and_stores_nothing(tenant, body, code, line):
    dataset = make_dataset(tenant)
    ingest = upload(tenant, dataset, body)
    assert (ingest.status, ingest.error["code"]) == ("failed", code)
    assert ingest.error["line"] == line if line else ingest.error["line"] >= 1
    with acting(tenant):
        assert not Version.objects.exists()
        assert not Chunk.objects.exists()
    assert "jane" not in json.dumps(ingest.error)


def test_after_a_refused_file_the_next_one_is_taken(tenant):
    dataset = make_dataset(tenant)
    assert upload(tenant, dataset, b"{").status == "failed"
    assert upload(tenant, dataset, jsonl([{"n": 1}])).status == "succeeded"
    assert [record.data for record in read_all(tenant, dataset)] == [{"n": 1}]


def test_a_file_that_fails_late_leaves_the_version_before_it_untouched(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, GOOD)
    assert upload(tenant, dataset, GOOD * 2000 + b"{").status == "failed"
    assert [record.data for record in read_all(tenant, dataset)] == [{"n": 1}]
