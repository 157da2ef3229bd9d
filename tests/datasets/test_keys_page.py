"""The page of keys: one table, in pages, the same cost for every page."""

import pytest

from access.models import KeyPurpose
from access.services.key_rotation import rotate_key
from datasets.pages import keys
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.pages import browser_of, opened
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")
PAGE = "/admin/datasets/dataset/keys/"


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl([{"id": "a", "text": "nothing"}]))
    return made


def versions_of(text):
    return [part.split("<")[0] for part in text.split('<td class="v-number" title="')[1:]]


def test_a_row_a_key_with_filters_and_pages(tenant, dataset, monkeypatch):
    with acting(tenant):
        for _ in range(4):
            rotate_key(KeyPurpose.DATASET, dataset.pk)
    browser = browser_of(tenant, "tenant_admin")
    whole = opened(browser, PAGE)[0].text
    own = opened(browser, PAGE, {"dataset": dataset.name[1:].upper()})[0].text
    total = len(versions_of(own))
    assert 5 <= total < len(versions_of(whole))
    old = opened(browser, PAGE, {"dataset": dataset.name, "state": "decrypt_only"})[0].text
    assert len(versions_of(old)) == 4
    assert "No key is like that." in opened(browser, PAGE, {"dataset": "no such"})[0].text
    monkeypatch.setattr(keys, "_KEYS_SHOWN", total // 2)
    pages = [opened(browser, PAGE, {"dataset": dataset.name, "page": number})[0].text for number in (1, 2, 3, 4)]
    assert [key for text in pages for key in versions_of(text)] == versions_of(own)
    assert [len(versions_of(text)) for text in pages] == [total // 2, total // 2, total % 2, 0]
    assert ('rel="prev"' in pages[0], 'rel="next"' in pages[0]) == (False, True)
    assert ('rel="prev"' in pages[2], 'rel="next"' in pages[2]) == (True, False)
    assert opened(browser, PAGE, {"page": "-1"})[0].status_code == 200


def test_many_keys_cost_no_more_queries_than_few(tenant, dataset, django_assert_max_num_queries):
    browser = browser_of(tenant, "tenant_admin")
    opened(browser, PAGE)
    with acting(tenant):
        for _ in range(30):
            rotate_key(KeyPurpose.DATASET, dataset.pk)
    with django_assert_max_num_queries(30):
        assert len(versions_of(opened(browser, PAGE)[0].text)) > 30


def test_what_was_refused_is_said_on_the_page(tenant, dataset):
    with acting(tenant):
        rotate_key(KeyPurpose.DATASET, dataset.pk)
    form = {"act": "request", "key": "no id", "reason": "old"}
    refused, _ = opened(browser_of(tenant, "tenant_admin"), PAGE, form, method="post")
    assert refused.status_code == 400
    assert 'data-problem="key"' in refused.text
    assert "the organization" in refused.text


def test_who_asked_for_the_end_of_a_key_is_named(tenant, dataset):
    with acting(tenant):
        old = rotate_key(KeyPurpose.DATASET, dataset.pk)
        rotate_key(KeyPurpose.DATASET, dataset.pk)
    asker = browser_of(tenant, "tenant_admin", full_name="Grace Hopper")
    form = {"act": "request", "key": str(old.pk), "reason": "rotated"}
    assert opened(asker, PAGE, form, method="post")[0].status_code == 302
    seen, _ = opened(browser_of(tenant, "tenant_admin"), PAGE)
    assert ">Grace Hopper</span> asked for its end: rotated" in seen.text
    assert "Destroy the key" in seen.text
