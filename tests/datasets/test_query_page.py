"""Rules of the query page."""

import re

import pytest

from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.pages import browser_of, events_of, opened
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

ROWS = [{"id": f"r{n:03d}", "n": n, "mail": f"ada{n}@example.com", "text": f"<b>row</b> {n}"} for n in range(60)]

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl(ROWS))
    return made


@pytest.fixture
def path(dataset):
    return f"/admin/datasets/dataset/{dataset.pk}/query/"


def test_the_purpose_comes_first(tenant, path):
    page, _ = opened(browser_of(tenant, "data_steward"), path)
    assert page.status_code == 200
    assert "For what purpose?" in page.content.decode()


def test_a_query_shows_what_its_reader_may_see_and_leads_on(tenant, dataset, path):
    browser = browser_of(tenant, "data_steward", purpose="evaluation")
    assert "Expression" in opened(browser, path)[0].content.decode()
    page, request_id = opened(browser, path, {"do": "run", "expression": "n >= 20", "version": "main"}, method="post")
    text = page.content.decode()
    assert page.status_code == 200
    assert "25 found" in text
    assert "ada20@example.com" in text
    assert "&lt;b&gt;row" in text
    after = re.search(r'name="after" value="([^"]+)"', text)[1]
    assert after == "r044"
    events = events_of(tenant, request_id)
    assert [event.type for event in events] == ["data.access.read", "data.access.completed"]
    assert b"n >= 20" not in b"".join(bytes(event.body) for event in events)
    given = {"do": "run", "expression": "n >= 20", "version": "main", "after": after}
    last = opened(browser, path, given, method="post")[0].content.decode()
    assert "15 found" in last
    assert 'name="after"' not in last


def test_a_masked_reader_finds_nothing_by_what_is_hidden(tenant, path):
    browser = browser_of(tenant, "data_scientist", purpose="evaluation")
    page, _ = opened(
        browser, path, {"do": "run", "expression": "mail PREFIX 'ada7@'", "version": "main"}, method="post"
    )
    assert "No record of this version meets the expression" in page.content.decode()
    page, _ = opened(browser, path, {"do": "run", "expression": "n = 7", "version": "main"}, method="post")
    assert "masked" in page.content.decode()
    assert "ada7@" not in page.content.decode()


def test_a_broken_expression_is_shown_where_it_breaks(tenant, path):
    browser = browser_of(tenant, "data_steward", purpose="evaluation")
    page, request_id = opened(
        browser, path, {"do": "run", "expression": "n > 3 AND <script> = 1", "version": "main"}, method="post"
    )
    text = page.content.decode()
    assert page.status_code == 400
    assert "VAULT_DATA_4381" in text
    assert "<mark>&lt;</mark>" in text
    assert "<script> = 1" not in text
    assert [event.status for event in events_of(tenant, request_id)] == ["failure"]
    page, _ = opened(browser, path, {"do": "run", "fields": "a__b", "version": "main"}, method="post")
    assert page.status_code == 400
    page, _ = opened(browser, path, {"do": "run", "version": "v9.9.9"}, method="post")
    assert page.status_code == 404


def test_conditions_become_an_expression(tenant, path):
    browser = browser_of(tenant, "data_steward", purpose="evaluation")
    given = {
        "do": "build",
        "expression": "id = 'r1'",
        "join": "or",
        "path": ["n", "kind", "/data/x y"],
        "operator": ["gte", "in", "exists"],
        "value": ["3", 'a, "4"', "false"],
    }
    page, _ = opened(browser, path, given, method="post")
    text = page.content.decode()
    assert (
        "id = &#x27;r1&#x27; OR n &gt;= 3 OR kind IN (&#x27;a&#x27;, &#x27;4&#x27;) OR &#x27;/data/x y&#x27; NOT EXISTS"
        in text
    )
    page, _ = opened(browser, path, given | {"operator": ["$gt", "in", "exists"]}, method="post")
    assert page.status_code == 400
    page, _ = opened(browser, path, given | {"path": ["a__b", "", ""]}, method="post")
    assert page.status_code == 400


def test_who_may_not_read_records_finds_no_page(tenant, rival, path):
    assert opened(browser_of(tenant, "viewer"), path)[0].status_code == 403
    assert opened(browser_of(rival, "data_steward", purpose="evaluation"), path)[0].status_code == 404
