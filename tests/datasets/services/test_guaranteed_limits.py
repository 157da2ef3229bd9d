"""A guarantee is given to a table as a whole: too many rows, or too much text, and there is none."""

import orjson
import pytest

from anonymization.models import Release
from datasets.errors.analytics import TableTooLarge
from datasets.models import Blob, BlobState
from datasets.services.guaranteed import columns
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.guaranteed import guaranteed, options_of, people
from vaultsite.kernel.jobs import JobStatus

COUNT = 60


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl(people(COUNT)))
    return made


def assert_refused(tenant, done, limit):
    """It failed, says how large a table may be, and has left nothing."""
    assert (done.status, done.error_code) == (JobStatus.FAILED, "VAULT_DATA_4702")
    assert (done.error["status"], done.error["limit"]) == (422, limit)
    assert (done.seed, done.request, done.release_id) == (None, None, None)
    with acting(tenant):
        assert not Blob.objects.filter(job=done.pk).exclude(state=BlobState.DEAD).exists()
        assert not Release.objects.exists()


def test_a_table_of_too_many_rows_is_refused(tenant, dataset, monkeypatch):
    monkeypatch.setattr(columns, "MAX_ROWS", COUNT - 1)
    assert_refused(tenant, guaranteed(tenant, dataset), COUNT - 1)


def test_a_table_of_as_many_rows_as_may_be_is_released(tenant, dataset, monkeypatch):
    monkeypatch.setattr(columns, "MAX_ROWS", COUNT)
    assert guaranteed(tenant, dataset).status == JobStatus.SUCCEEDED


def test_a_table_of_too_much_text_is_refused(tenant, dataset, monkeypatch):
    monkeypatch.setattr(columns, "MAX_TEXT_BYTES", 100)
    assert_refused(tenant, guaranteed(tenant, dataset), columns.MAX_ROWS)


def test_a_value_counts_once_however_many_rows_have_it(monkeypatch):
    row = ["P1", 30, "nurse", 4]
    monkeypatch.setattr(columns, "MAX_TEXT_BYTES", sum(len(orjson.dumps(cell)) for cell in ["whose", *row]))
    spooled = columns.collect(options_of(), [["whose", *row]] * COUNT)
    assert [len(column.codes) for column in spooled.columns] == [COUNT] * 4
    with pytest.raises(TableTooLarge):
        columns.collect(options_of(), [["whose", *row], ["whose", "P2", *row[1:]]])
