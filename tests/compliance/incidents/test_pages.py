"""The pages of incidents: what they show to whom, and that their forms do what the API does."""

import csv
import io
from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from access.models import User
from audit.alerts.open import About, raise_alert
from compliance.incidents.scope_work import compute_scope
from compliance.models import BreachNotice, Incident, IncidentScope, IncidentTask
from tests.factories.access import acting, make_api_key, make_user
from tests.factories.datasets import jsonl, make_dataset, rows_of, upload
from tests.factories.pages import browser_of

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")

PAGES = "/admin/compliance/incidents/"


def newest(tenant) -> Incident:
    with acting(tenant):
        return Incident.objects.order_by("-id")[0]


def opened(tenant, browser, **given) -> tuple[Incident, str]:
    form = {"title": "Mail to the wrong list", "severity": "high", "laws": ["gdpr"]} | given
    answer = browser.post(f"{PAGES}new/", form)
    assert answer.status_code == 302, answer.text
    incident = newest(tenant)
    return incident, f"{PAGES}{incident.pk}/"


def done(browser, place: str, do: str, **given):
    answer = browser.post(place, {"do": do} | given)
    assert answer.status_code == 302, answer.text
    return answer


def test_an_alerts_button_opens_an_incident_about_the_same(tenant) -> None:
    browser = browser_of(tenant, "security_officer")
    key, _ = make_api_key(tenant, "viewer")
    with acting(tenant):
        about = About(principal_id=key.pk, since=timezone.now() - timedelta(hours=3))
        alert = raise_alert(kind="activity.unusual", cause="a", severity="critical", facts={}, about=about)
    link = f"{PAGES}new/?alert={alert.pk}"
    assert link in browser.get(f"/admin/oversight/alerts/{alert.pk}/").text
    assert link not in browser_of(tenant, "auditor").get(f"/admin/oversight/alerts/{alert.pk}/").text
    form = browser.get(link)
    assert 'value="Unusual activity"' in form.text
    incident, place = opened(tenant, browser, alert=str(alert.pk))
    assert (incident.alert_id, incident.principals) == (alert.pk, [str(key.pk)])
    assert place in browser.get(link).text, "there is one already"


def test_one_click_on_the_page_of_an_alert_opens_an_incident_once(tenant) -> None:
    browser = browser_of(tenant, "security_officer")
    with acting(tenant):
        alert = raise_alert(kind="activity.unusual", cause="a", severity="critical", facts={})
    page = browser.get(f"/admin/oversight/alerts/{alert.pk}/").text
    assert f'action="{PAGES}new/"' in page
    answer = browser.post(f"{PAGES}new/", {"alert": str(alert.pk)})
    incident = newest(tenant)
    assert (answer.status_code, answer["Location"]) == (302, f"{PAGES}{incident.pk}/")
    assert (incident.title, incident.severity, incident.alert_id) == ("Unusual activity", "critical", alert.pk)
    again = browser.post(f"{PAGES}new/", {"alert": str(alert.pk)})
    assert (again.status_code, f"{PAGES}{incident.pk}/" in again.text) == (409, True)
    assert browser.post(f"{PAGES}new/", {}).status_code == 400
    assert browser_of(tenant, "auditor").post(f"{PAGES}new/", {"alert": str(alert.pk)}).status_code == 403


def test_a_law_that_is_unticked_stops_its_clocks_with_the_reason(tenant) -> None:
    browser = browser_of(tenant, "privacy_officer")
    _, place = opened(tenant, browser, laws=["gdpr", "hipaa"])
    done(browser, place, "confirm", reason="It went to a newsletter")
    facts = {"do": "change", "asks": "laws", "title": "Mail to the wrong list", "laws": ["gdpr"]}
    refused = browser.post(place, facts)
    assert (refused.status_code, "moved or stopped" in refused.text) == (400, True)
    assert newest(tenant).laws == ["gdpr", "hipaa"]
    nothing = browser.post(place, {"do": "change", "asks": "laws", "reason": "None of them"})
    assert (nothing.status_code, newest(tenant).laws) == (400, ["gdpr", "hipaa"])
    assert browser.post(place, facts | {"reason": "Nobody in it is a patient"}).status_code == 302
    page = browser.get(place).text
    assert newest(tenant).laws == ["gdpr"]
    assert "Nobody in it is a patient" in page
    assert "GDPR, HIPAA → GDPR" in page
    assert "stopped: Persons, under HIPAA, 45 CFR 164.404" in page
    assert "stopped: Supervisory authority" not in page
    assert "60 calendar days" not in page


def test_a_new_incident_without_a_law_is_refused(tenant) -> None:
    browser = browser_of(tenant, "privacy_officer")
    answer = browser.post(f"{PAGES}new/", {"title": "Mail to the wrong list", "asks": "laws"})
    assert (answer.status_code, "laws" in answer.text) == (400, True)


