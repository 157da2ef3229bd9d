"""What every test of people's searches and erasures starts from."""

import pytest

from datasets.services.erasure import work as record_work
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.subjects import ROWS


@pytest.fixture(autouse=True)
def patient_readers(monkeypatch):
    """Nobody reads slowly, so no erasure needs to wait for them."""
    monkeypatch.setattr(record_work, "PLACE_SECONDS", 0.0)


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    assert upload(tenant, made, jsonl(ROWS)).status == "succeeded"
    return made
