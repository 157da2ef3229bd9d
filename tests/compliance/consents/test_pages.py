"""Consent and purposes in the browser."""

from datetime import timedelta

import pytest
from django.utils import timezone

from access.models import Purpose
from audit.models import AuditEvent
from compliance.models import Consent, ConsentTask, ConsentWithdrawal
from tests.factories.access import acting
from tests.factories.consents import agree, mail, rest_on_consent, withdraw
from tests.factories.datasets import PURPOSE, jsonl, make_dataset, read_all, upload
from tests.factories.pages import browser_of, events_of, opened

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")
HOME = "/admin/compliance/consent/"
PEOPLE = f"{HOME}people/"
TASKS = f"{HOME}tasks/"
ADA = "ada.lovelace@example.com"


@pytest.fixture
def officer(tenant):
    return browser_of(tenant, "privacy_officer")


def who(value=ADA, kind="EMAIL_ADDRESS"):
    return {"type": [kind, "EMAIL_ADDRESS"], "value": [value, ""]}


def test_the_home_page_counts_consents_of_each_purpose_and_charts_the_weeks(tenant, officer) -> None:
    empty = officer.get(HOME).text
    assert "Nobody has agreed or withdrawn" in empty
    assert "to be completed" in empty
    rest_on_consent(tenant, description="Train <b>models</b>", on_withdrawal="erase")
    agree(tenant, mail(ADA))
    agree(tenant, mail("bob@example.com"))
    agree(tenant, mail("eve@example.com"), given_at=timezone.now() - timedelta(days=9), expires_at=timezone.now())
    withdraw(tenant, mail("bob@example.com"))
    shown = officer.get(HOME).text
    assert "Train &lt;b&gt;models&lt;/b&gt;" in shown
    counts = ["<strong>1</strong> consents", "<strong>1</strong> withdrawn", "<strong>1</strong> expired"]
    assert [one for one in counts if one not in shown] == []
    assert "2 given, 1 withdrawn" in shown
    assert "at most 2 in a week" in shown
    assert ADA not in shown


def test_a_purpose_is_made_changed_and_shown(tenant, officer) -> None:
    page = f"{HOME}new-purpose/"
    assert "Create the purpose" in officer.get(page).text
    said = {"code": "churn-study", "description": "Why people leave", "on_withdrawal": "restrict", "is_active": "1"}
    refused = officer.post(page, said | {"code": "Churn Study"})
    assert (refused.status_code, "Why people leave" in refused.text) == (400, True)
    assert officer.post(page, said)["Location"] == f"{HOME}purposes/churn-study/"
    again = officer.post(page, said)
    assert (again.status_code, "VAULT_COMP_8114" in again.text) == (409, True)
    edit = f"{HOME}purposes/churn-study/edit/"
    assert 'value="Why people leave"' in officer.get(edit).text
    consent = said | {"lawful_basis": "consent", "subjects": "customers", "note": "They are asked at the end"}
    assert officer.post(edit, consent).status_code == 302
    shown = officer.get(f"{HOME}purposes/churn-study/").text
    assert [word in shown for word in ("asks for consent", "customers", "They are asked at the end")] == [True] * 3
    other = consent | {"lawful_basis": "contract", "note": "", "subjects": "leavers <i>alone</i>"}
    no_note = officer.post(edit, other)
    assert (no_note.status_code, "why the lawful basis is another one now" in no_note.text) == (400, True)
    assert "leavers &lt;i&gt;alone&lt;/i&gt;" in no_note.text, "what was typed is typed still"
    with acting(tenant):
        assert Purpose.objects.get(code="churn-study").lawful_basis == "consent"


def test_a_purpose_shows_its_datasets_its_consents_by_pseudonym_and_what_withdrawals_left(tenant, officer) -> None:
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "a", "mail": ADA}]))
    read_all(tenant, dataset)
    rest_on_consent(tenant, on_withdrawal="erase")
    agree(tenant, mail(ADA), evidence="form 7, page 2")
    agree(tenant, mail(ADA), given_at=timezone.now() - timedelta(days=2))
    agree(tenant, mail("bob@example.com"))
    page = f"{HOME}purposes/{PURPOSE}/"
    shown = officer.get(page).text
    assert dataset.name in shown
    assert "whoever the subject index finds" in shown
    assert "form 7, page 2" in shown
    names = [row.split("</span>")[0] for row in shown.split('class="c-code">')[1:]]
    assert (len(names), len(set(names))) == (3, 2), "one person is one pseudonym"
    assert ADA not in shown
    with acting(tenant):
        first = Consent.objects.order_by("pk").first()
    form = {"purpose": PURPOSE, "channel": "letter"}
    target = f"{HOME}given/{first.pk}/withdraw/"
    assert "choose" not in officer.post(target, form | {"effect": "restrict"}, follow=True).text
    assert "VAULT" not in officer.get(page).text
    with acting(tenant):
        assert (ConsentWithdrawal.objects.count(), ConsentTask.objects.count()) == (2, 0), "as the person asked"
    assert "has withdrawn this consent" in officer.post(target, form | {"effect": "erase"}, follow=True).text
    assert "restriction or erasure" in officer.post(target, form, follow=True).text
    auditor = browser_of(tenant, "auditor")
    assert "Withdraw the consent of" not in auditor.get(page).text
    assert auditor.post(target, form | {"effect": "erase"}).status_code == 403