def test_a_task_goes_to_somebody_who_may_look_and_has_no_part_in_it(tenant) -> None:
    browser = browser_of(tenant, "privacy_officer")
    able = make_user(tenant, "auditor", full_name="Able")
    suspect = make_user(tenant, "security_officer", full_name="Suspect")
    blind = make_user(tenant, "viewer", full_name="Blind")
    incident, place = opened(tenant, browser, principals=str(suspect.pk))
    page = browser.get(place).text
    assert [f'<option value="{one.pk}">' in page for one in (able, suspect, blind)] == [True, False, False]
    for one in (suspect, blind):
        assert browser.post(place, {"do": "task", "title": "Look", "assignee": str(one.pk)}).status_code == 400
    done(browser, place, "task", title="Look", assignee=str(able.pk))
    with acting(tenant):
        assert IncidentTask.objects.get(incident=incident).assignee == able.pk


def test_a_quarantine_says_what_it_reaches_and_what_it_did(tenant) -> None:
    browser = browser_of(tenant, "privacy_officer")
    dataset = make_dataset(tenant, name="support-chats")
    for count in (20, 21):
        assert upload(tenant, dataset, jsonl(rows_of(count))).status == "succeeded"
    _, place = opened(tenant, browser, datasets=str(dataset.pk))
    assert "2 versions can be read" in browser.get(place).text
    done(browser, place, "quarantine", dataset=str(dataset.pk), reason="Sold on a forum")
    page = browser.get(place).text
    assert "2 versions, all of it: nobody can read it." in page
    assert "(support-chats; 2 versions)" in page
    assert 'value="quarantine"' not in page
    assert f"/admin/datasets/dataset/{dataset.pk}/quarantine/" in page


def test_an_incident_goes_its_way_in_the_browser(tenant) -> None:
    browser = browser_of(tenant, "privacy_officer")
    assert "No incident is open." in browser.get(PAGES).text
    incident, place = opened(tenant, browser, title="<b>Mail</b> to a list")
    page = browser.get(place).text
    assert "&lt;b&gt;Mail" in page
    assert "<b>Mail" not in page
    done(browser, place, "confirm", reason="It went to a newsletter")
    assert "72 hours after becoming aware" in browser.get(place).text
    done(browser, place, "change", persons="12", residents="CA=5 NY=7", laws=["gdpr"], title="Mail to a list")
    done(browser, place, "assess", gdpr_risk="none", grounds="Nothing but a public text was in it.")
    done(browser, place, "note", text="The list was cleared")
    done(browser, place, "contain", reason="The mail was recalled")
    page = browser.get(place).text
    assert "Before it can be closed:" in page
    assert 'value="close"' not in page
    refused = browser.post(place, {"do": "close", "reason": "Go"})
    assert (refused.status_code, "VAULT_COMP_8143" in refused.text) == (409, True)
    with acting(tenant):
        tasks = list(IncidentTask.objects.filter(incident=incident).values_list("pk", flat=True))
    for task in tasks:
        done(browser, place, "done", task=str(task), proof="In the evidence folder")
    done(browser, place, "close", reason="All is done")
    assert newest(tenant).state == "closed"
    assert newest(tenant).residents == {"CA": 5, "NY": 7}
    for words in ("The list was cleared", "Risk assessed", "Closed"):
        assert words in browser.get(place).text
    assert str(incident) not in browser.get(PAGES).text
    assert str(incident) in browser.get(f"{PAGES}?state=closed").text


def test_a_notice_is_written_and_sent_in_the_browser(tenant) -> None:
    officer, counsel = browser_of(tenant, "privacy_officer"), browser_of(tenant, "legal_counsel")
    incident, place = opened(tenant, officer)
    page = counsel.get(place).text
    assert ('value="notice"' in page, 'value="note"' in page) == (True, False)
    done(counsel, place, "notice", audience="authority")
    with acting(tenant):
        notice = BreachNotice.objects.get(incident=incident)
    text = f"{place}notices/{notice.pk}/"
    assert "[complete: " in counsel.get(text).text
    refused = counsel.post(text, {"do": "sent", "reference": "Portal"})
    assert (refused.status_code, "VAULT_COMP_8149" in refused.text) == (409, True)
    done(counsel, text, "save", body="We tell you of a breach.", follows="1")
    stale = counsel.post(text, {"do": "save", "body": "My own words", "follows": "1"})
    assert (stale.status_code, "My own words" in stale.text) == (409, True)
    done(counsel, text, "sent", reference="Portal, case 9")
    page = counsel.get(text).text
    assert ("Portal, case 9" in page, "<textarea" in page) == (True, False)
    assert "[complete: " in counsel.get(f"{text}?version=1").text
    auditor = browser_of(tenant, "auditor").get(text)
    assert (auditor.status_code, "We tell you of a breach." in auditor.text) == (200, True)


