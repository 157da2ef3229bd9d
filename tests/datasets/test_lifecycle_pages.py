"""Rules of the screens of archive, deletion, purge and quotas."""

from uuid import uuid4

import pytest

from datasets.models import Dataset, Purge, Quota
from datasets.services.lifecycle import delete_dataset
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, rows_of, someone, upload
from tests.factories.pages import browser_of, events_of, opened
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")

LIST = "/admin/datasets/dataset/"
DELETED, QUOTAS = f"{LIST}deleted/", f"{LIST}quotas/"


def page_of(dataset):
    return f"{LIST}{dataset.pk}/"


def deleted(tenant, **facts):
    dataset, steward = make_dataset(tenant, **facts), someone(tenant, "data_steward")
    with acting(tenant, steward):
        return delete_dataset(steward, dataset_id=dataset.pk)


def stored(tenant, dataset):
    with acting(tenant):
        return Dataset.objects.get(pk=dataset.pk)


def test_a_dataset_is_archived_and_restored_from_its_page(tenant):
    dataset, browser = make_dataset(tenant), browser_of(tenant, "data_steward")
    upload(tenant, dataset, jsonl(rows_of(2)))
    assert "data-upload" in browser.get(page_of(dataset)).text
    answer, _ = opened(browser, f"{page_of(dataset)}state/", {"do": "archive"}, method="post")
    assert (answer.status_code, answer["Location"]) == (302, page_of(dataset))
    text = browser.get(page_of(dataset)).text
    assert "archived, read only" in text
    assert "data-upload" not in text
    assert 'class="v-tag">archived' in browser.get(LIST).text
    assert browser.get(f"{page_of(dataset)}branches/").status_code == 200
    opened(browser, f"{page_of(dataset)}state/", {"do": "restore"}, method="post")
    assert stored(tenant, dataset).archived_at is None
    again, request_id = opened(browser, f"{page_of(dataset)}state/", {"do": "restore"}, method="post")
    assert (again.status_code, "VAULT_DATA_4322" in again.text) == (409, True)
    assert [event.status for event in events_of(tenant, request_id)] == ["failure"]
    assert browser.get(f"{page_of(dataset)}state/").status_code == 400


def test_who_may_not_delete_gets_no_button(tenant):
    dataset, browser = make_dataset(tenant), browser_of(tenant, "viewer")
    text = browser.get(page_of(dataset)).text
    assert "Archive" not in text
    assert DELETED not in browser.get(LIST).text
    assert opened(browser, f"{page_of(dataset)}state/", {"do": "archive"}, method="post")[0].status_code == 403
    assert browser.get(DELETED).status_code == 403
    assert stored(tenant, dataset).archived_at is None


def test_a_deleted_dataset_is_listed_and_restored(tenant):
    browser = browser_of(tenant, "data_steward")
    assert "No dataset is waiting" in browser.get(DELETED).text
    dataset = deleted(tenant, name="long " * 30)
    text = browser.get(DELETED).text
    assert "long long" in text
    assert "long long" not in browser.get(LIST).text
    answer, request_id = opened(browser, DELETED, {"do": "restore", "dataset": str(dataset.pk)}, method="post")
    assert (answer.status_code, answer["Location"]) == (302, DELETED)
    assert [event.type for event in events_of(tenant, request_id)] == ["data.access.write", "data.restored"]
    assert stored(tenant, dataset).deleted_at is None


def test_a_purge_asks_for_the_name(tenant):
    dataset, browser = deleted(tenant, name="chats"), browser_of(tenant, "data_steward")
    form = {"do": "purge", "dataset": str(dataset.pk)}
    refused, request_id = opened(browser, DELETED, form | {"name": "chat"}, method="post")
    assert (refused.status_code, "Type the dataset" in refused.text) == (400, True)
    assert [event.status for event in events_of(tenant, request_id)] == ["failure"]
    assert stored(tenant, dataset).purged_at is None
    answer, _ = opened(browser, DELETED, form | {"name": "chats"}, method="post")
    assert answer.status_code == 302
    assert stored(tenant, dataset).purged_at is not None
    with acting(tenant):
        assert Purge.objects.get(dataset_id=dataset.pk).status == "queued"


@pytest.mark.parametrize("do", ["restore", "purge", "anything"])
def test_of_a_dataset_that_is_not_there_nothing_is_done(tenant, rival, do):
    dataset, stranger = deleted(tenant), browser_of(rival, "data_steward")
    answers = [
        opened(stranger, DELETED, {"do": do, "dataset": str(name), "name": dataset.name}, method="post")[0].status_code
        for name in (dataset.pk, uuid4())
    ]
    assert answers == ([400, 400] if do == "anything" else [404, 404])
    assert opened(stranger, DELETED, {"do": do, "dataset": "x"}, method="post")[0].status_code == 400
    assert stored(tenant, dataset).deleted_at is not None


def test_quotas_are_shown_as_bars_and_set(tenant):
    upload(tenant, make_dataset(tenant), jsonl(rows_of(5)))
    browser = browser_of(tenant, "tenant_admin")
    assert "of no limit" in browser.get(QUOTAS).text
    limits = {"bytes": "", "datasets": "2", "records": "20"}
    answer, _ = opened(browser, QUOTAS, limits, method="post")
    assert (answer.status_code, answer["Location"]) == (302, QUOTAS)
    text = browser.get(QUOTAS).text
    assert 'aria-label="50 percent used"' in text
    assert 'aria-label="25 percent used"' in text
    for wrong in ("-1", "1.5", "many", "9" * 19):
        refused, _ = opened(browser, QUOTAS, limits | {"records": wrong}, method="post")
        assert (refused.status_code, "a whole number" in refused.text) == (400, True)
    with acting(tenant):
        assert list(Quota.objects.values_list("max_bytes", "max_datasets", "max_records")) == [(None, 2, 20)]


def test_who_may_only_see_quotas_gets_no_form(tenant):
    browser = browser_of(tenant, "auditor")
    assert "Set limits" not in browser.get(QUOTAS).text
    assert opened(browser, QUOTAS, {"records": "1"}, method="post")[0].status_code == 403
    assert browser_of(tenant, "viewer").get(QUOTAS).status_code == 403
