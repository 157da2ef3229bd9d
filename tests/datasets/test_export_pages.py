"""Rules of the export pages: what is asked, what is shown before and after, and who gets to see it."""

import re

import pytest

from datasets.models import Export
from datasets.services.exports.run import run_export
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.pages import browser_of, events_of, opened
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")

BASE = "/admin/datasets/dataset/"
ROWS = [{"id": f"r{number}", "text": f"row {number} of ada{number}@example.com"} for number in range(9)]
ANSWERS = {"version": "main", "purpose": "evaluation", "format": "jsonl"}


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant, name="chats")
    upload(tenant, made, jsonl(ROWS))
    return made


def wizard(browser, dataset, do, **answers):
    return browser.post(f"{BASE}{dataset.pk}/exports/new/", ANSWERS | {"do": do} | answers)


def made(tenant, browser, dataset, **answers):
    """The path of a finished export."""
    answer = wizard(browser, dataset, "create", **answers)
    assert answer.status_code == 302, answer.text
    path = answer["Location"]
    run_export(tenant.pk, path.rstrip("/").rpartition("/")[2])
    return path


def test_an_export_is_made_watched_and_downloaded_in_the_browser(tenant, dataset):
    browser = browser_of(tenant, "data_steward")
    assert "You have asked for none." in browser.get(f"{BASE}{dataset.pk}/exports/").text
    questions = browser.get(f"{BASE}{dataset.pk}/exports/new/").text
    assert re.search(r"<option\s*>\s*evaluation", questions)
    review = wizard(browser, dataset, "review")
    assert review.status_code == 200
    assert "What you will get" in review.text
    assert "ada0@example.com" in review.text
    answer = wizard(browser, dataset, "create")
    path = answer["Location"]
    waiting = browser.get(path).text
    assert "Waiting for a worker." in waiting
    assert "data-export-progress" in waiting
    run_export(tenant.pk, path.rstrip("/").rpartition("/")[2])
    page = browser.get(path).text
    assert "export.jsonl" in page
    assert "passport.json" in page
    got = browser.post(path, {"do": "download", "file": "export.jsonl"})
    assert got.status_code == 302
    body = b"".join(browser.get(got["Location"]).streaming_content)
    assert body.count(b"\n") == 9
    assert path in browser.get(f"{BASE}{dataset.pk}/exports/").text


def test_who_reads_masked_reviews_and_gets_masked_rows(tenant, dataset):
    browser = browser_of(tenant, "data_scientist")
    review, request_id = opened(
        browser, f"{BASE}{dataset.pk}/exports/new/", ANSWERS | {"do": "review", "envelope": "on"}, method="post"
    )
    assert "ada0@example.com" not in review.text
    assert "r0" not in re.findall(r"&quot;id&quot;:&quot;([^&]+)", review.text)
    events = {(event.type, event.purpose) for event in events_of(tenant, request_id)}
    # The first masked reading of a tenant makes the key that its codes are made with.
    assert events - {("data.key.created", "")} == {("data.access.read", "evaluation")}


def test_answers_that_do_not_fit_are_named_and_kept(tenant, dataset):
    browser = browser_of(tenant, "data_steward")
    for do in ("review", "create"):
        answer = wizard(browser, dataset, do, train="0.5", filter="text = 'kept'")
        assert answer.status_code == 400
        assert "the shares add up to 1" in answer.text
        assert "text = &#x27;kept&#x27;" in answer.text
    for wrong in ({"filter": "a ="}, {"rate": "7"}, {"size": "none"}, {"format": "xlsx"}):
        assert wizard(browser, dataset, "review", **wrong).status_code == 400, wrong
    assert wizard(browser, dataset, "nothing").status_code == 400
    with acting(tenant):
        assert not Export.objects.exists()


def test_going_back_from_the_review_keeps_the_answers(tenant, dataset):
    page = wizard(browser_of(tenant, "data_steward"), dataset, "change", format="csv", seed="s7", envelope="on").text
    assert re.search(r'value="csv"\s+selected', page)
    assert 'value="s7"' in page
    assert re.search(r'name="envelope"\s+checked', page)


def test_a_filter_with_values_is_shown_to_who_wrote_it_and_to_no_audit(tenant, dataset):
    browser = browser_of(tenant, "data_steward")
    answer, request_id = opened(
        browser,
        f"{BASE}{dataset.pk}/exports/new/",
        ANSWERS | {"do": "review", "filter": "text contains 'ada3@example.com'"},
        method="post",
    )
    assert answer.text.count("ada3@example.com") >= 2
    assert all(b"ada3" not in bytes(event.body) for event in events_of(tenant, request_id))


def test_a_passport_is_shown_with_the_way_to_check_it(tenant, dataset):
    browser = browser_of(tenant, "data_scientist")
    path = made(tenant, browser, dataset)
    page = browser.get(f"{path}passport/").text
    assert "bound by the signature alone" in page
    assert "anonymize:mask" in page
    assert "EMAIL_ADDRESS" in page
    assert "python verify.py --key" in page
    assert browser.get("/api/v1/passport-verifier").status_code == 200


def test_ended_exports_say_why_they_have_no_files(tenant, dataset, monkeypatch):
    browser = browser_of(tenant, "data_steward")
    cancelled = wizard(browser, dataset, "create")["Location"]
    assert browser.post(cancelled, {"do": "withdraw"}).status_code == 302
    assert "cancelled" in browser.get(cancelled).text
    removed = made(tenant, browser, dataset)
    browser.post(removed, {"do": "withdraw"})
    page = browser.get(removed).text
    assert "The files were removed" in page
    assert "Remove the files" not in page
    assert browser.post(removed, {"do": "download", "file": "export.jsonl"}).status_code == 410
    monkeypatch.setattr("datasets.formats.write_columns.MAX_COLUMNS", 1)
    failed = made(tenant, browser, dataset, format="csv")
    assert "VAULT_DATA_4424" in browser.get(failed).text


def test_exports_of_others_are_not_found(tenant, rival, dataset):
    path = made(tenant, browser_of(tenant, "data_steward"), dataset)
    for stranger in (browser_of(tenant, "data_steward"), browser_of(rival, "data_steward")):
        for page in (path, f"{path}passport/"):
            assert stranger.get(page).status_code == 404
        assert stranger.post(path, {"do": "withdraw"}).status_code == 404
    assert browser_of(tenant, "viewer").get(f"{BASE}{dataset.pk}/exports/").status_code == 403
    assert browser_of(tenant, "analyst").get(f"{BASE}{dataset.pk}/exports/new/").status_code == 403


def test_a_dataset_without_versions_has_nothing_to_export(tenant):
    empty = make_dataset(tenant)
    page = browser_of(tenant, "data_steward").get(f"{BASE}{empty.pk}/exports/new/").text
    assert "There is no version to export yet." in page


def test_markup_in_records_and_names_is_text(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"<b>x</b>": "<script>alert(1)</script>"}]))
    page = wizard(browser_of(tenant, "data_steward"), dataset, "review", fields="<b>x</b>").text
    assert "<script>alert(1)" not in page
    assert "<b>x</b>" not in page
    assert "&lt;script&gt;alert(1)" in page
