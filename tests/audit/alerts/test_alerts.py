"""Rules of alerts: one for each cause, told of once, and explained by somebody."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connections

from access.factors.errors import StepUpRequired
from access.models import User
from access.services.api_keys import create_api_key
from access.services.service_accounts import create_service_account
from access.services.tenants import operator
from audit.alerts.errors import AlertAboutYourself
from audit.alerts.kinds import KINDS
from audit.alerts.open import About, raise_alert, resolve_cause
from audit.alerts.selectors import AlertFilter, count_unresolved, last_of_cause, list_alerts
from audit.alerts.settle import acknowledge_alert, resolve_alert
from audit.models import Alert, AuditEvent
from audit.selectors import read_body
from tests.factories.access import acting, principal_with
from tests.factories.api import caller, send
from tests.factories.pages import browser_of
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures
from vaultsite.kernel.tenancy.principal import SYSTEM_PRINCIPAL_ID

PAGES = "/admin/oversight/alerts/"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def raised(tenant, **changed):
    facts = {"kind": "policy.violation", "cause": "policy:a", "severity": "warning", "facts": {"attempts": 3}}
    with acting(tenant):
        return raise_alert(**(facts | changed))


def told(tenant) -> list[str]:
    with acting(tenant):
        types = ["alert.raised", "alert.acknowledged", "alert.resolved", "data.breach.suspected"]
        return list(AuditEvent.objects.filter(type__in=types).order_by("id").values_list("type", flat=True))


def test_a_cause_has_one_open_alert_and_is_told_of_once(tenant) -> None:
    first = raised(tenant)
    again = raised(tenant, facts={"attempts": 9}, occurrences=2)
    assert (again.pk, again.count, again.facts) == (first.pk, 3, {"attempts": 9})
    assert raised(tenant, cause="policy:b").pk != first.pk
    assert told(tenant) == ["alert.raised", "alert.raised"]


def test_a_rising_severity_is_told_of_and_opens_it_again_and_none_falls(tenant) -> None:
    alert = raised(tenant, kind="activity.unusual")
    send(caller(tenant, "security_officer"), "POST", f"/alerts/{alert.pk}/acknowledge")
    worse = raised(tenant, kind="activity.unusual", severity="critical")
    assert (worse.severity, worse.state) == ("critical", "open")
    assert raised(tenant, kind="activity.unusual", severity="info").severity == "critical"
    # The last two are one act's: their order is not fixed.
    first, second, *last = told(tenant)
    assert (first, second) == ("alert.raised", "alert.acknowledged")
    assert sorted(last) == ["alert.raised", "data.breach.suspected"]


def test_what_is_noticed_in_somebodys_scope_is_the_vaults_own_event(tenant) -> None:
    thief = principal_with(tenant, "data_scientist")
    with acting(tenant, thief):
        raise_alert(
            kind="canary.released", cause="a", severity="critical", facts={}, about=About(principal_id=thief.id)
        )
    with acting(tenant):
        events = list(AuditEvent.objects.filter(type__in=["alert.raised", "data.breach.suspected"]))
        assert not AuditEvent.objects.filter(actor_id=thief.id).exists()
    assert [(one.actor_id, one.actor_kind) for one in events] == [(SYSTEM_PRINCIPAL_ID, "system")] * 2
    assert all(read_body(one)["metadata"]["principal_id"] == str(thief.id) for one in events)


def settled_by(principal, alert) -> None:
    acknowledge_alert(principal, alert_id=alert.pk)
    resolve_alert(principal, alert_id=alert.pk, verdict="expected", reason="it was me")


def test_whom_an_alert_is_about_settles_it_for_nobody(tenant) -> None:
    officer, other = principal_with(tenant, "security_officer"), principal_with(tenant, "security_officer")
    with acting(tenant):
        account = create_service_account(with_keys(tenant, officer), name="nightly", roles=("viewer",))
        key, _ = create_api_key(with_keys(tenant, officer), name="a key", roles=("viewer",))
    program = principal_with(tenant, "security_officer", id=key.pk, kind="service")
    pairs = [(officer, officer.id), (officer, account.pk), (officer, key.pk), (program, officer.id)]
    for number, (who, about) in enumerate([*pairs, (program, account.pk)]):
        alert = raised(tenant, cause=f"a{number}", about=About(principal_id=about))
        with pytest.raises(AlertAboutYourself), acting(tenant, who):
            acknowledge_alert(who, alert_id=alert.pk)
        with pytest.raises(AlertAboutYourself), acting(tenant, who):
            resolve_alert(who, alert_id=alert.pk, verdict="expected", reason="it was me")
        with acting(tenant, other):
            settled_by(other, alert)
    mine = raised(tenant, cause="nobody", about=About())
    with acting(tenant, officer):
        settled_by(officer, mine)


def with_keys(tenant, principal):
    """The same person, who may make programs."""
    return replace(principal, permissions=operator(tenant.pk).permissions)


def test_to_resolve_one_proves_anew_who_one_is(tenant) -> None:
    alert = raised(tenant)
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    officer = principal_with(tenant, "security_officer", authenticated_at=long_ago)
    with acting(tenant, officer):
        assert acknowledge_alert(officer, alert_id=alert.pk).state == "acknowledged"
    with pytest.raises(StepUpRequired), acting(tenant, officer):
        resolve_alert(officer, alert_id=alert.pk, verdict="mended", reason="told them")


@pytest.mark.usefixtures("plain_static", "quick_passwords")
def test_the_screen_offers_no_settling_to_whom_it_is_about(tenant) -> None:
    browser = browser_of(tenant, "security_officer", username="mallory")
    with acting(tenant):
        user = User.objects.get(username="mallory")
    alert = raised(tenant, kind="activity.unusual", about=About(principal_id=user.pk, since=NOON))
    page = browser.get(f"{PAGES}{alert.pk}/")
    assert (page.status_code, "What was it?" in page.text) == (200, False)
    refused = browser.post(f"{PAGES}{alert.pk}/", {"do": "resolve", "verdict": "expected", "reason": "me"})
    assert refused.status_code == 403
    assert send(caller(tenant, "auditor"), "GET", f"/alerts/{alert.pk}").json()["state"] == "open"


def test_no_breach_is_suspected_where_nothing_left(tenant) -> None:
    raised(tenant, severity="critical")
    assert told(tenant) == ["alert.raised"]


def test_a_condition_that_ends_by_itself_ends_its_alert_and_may_come_back(tenant) -> None:
    alert = raised(tenant)
    with acting(tenant):
        assert resolve_cause("policy.violation", "policy:a")
        assert not resolve_cause("policy.violation", "policy:a")
        assert last_of_cause("policy.violation", "policy:a").verdict == "ended"
        assert count_unresolved() == 0
    assert raised(tenant).pk != alert.pk


def test_an_alert_that_was_undone_was_never_told_of(tenant) -> None:
    class Undone(Exception):
        pass

    with pytest.raises(Undone), acting(tenant):
        raise_alert(kind="policy.violation", cause="policy:a", severity="info", facts={})
        raise Undone
    assert told(tenant) == []


def test_many_at_once_raise_one(tenant) -> None:
    def one(_: int):
        try:
            return raised(tenant).pk
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(one, range(12)))) == 1
    with acting(tenant):
        assert Alert.objects.get().count == 12


def test_a_kind_that_is_not_in_the_table_is_refused(tenant) -> None:
    with pytest.raises(KeyError):
        raised(tenant, kind="invented")


def test_each_kind_says_what_to_do() -> None:
    assert all(kind.title and kind.advice.endswith(".") for kind in KINDS.values())


def test_the_api_lists_filters_and_pages(tenant) -> None:
    made = [raised(tenant, cause=f"policy:{number}") for number in range(3)]
    raised(tenant, kind="activity.unusual", severity="critical")
    auditor = caller(tenant, "auditor")
    first = send(auditor, "GET", "/alerts?kind=policy.violation&limit=2").json()
    cursor = first["pagination"]["next_cursor"]
    rest = send(auditor, "GET", f"/alerts?kind=policy.violation&limit=2&cursor={cursor}").json()
    assert [one["id"] for one in first["data"] + rest["data"]] == [str(one.pk) for one in reversed(made)]
    assert [one["title"] for one in send(auditor, "GET", "/alerts?severity=critical").json()["data"]] == [
        "Unusual activity"
    ]
    assert send(auditor, "GET", "/alerts?state=resolved").json()["data"] == []


@pytest.mark.parametrize("query", ["state=gone", "severity=HIGH", "kind=a", "other=1", "limit=0"])
def test_a_filter_that_does_not_fit_is_named(tenant, query) -> None:
    answer = send(caller(tenant, "auditor"), "GET", f"/alerts?{query}")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, query.partition("=")[0])


@pytest.mark.parametrize("cursor", ["x", "WyJhIl0"])
def test_a_cursor_of_no_listing_is_refused(tenant, cursor) -> None:
    answer = send(caller(tenant, "auditor"), "GET", f"/alerts?cursor={cursor}")
    assert (answer.status_code, answer.json()["code"]) == (400, "VAULT_VALID_3008")


def test_it_is_acknowledged_and_resolved_with_a_reason_once(tenant) -> None:
    alert = raised(tenant)
    officer = caller(tenant, "security_officer")
    path = f"/alerts/{alert.pk}"
    assert send(officer, "POST", f"{path}/acknowledge").json()["state"] == "acknowledged"
    assert send(officer, "POST", f"{path}/acknowledge").json()["state"] == "acknowledged"
    for body in ({}, {"verdict": "ended", "reason": "a"}, {"verdict": "mended", "reason": " "}):
        assert send(officer, "POST", f"{path}/resolve", body).status_code == 400, body
    answer = send(officer, "POST", f"{path}/resolve", {"verdict": "mended", "reason": "The policy was wrong"}).json()
    assert (answer["state"], answer["verdict"], answer["reason"]) == ("resolved", "mended", "The policy was wrong")
    assert send(officer, "GET", path).json()["state"] == "resolved"
    refused = send(officer, "POST", f"{path}/resolve", {"verdict": "mended", "reason": "again"})
    assert (refused.status_code, refused.json()["code"]) == (409, "VAULT_AUDIT_7081")
    assert told(tenant) == ["alert.raised", "alert.acknowledged", "alert.resolved"]


def test_a_reason_holds_no_personal_data(tenant) -> None:
    alert = raised(tenant)
    body = {"verdict": "mended", "reason": "asked ada.lovelace@example.com"}
    answer = send(caller(tenant, "security_officer"), "POST", f"/alerts/{alert.pk}/resolve", body)
    assert answer.status_code in {400, 422}
    assert "lovelace" not in answer.text


def test_who_may_read_may_not_settle_and_strangers_see_none(tenant, rival) -> None:
    alert = raised(tenant)
    assert send(caller(tenant, "auditor"), "POST", f"/alerts/{alert.pk}/acknowledge").status_code == 403
    assert send(caller(tenant, "analyst"), "GET", "/alerts").status_code == 403
    stranger = caller(rival, "security_officer")
    assert send(stranger, "GET", "/alerts").json()["data"] == []
    answers = [send(stranger, "GET", f"/alerts/{one}") for one in (alert.pk, uuid4())]
    assert {(one.status_code, one.json()["code"]) for one in answers} == {(404, "VAULT_AUDIT_7080")}
    assert send(stranger, "POST", f"/alerts/{alert.pk}/acknowledge").status_code == 404


def test_filters_of_the_selector_see_what_is_not_resolved(tenant) -> None:
    raised(tenant)
    with acting(tenant):
        assert len(list_alerts(AlertFilter(state="unresolved"), limit=9)) == 1
        resolve_cause("policy.violation", "policy:a")
        assert list_alerts(AlertFilter(state="unresolved"), limit=9) == []


@pytest.mark.usefixtures("plain_static", "quick_passwords")
def test_the_screens_lead_from_the_list_to_the_events_and_to_an_end(tenant) -> None:
    who = uuid4()
    alert = raised(tenant, summary="tried it 3 times", about=About(principal_id=who, since=NOON))
    officer = browser_of(tenant, "security_officer")
    assert "tried it 3 times" in officer.get(PAGES).text
    page = officer.get(f"{PAGES}{alert.pk}/")
    assert "Nothing was released" in page.text
    assert f"actor={who}&amp;since=2026-11-20+12%3A00%3A00" in page.text
    assert officer.post(f"{PAGES}{alert.pk}/", {"do": "acknowledge"}).status_code == 302
    refused = officer.post(f"{PAGES}{alert.pk}/", {"do": "resolve", "verdict": "mended", "reason": ""})
    assert (refused.status_code, "1 to 1000 characters" in refused.text) == (400, True)
    done = {"do": "resolve", "verdict": "expected", "reason": "a drill"}
    assert officer.post(f"{PAGES}{alert.pk}/", done).status_code == 302
    assert "Nothing waits to be looked at" in officer.get(PAGES).text
    assert "a drill" in officer.get(f"{PAGES}{alert.pk}/").text
    assert "tried it 3 times" in officer.get(PAGES, {"state": "resolved"}).text
    assert "No alert is like that" in officer.get(PAGES, {"severity": "critical"}).text


@pytest.mark.usefixtures("plain_static", "quick_passwords")
def test_the_screens_refuse_what_does_not_fit(tenant) -> None:
    auditor = browser_of(tenant, "auditor")
    assert auditor.get(PAGES, {"state": "gone"}).status_code == 400
    assert auditor.get(PAGES, {"after": "x"}).status_code == 400
    alert = raised(tenant)
    assert "What was it?" not in auditor.get(f"{PAGES}{alert.pk}/").text
    assert auditor.post(f"{PAGES}{alert.pk}/", {"do": "acknowledge"}).status_code == 403
    officer = browser_of(tenant, "security_officer")
    assert officer.post(f"{PAGES}{alert.pk}/", {"do": "nothing"}).status_code == 400
    assert officer.get(f"{PAGES}{uuid4()}/").status_code == 404
