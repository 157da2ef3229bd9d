"""The tabs over the pages of a dataset."""

import pytest

from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.pages import browser_of, events_of, opened
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")


def links(page):
    """Title and aria-current of each link of the tabs, in order."""
    nav = page.text.split('<nav class="v-tabs"')[1].split("</nav>")[0]
    return [
        (link.split("</a>")[0].split(">")[1].strip(), link.split('aria-current="')[1].split('"')[0])
        if "aria-current" in link.split(">")[0]
        else (link.split("</a>")[0].split(">")[1].strip(), "")
        for link in nav.split("<a ")[1:]
    ]


def test_the_open_group_shows_its_pages_and_the_others_their_names(tenant):
    path = f"/admin/datasets/dataset/{make_dataset(tenant).pk}/quarantine/"
    page, _ = opened(browser_of(tenant, "data_steward"), path)
    assert links(page) == [
        ("Overview", ""), ("Records", ""), ("Privacy", "true"), ("History", ""), ("Releases", ""), ("Access", ""),
        ("Storage", ""), ("Findings", ""), ("Anonymization", ""), ("Quarantine", "page"), ("Erasures", ""),
        ("Canaries", ""),
    ]  # fmt: skip


def test_a_group_of_one_page_has_its_name_and_no_second_row(tenant):
    path = f"/admin/datasets/dataset/{make_dataset(tenant).pk}/erasures/"
    page, _ = opened(browser_of(tenant, "legal_counsel"), path.replace("erasures", "schema"))
    assert ("Records", "true") in links(page)
    shown = links(opened(browser_of(tenant, "auditor"), path)[0])
    assert ("Schema", "") in shown
    assert ("Records", "") not in shown
    assert shown[-2:] == [("Quarantine", ""), ("Erasures", "page")]


@pytest.mark.parametrize("page", ["records/", "findings/", "compare/", "anonymization/?policy=preset:pci-pan"])
def test_a_dataset_without_a_version_says_so_and_keeps_its_tabs(tenant, page):
    path = f"/admin/datasets/dataset/{make_dataset(tenant).pk}/{page}"
    shown, request_id = opened(browser_of(tenant, "data_steward", purpose="evaluation"), path)
    assert shown.status_code == 200
    assert "No version yet" in shown.text
    assert ("Overview", "") in links(shown)
    assert [event.type for event in events_of(tenant, request_id)] == ["data.access.read"]
    assert opened(browser_of(tenant, "viewer", purpose="evaluation"), path)[0].status_code == 403


def test_records_are_under_the_tabs(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "a", "text": "nothing"}]))
    path = f"/admin/datasets/dataset/{dataset.pk}/records/"
    browser = browser_of(tenant, "data_steward", purpose="evaluation")
    for address in (path, f"{path}a/"):
        assert ("Records", "page") in links(opened(browser, address)[0])
