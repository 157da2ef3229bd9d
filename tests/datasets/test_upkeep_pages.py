"""Pages of storage, erasures and receipts."""

import pytest

from datasets.models import Dataset, GarbageCollection
from datasets.services.erasure import work
from datasets.services.erasure.work import run_erasure
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.pages import browser_of, opened
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")
ROWS = [{"id": f"r{index}", "text": "all work and no play " * 10} for index in range(20)]


@pytest.fixture
def dataset(tenant, monkeypatch):
    monkeypatch.setattr(work, "PLACE_SECONDS", 0.0)
    made = make_dataset(tenant)
    upload(tenant, made, jsonl(ROWS))
    return made


def test_the_storage_page_shows_packs_and_starts_upkeep(tenant, dataset):
    browser = browser_of(tenant, "tenant_admin")
    path = f"/admin/datasets/dataset/{dataset.pk}/storage/"
    answer, _ = opened(browser, path)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "Nothing damaged is known of." in text
    assert "pack/" in text
    answer, _ = opened(browser, path, {"do": "collect"}, method="post")
    assert (answer.status_code, answer["Location"]) == (302, path)
    with acting(tenant):
        assert GarbageCollection.objects.filter(dataset=dataset).count() == 1
    empty, _ = opened(browser, f"/admin/datasets/dataset/{make_dataset(tenant).pk}/storage/")
    assert "Nothing is stored yet." in empty.content.decode()
    refused, _ = opened(browser_of(tenant, "data_steward"), path, {"do": "scrub"}, method="post")
    assert refused.status_code == 403


def test_records_are_erased_from_the_page_with_a_receipt(tenant, dataset):
    browser = browser_of(tenant, "privacy_officer")
    path = f"/admin/datasets/dataset/{dataset.pk}/erasures/"
    answer, _ = opened(browser, path)
    assert "Nothing was erased." in answer.content.decode()
    form = {"record_ids": "r3\nr99", "reason": "asked for"}
    refused, _ = opened(browser, path, form, method="post")
    assert refused.status_code == 400
    assert "confirm that this cannot be undone" in refused.content.decode()
    refused, _ = opened(browser, path, form | {"record_ids": "<b>", "confirmed": "1"}, method="post")
    assert "line 1 is no record id" in refused.content.decode()
    assert "<b>" not in refused.content.decode()
    answer, _ = opened(browser, path, form | {"confirmed": "1"}, method="post")
    assert (answer.status_code, answer["Location"]) == (302, path)
    with acting(tenant):
        (erasure,) = Dataset.objects.get(pk=dataset.pk).erasures.all()
    receipt = f"/admin/datasets/dataset/erasures/{erasure.pk}/"
    assert "No receipt yet" in opened(browser, receipt)[0].content.decode()
    run_erasure(tenant.pk, erasure.pk)
    text = opened(browser, receipt)[0].content.decode()
    assert ">r3<" in text
    assert ">r99<" in text
    assert opened(browser_of(tenant, "ml_engineer"), receipt)[0].status_code == 404