def test_a_person_is_looked_up_recorded_and_withdrawn_without_being_named_anywhere(tenant, officer) -> None:
    rest_on_consent(tenant)
    assert "Look up" in officer.get(PEOPLE).text
    nothing = officer.post(PEOPLE, who() | {"do": "find"}).text
    assert "Nothing was recorded of this person." in nothing
    record = who() | {"do": "record", "purpose": PURPOSE, "source": "form", "evidence": "form 7"}
    early = officer.post(PEOPLE, record)
    assert (early.status_code, "when it was given" in early.text) == (400, True)
    assert ADA in early.text, "who typed it need not type it again"
    given = record | {"given_at": "2026-01-02T03:04"}
    answer, request_id = opened(officer, PEOPLE, given, method="post")
    assert ("Recorded." in answer.text, "2026-01-02 03:04" in answer.text) == (True, True)
    assert ADA not in str([event.__dict__ for event in events_of(tenant, request_id)])
    assert "nothing changed" in officer.post(PEOPLE, given).text
    ends = who() | {"do": "withdraw", "purpose": PURPOSE, "channel": "letter"}
    assert officer.post(PEOPLE, ends).status_code == 400
    done = officer.post(PEOPLE, ends | {"effect": "erase"}).text
    assert "It waits for somebody to decide" in done
    assert "withdrawn by letter" in done
    assert officer.post(PEOPLE, ends | {"effect": "erase"}).status_code == 404
    with acting(tenant):
        event = AuditEvent.objects.get(type="data.consent.withdrawn")
        assert event.purpose == PURPOSE
    for wrong in ({"do": "find", "value": "", "type": ""}, {"do": "sell"}, {"do": "find", "value": "x", "type": "?"}):
        assert officer.post(PEOPLE, wrong).status_code == 400
    auditor = browser_of(tenant, "auditor")
    assert "Withdraw the consent" not in auditor.get(PEOPLE).text
    assert auditor.post(PEOPLE, given).status_code == 403
    assert browser_of(tenant, "data_steward").get(PEOPLE).status_code == 403


def test_withdrawals_wait_in_the_inbox_until_somebody_decides(tenant, officer) -> None:
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "a", "mail": ADA}]))
    assert "No withdrawal waits" in officer.get(TASKS).text
    rest_on_consent(tenant, on_withdrawal="erase")
    agree(tenant, mail(ADA))
    withdraw(tenant, mail(ADA))
    assert "Withdrawals of consent to decide on" in officer.get("/admin/").text
    shown = officer.get(TASKS).text
    assert dataset.name in shown
    assert "were erased" not in shown, "the index still finds the person"
    with acting(tenant):
        task = ConsentTask.objects.get()
    form = {"task": str(task.pk), "outcome": "kept"}
    assert officer.post(TASKS, form).status_code == 400
    assert officer.post(TASKS, form | {"task": "1"}).status_code == 400
    assert officer.post(TASKS, form | {"ground": "Tax law"}).status_code == 302
    assert officer.post(TASKS, form | {"ground": "Tax law"}).status_code == 409
    assert "Withdrawals of consent to decide on" not in officer.get("/admin/").text
    assert "Tax law" in officer.get(TASKS, {"state": "all"}).text
    assert "Tax law" in officer.get(f"{HOME}purposes/{PURPOSE}/").text
    assert officer.get(TASKS, {"state": "lost"}).status_code == 400


def test_the_import_page_says_where_a_file_goes(tenant, officer) -> None:
    shown = officer.get(f"{HOME}import/").text
    assert 'data-url="/api/v1/consents/import"' in shown
    assert f'<option value="{PURPOSE}"' in shown
    assert browser_of(tenant, "auditor").get(f"{HOME}import/").status_code == 403


def test_pages_of_another_organization_are_answered_as_none(tenant, rival, officer) -> None:
    rest_on_consent(rival)
    theirs = agree(rival, mail(ADA)).consent.pk
    answer = officer.post(f"{HOME}given/{theirs}/withdraw/", {"effect": "erase", "channel": "letter"})
    assert (answer.status_code, "VAULT_COMP_8110" in answer.text) == (404, True)
    assert officer.get(f"{HOME}purposes/nothing-like-it/").status_code == 404
    assert "Consent" not in browser_of(tenant, "data_scientist").get("/admin/").text
