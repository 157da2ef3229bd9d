"""Requests of data subjects in the browser."""

from datetime import timedelta

import pytest
from django.utils import timezone

from compliance.models import Correspondence, SubjectRequest
from compliance.requests.selectors import today
from tests.factories.access import acting
from tests.factories.pages import browser_of
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")
PAGES = "/admin/compliance/requests/"
ENTERED = {
    "type": "access",
    "law": "gdpr",
    "channel": "letter",
    "received_on": (today() - timedelta(days=3)).isoformat(),
    "legal_basis": "",
    "identity": "",
    "name": "Jane Smithson",
    "contact": "jane@example.org",
    "identifiers": "C-1\n\nC-2",
    "details": "<b>everything</b>",
}


@pytest.fixture
def browser(tenant):
    return browser_of(tenant, "privacy_officer", purpose="evaluation")


def test_an_officer_takes_a_request_from_its_letter_to_its_answer(tenant, browser) -> None:
    assert "Nobody waits for an answer." in browser.get(PAGES).text
    made = browser.post(f"{PAGES}new/", ENTERED)
    assert made.status_code == 302, made.text
    place = made["Location"]
    page = browser.get(place).text
    assert "&lt;b&gt;everything&lt;/b&gt;" in page
    assert "C-1, C-2" in page
    deeds = [
        {"do": "verify", "method": "document"},
        {"do": "basis", "legal_basis": "contract"},
        {"do": "move", "to": "searching"},
        {"do": "move", "to": "review"},
        {"do": "write", "direction": "note", "channel": "phone", "text": "She called."},
        {"do": "extend", "text": "There is much of it."},
        {"do": "answer", "text": "Here it is."},
        {"do": "move", "to": "closed"},
    ]
    for deed in deeds:
        answer = browser.post(place, deed)
        assert answer.status_code == 302, (deed, answer.text)
    with acting(tenant):
        row = SubjectRequest.objects.get()
    assert (row.state, row.legal_basis, bool(row.extended_at)) == ("closed", "contract", True)
    page = browser.get(place).text
    for said in ("She called.", "There is much of it.", "Here it is.", "Closed", "Verified: an identity document"):
        assert said in page
    assert "What is next" not in page


def test_the_queue_says_in_words_what_its_bars_show(browser, asked) -> None:
    made = [asked(contact=f"{n}@example.org") for n in range(4)]
    for request, days in zip(made, (-2, 0, 5, 20), strict=True):
        SubjectRequest.objects.using("owner").filter(pk=request["id"]).update(due_on=today() + timedelta(days=days))
    page = browser.get(PAGES).text
    for said in ("2 days late", "due today", "5 days left", "20 days left"):
        assert said in page
    assert page.index("2 days late") < page.index("due today") < page.index("20 days left")
    assert "No request is like that." in browser.get(PAGES, {"type": "erasure"}).text
    assert browser.get(PAGES, {"state": "lost"}).status_code == 400


def test_a_form_that_does_not_fit_is_shown_again_with_what_was_typed(tenant, browser) -> None:
    answer = browser.post(f"{PAGES}new/", ENTERED | {"name": ""})
    assert answer.status_code == 400
    assert "jane@example.org" in answer.text
    with acting(tenant):
        assert SubjectRequest.objects.count() == 0


def test_what_cannot_be_done_now_is_said_on_the_page(browser, asked) -> None:
    place = f"{PAGES}{asked()['id']}/"
    refused = browser.post(place, {"do": "answer", "text": "Here."})
    assert (refused.status_code, "The request is in another state" in refused.text) == (409, True)
    assert browser.post(place, {"do": "invent"}).status_code == 400


def test_an_auditor_sees_cases_and_clocks_and_nobodys_name(tenant, asked) -> None:
    request, auditor = asked(), browser_of(tenant, "auditor")
    page = auditor.get(f"{PAGES}{request['id']}/").text
    assert request["reference"] in page
    assert "Smithson" not in page
    assert "What is next" not in page
    assert "Enter a request" not in auditor.get(PAGES).text
    assert auditor.post(f"{PAGES}{request['id']}/", {"do": "move", "to": "closed"}).status_code == 403
    assert auditor.post(f"{PAGES}new/", ENTERED).status_code == 403


def test_a_letter_that_was_given_up_is_not_shown_as_sent(tenant, browser, asked, act) -> None:
    request = asked()
    place = f"{PAGES}{request['id']}/"
    act(request, "correspondence", {"direction": "out", "channel": "email", "text": "Hello."})
    assert "waits to be mailed" in browser.get(place).text
    letters = Correspondence.objects.using("owner").filter(tenant_id=tenant.pk, direction="out")
    letters.update(mail_at=None, mail_attempts=8)
    assert "could not be mailed" in browser.get(place).text
    letters.update(mailed_at=timezone.now())
    assert "be mailed" not in browser.get(place).text


def test_the_public_form_is_opened_and_closed(tenant, browser) -> None:
    assert browser.post(PAGES, {"do": "open", "law": "ccpa"}).status_code == 302
    assert f"/request/{tenant.slug}/" in browser.get(PAGES).text
    assert browser.post(PAGES, {"do": "close", "law": "ccpa"}).status_code == 302
    assert "It is closed" in browser.get(PAGES).text


def test_the_home_page_names_requests_to_answer(browser, asked) -> None:
    asked()
    assert "Requests of data subjects to answer" in browser.get("/admin/").text
