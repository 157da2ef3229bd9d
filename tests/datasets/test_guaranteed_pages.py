"""Rules of the pages of analytics tables: what is asked, what is shown of the result, and who gets to see it."""

import re

import pytest

from datasets.services.guaranteed.run import run_guaranteed_export
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.guaranteed import people
from tests.factories.pages import browser_of
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")

BASE = "/admin/datasets/dataset/"
ROLES = {"person": "subject", "age": "quasi", "job": "quasi", "spent": "sensitive"}


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant, name="visits")
    upload(tenant, made, jsonl(people(80)))
    return made


def columns(roles=ROLES, **steps):
    return {
        "name": list(roles),
        "role": list(roles.values()),
        "hierarchy": ["intervals" if name in steps else "auto" for name in roles],
        "steps": [steps.get(name, "") for name in roles],
        "facts": ["" for _ in roles],
    }


def post(browser, dataset, do, **given):
    answers = {"version": "main", "purpose": "evaluation", "k": "4", "suppression": "0.1", "format": "jsonl"}
    return browser.post(f"{BASE}{dataset.pk}/guaranteed/new/", answers | {"do": do} | given)


def test_a_table_is_guided_made_watched_and_its_copy_deleted(tenant, dataset):
    browser = browser_of(tenant, "data_steward")
    assert "You have asked for none." in browser.get(f"{BASE}{dataset.pk}/guaranteed/").text
    assert "Look at the columns" in browser.get(f"{BASE}{dataset.pk}/guaranteed/new/").text
    looked = post(browser, dataset, "columns").text
    assert "What tells people apart" in looked
    assert re.search(r'aria-label="Role of age">.*?value="quasi"\s+selected', looked, re.DOTALL)
    answer = post(browser, dataset, "create", **columns(age="5 10 20"))
    assert answer.status_code == 302, answer.text
    path = answer["Location"]
    assert "Waiting for a worker." in browser.get(path).text
    run_guaranteed_export(tenant.pk, path.rstrip("/").rpartition("/")[2])
    page = browser.get(path).text
    assert "export.jsonl" in page
    assert "no proof of anonymity" in page
    assert re.search(r"Prosecutor \(highest\)</th>\s*<td class=\"v-number\">100.0</td>", page)
    got = browser.post(path, {"do": "download", "file": "export.jsonl"})
    assert b"".join(browser.get(got["Location"]).streaming_content).count(b"\n") > 60
    assert browser.post(path, {"do": "deleted"}).status_code == 302
    assert "Until somebody else attests it" in browser.get(path).text
    assert path in browser.get(f"{BASE}{dataset.pk}/guaranteed/").text


def test_answers_that_do_not_fit_are_named_and_kept(tenant, dataset):
    browser = browser_of(tenant, "analyst")
    for wrong in ({"k": "1"}, {"k": ""}, {"t": "7"}, {"suppression": "x"}, {"filter": "a ="}, {"format": "xlsx"}):
        answer = post(browser, dataset, "create", **(columns() | wrong))
        assert answer.status_code == 400, wrong
        assert 'value="subject" selected' in re.sub(r"\s+", " ", answer.text)
    assert post(browser, dataset, "nothing").status_code == 400
    assert post(browser, dataset, "create", **(columns() | {"role": ["quasi"]})).status_code == 400


def test_who_may_not_make_tables_finds_no_way_to_them(tenant, dataset):
    browser = browser_of(tenant, "viewer")
    assert browser.get(f"{BASE}{dataset.pk}/guaranteed/new/").status_code == 403
    assert f"{dataset.pk}/guaranteed/" not in browser.get(f"{BASE}{dataset.pk}/").text