def test_the_scope_is_shown_with_links_to_the_events_behind_each_figure(tenant) -> None:
    browser = browser_of(tenant, "privacy_officer")
    dataset = make_dataset(tenant, name="support-chats")
    upload(tenant, dataset, jsonl(rows_of(20)))
    reader = browser_of(tenant, "data_steward", username="reader", purpose="evaluation")
    answer = reader.get(f"/api/v1/datasets/{dataset.pk}/data", headers={"X-Vault-Purpose": "evaluation"})
    assert answer.status_code == 200
    b"".join(answer.streaming_content)
    with acting(tenant):
        person = User.objects.get(username="reader")
    began = (timezone.now() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S")
    incident, place = opened(tenant, browser)
    given = {"principals": str(person.pk), "datasets": str(dataset.pk), "occurred_from": began, "laws": ["gdpr"]}
    done(browser, place, "change", **given)
    done(browser, place, "scope")
    assert "A scope is being computed" in browser.get(place).text
    with acting(tenant):
        scope = IncidentScope.objects.get(incident=incident)
    compute_scope(tenant.pk, scope.pk)
    page = browser.get(place).text
    assert "support-chats" in page
    assert f"actor={person.pk}&amp;dataset={dataset.pk}&amp;since=" in page
    assert "End sessions and keys of" in page
    with acting(tenant):
        found = IncidentScope.objects.get(pk=scope.pk).result
    assert found["accesses"][0]["records"] == 20
    address = page.partition('href="/admin/audit/auditevent/?actor=')[2].partition('"')[0].replace("&amp;", "&")
    audit = browser.get(f"/admin/audit/auditevent/?actor={address}")
    assert audit.status_code == 200


def test_whom_it_is_about_is_offered_no_forms(tenant) -> None:
    mallory = browser_of(tenant, "security_officer", username="mallory")
    with acting(tenant):
        suspect = User.objects.get(username="mallory")
    _, place = opened(tenant, browser_of(tenant, "privacy_officer"), principals=str(suspect.pk))
    page = mallory.get(place)
    assert (page.status_code, "This incident is about you" in page.text) == (200, True)
    assert 'name="do"' not in page.text.partition("v-lead")[2]
    assert mallory.post(place, {"do": "dismiss", "reason": "It was nothing"}).status_code == 403
    assert newest(tenant).state == "suspected"


def test_the_breach_log_is_a_page_and_a_file_that_runs_nothing(tenant) -> None:
    officer = browser_of(tenant, "privacy_officer")
    incident, place = opened(tenant, officer, title="=HYPERLINK(0) was clicked", laws=["hipaa"], persons="12")
    year = incident.discovered_at.year
    auditor = browser_of(tenant, "auditor")
    assert f"INC-{incident.number}" in auditor.get(f"{PAGES}log/?year={year}").text
    assert "No incident was discovered in 2001." in auditor.get(f"{PAGES}log/?year=2001").text
    answer = auditor.get(f"{PAGES}log/{year}/file/")
    assert answer["Content-Disposition"] == f'attachment; filename="breach-log-{year}.csv"'
    header, row = csv.reader(io.StringIO(answer.content.decode()))
    line = dict(zip(header, row, strict=True))
    assert line["title"] == "'=HYPERLINK(0) was clicked"
    assert (line["persons"], line["hhs_year_log"]) == ("12", "yes")
    assert auditor.get(f"{PAGES}log/?year=x").status_code == 400
    assert place


@pytest.mark.parametrize(
    ("role", "status"), [("auditor", 200), ("legal_counsel", 200), ("data_steward", 403), ("tenant_admin", 403)]
)
def test_who_may_look_at_the_pages(tenant, role, status) -> None:
    _, place = opened(tenant, browser_of(tenant, "privacy_officer"))
    browser = browser_of(tenant, role)
    for page in (PAGES, place, f"{PAGES}log/"):
        assert browser.get(page).status_code == status
    assert browser.get(f"{PAGES}new/").status_code == 403


@pytest.mark.parametrize(
    ("do", "given"),
    [
        ("change", {"persons": "many"}),
        ("change", {"residents": "California"}),
        ("change", {"principals": "mallory"}),
        ("change", {"occurred_from": "yesterday"}),
        ("scope", {"since": "soon"}),
        ("task", {"title": "Look", "assignee": "ada"}),
        ("invented", {}),
    ],
)
def test_what_a_form_says_wrongly_is_refused(tenant, do, given) -> None:
    browser = browser_of(tenant, "privacy_officer")
    _, place = opened(tenant, browser)
    answer = browser.post(place, {"do": do} | given)
    assert (answer.status_code, "VAULT_VALID_3001" in answer.text) == (400, True)


def test_an_incident_of_another_tenant_has_no_page(tenant, rival) -> None:
    _, place = opened(tenant, browser_of(tenant, "privacy_officer"))
    stranger = browser_of(rival, "privacy_officer")
    assert stranger.get(place).status_code == 404
    assert stranger.post(place, {"do": "note", "text": "Hello"}).status_code == 404
    assert UUID(place.rstrip("/").rpartition("/")[2])
