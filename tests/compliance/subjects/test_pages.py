"""Searches for people and their erasure in the browser."""

import pytest

from audit.models import AuditEvent
from compliance.models import SubjectErasure, SubjectSearch
from compliance.subjects import sweep
from compliance.subjects.erasure_work import run_subject_erasure
from compliance.subjects.sweep import run_search
from tests.factories.access import acting
from tests.factories.pages import browser_of, events_of, opened
from tests.factories.subjects import EMAIL, NAME, matches_of, run_parts
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")
PAGE = "/admin/compliance/subjects/"
FORM = {"type": ["EMAIL_ADDRESS", "PERSON"], "value": [EMAIL, NAME]}


@pytest.fixture
def officer(tenant):
    return browser_of(tenant, "privacy_officer", full_name="Grace Hopper")


def only(tenant, kind):
    with acting(tenant):
        return kind.objects.get()


def test_the_index_answers_on_the_page_and_the_identifier_is_not_repeated(tenant, officer, dataset):
    empty, _ = opened(officer, PAGE)
    assert "Nobody has been searched for." in empty.text
    page, request = opened(officer, PAGE, FORM | {"do": "index"}, method="post")
    assert f"{dataset.name}</a>: 1 record" in page.text
    assert EMAIL not in page.text
    assert all(EMAIL.encode() not in bytes(event.body) for event in events_of(tenant, request))


def test_a_person_is_searched_for_reviewed_and_erased(tenant, officer, dataset):
    answer, _ = opened(officer, PAGE, FORM | {"do": "sweep"}, method="post")
    search = only(tenant, SubjectSearch)
    page = f"{PAGE}searches/{search.pk}/"
    assert (answer.status_code, answer["Location"]) == (302, page)
    run_search(tenant.pk, search.pk)
    shown, _ = opened(officer, page)
    assert "1 to decide" in shown.text
    assert "First decide on the matches that wait." in shown.text
    assert f"/admin/datasets/dataset/{dataset.pk}/records/name/" in shown.text
    (pending,) = [match for match in matches_of(tenant, search) if match.state == "pending"]
    decided, _ = opened(officer, page, {"do": "rejected", "match": [str(pending.pk)]}, method="post")
    assert decided.status_code == 302
    erase = {"do": "erase", "basis": "art17-1-b", "confirmed": "1"}
    assert opened(officer, page, erase | {"confirmed": ""}, method="post")[0].status_code == 400
    begun, _ = opened(officer, page, erase, method="post")
    erasure = only(tenant, SubjectErasure)
    page = f"{PAGE}erasures/{erasure.pk}/"
    assert begun["Location"] == page
    assert "To erase, by store" in opened(officer, page)[0].text
    run_subject_erasure(tenant.pk, erasure.pk)
    run_parts(tenant, erasure)
    run_subject_erasure(tenant.pk, erasure.pk)
    ended, _ = opened(officer, page)
    assert "Erased, by store" in ended.text
    assert "beyond use until" in ended.text
    assert "The audit has no download of an export of these datasets." in ended.text
    assert opened(officer, f"{page}receipt/")[0].content.startswith(b'{"backups":')
    assert b'"exclude"' in opened(officer, f"{page}manifest/")[0].content
    assert b"def check_receipt" in opened(officer, f"{PAGE}verifier/")[0].content


def test_a_search_that_ended_early_offers_no_erasure(tenant, officer, dataset, monkeypatch):
    monkeypatch.setattr(sweep, "MAX_MATCHES", 1)
    opened(officer, PAGE, {"type": ["EMAIL_ADDRESS"], "value": [EMAIL], "do": "sweep"}, method="post")
    search = only(tenant, SubjectSearch)
    run_search(tenant.pk, search.pk)
    page = opened(officer, f"{PAGE}searches/{search.pk}/")[0].text
    assert "The search ended early" in page
    assert "Erase the person" not in page


def test_who_waits_is_told_on_the_home_page(tenant, officer, dataset):
    opened(officer, PAGE, FORM | {"do": "sweep"}, method="post")
    run_search(tenant.pk, only(tenant, SubjectSearch).pk)
    assert "Matches of searches for people" in opened(officer, "/admin/")[0].text


def test_an_auditor_looks_and_changes_nothing(tenant, officer, dataset):
    opened(officer, PAGE, FORM | {"do": "sweep"}, method="post")
    search = only(tenant, SubjectSearch)
    auditor = browser_of(tenant, "auditor")
    assert "Whom to look for" not in opened(auditor, PAGE)[0].text
    assert opened(auditor, f"{PAGE}searches/{search.pk}/")[0].status_code == 200
    assert opened(auditor, PAGE, FORM | {"do": "index"}, method="post")[0].status_code == 403
    with acting(tenant):
        assert not AuditEvent.objects.filter(type="data.subject.matched").exists()


@pytest.mark.parametrize("form", [{}, {"do": "odd"}, {"do": "sweep", "type": ["PERSON"], "value": ["Ada"]}])
def test_a_form_that_makes_no_sense_is_refused(officer, form):
    assert opened(officer, PAGE, form, method="post")[0].status_code == 400
