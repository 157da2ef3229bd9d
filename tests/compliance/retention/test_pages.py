"""Retention in the browser."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from compliance.models import RetentionClock, RetentionPolicy
from tests.factories.access import acting
from tests.factories.datasets import make_dataset
from tests.factories.pages import browser_of
from tests.factories.retention import made_ago, make_policy, run_now
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")
HOME = "/admin/compliance/retention/"
NEW = f"{HOME}policies/new/"
FORM = {
    "name": "Storage limitation",
    "legal_basis": "GDPR, article 5",
    "starts": "created",
    "duration_days": "365",
    "action": "delete",
    "grace_days": "7",
    "tags": "alpha, beta",
    "classifications": ["pii"],
}


def test_an_empty_calendar_says_so(tenant) -> None:
    page = browser_of(tenant, "auditor").get(HOME)
    assert (page.status_code, "No policy is in force" in page.text, "New policy" in page.text) == (200, True, False)
    assert "VAULT_EXPORT_DAYS" in page.text


def test_a_policy_is_tried_then_saved_then_changed_then_ended(tenant) -> None:
    made_ago(make_dataset(tenant, name="the old one", classification="pii", tags=("alpha", "beta")), 400)
    officer = browser_of(tenant, "privacy_officer")
    tried = officer.post(NEW, FORM | {"do": "preview"})
    assert (tried.status_code, "the old one" in tried.text) == (200, True)
    assert "1</strong> dataset:" in " ".join(tried.text.split())
    with acting(tenant):
        assert not RetentionPolicy.objects.exists()
    assert officer.post(NEW, FORM | {"do": "save"}).status_code == 302
    with acting(tenant):
        policy = RetentionPolicy.objects.get()
    said = (policy.duration_days, policy.grace_days, policy.tags, policy.classifications)
    assert said == (365, 7, ["alpha", "beta"], ["pii"])
    home = officer.get(HOME).text
    assert "due already" in home
    assert "Storage limitation" in home
    path = f"{HOME}policies/{policy.pk}/"
    assert "the old one" in officer.get(path).text
    assert officer.post(path, FORM | {"do": "save", "minimum_days": "3000"}).status_code == 302
    assert "due already" not in officer.get(HOME).text
    assert officer.post(path, {"do": "end"}).status_code == 302
    assert "No policy is in force" in officer.get(HOME).text
    assert officer.get(path).status_code == 404


def test_a_form_that_does_not_fit_keeps_what_was_typed(tenant) -> None:
    officer = browser_of(tenant, "privacy_officer")
    page = officer.post(NEW, FORM | {"do": "save", "duration_days": "many"})
    assert (page.status_code, "a whole number" in page.text, "Storage limitation" in page.text) == (400, True, True)
    page = officer.post(NEW, FORM | {"do": "save", "action": ""})
    assert (page.status_code, "an action and its duration go together" in page.text) == (400, True)
    assert officer.post(NEW, FORM | {"do": "nothing"}).status_code == 400


def test_who_reads_sees_no_buttons_and_does_nothing(tenant) -> None:
    policy = make_policy(tenant)
    auditor = browser_of(tenant, "auditor")
    page = auditor.get(f"{HOME}policies/{policy.pk}/")
    assert (page.status_code, "End the policy" in page.text, ">Save<" in page.text) == (200, False, False)
    assert auditor.get(NEW).status_code == 403
    for path, form in ((HOME, {"do": "run"}), (f"{HOME}policies/{policy.pk}/", {"do": "end"})):
        assert auditor.post(path, form).status_code == 403
    assert browser_of(tenant, "data_steward").get(HOME).status_code == 403


def test_a_run_is_begun_and_its_report_names_what_it_did(tenant) -> None:
    make_policy(tenant)
    made_ago(make_dataset(tenant, name="the old one"), 400)
    officer = browser_of(tenant, "privacy_officer")
    assert officer.post(HOME, {"do": "run"}).status_code == 302
    run = run_now(tenant)
    report = officer.get(f"{HOME}runs/{run.pk}/")
    assert "the old one" in report.text
    assert "announced to its owner" in report.text
    assert officer.get(f"{HOME}runs/{uuid4()}/").status_code == 404
    assert officer.get(f"{HOME}runs/{run.pk}/", {"after": "x"}).status_code == 400
    assert officer.post(HOME, {"do": "nothing"}).status_code == 400


def test_a_suspected_clock_is_told_of_and_confirmed(tenant) -> None:
    make_policy(tenant)
    with acting(tenant):
        RetentionClock.objects.update(seen_at=timezone.now() - timedelta(days=365))
    run_now(tenant)
    assert "The time is right" not in browser_of(tenant, "auditor").get(HOME).text
    officer = browser_of(tenant, "privacy_officer")
    page = officer.get(HOME).text
    assert "the time may be wrong" in page
    assert "its clock jumped ahead" in page
    assert "The time to confirm" in officer.get("/admin/").text
    assert officer.post(HOME, {"do": "confirm"}).status_code == 302
    assert "The time to confirm" not in officer.get("/admin/").text
    assert "the time may be wrong" not in officer.get(HOME).text
    refused = officer.post(HOME, {"do": "confirm"})
    assert (refused.status_code, "VAULT_COMP_8004" in refused.text) == (409, True)


def test_a_bar_of_the_calendar_leads_to_its_datasets_and_their_grace_periods(tenant, monkeypatch) -> None:
    make_policy(tenant, name="Yearly cleaning", grace_days=9)
    for name, days in (("the old one", 400), ("the older one", 401), ("the young one", 300)):
        made_ago(make_dataset(tenant, name=name), days)
    run_now(tenant)
    officer = browser_of(tenant, "privacy_officer")
    home = " ".join(officer.get(HOME).text.split())
    month = f"{timezone.now() + timedelta(days=65):%Y-%m}"
    assert f"retention/due/?month={month}" in home
    assert "Announced to owners" in home
    due = officer.get(f"{HOME}due/").text
    assert ("the old one" in due, "the older one" in due, "the young one" in due) == (True, True, False)
    ends = timezone.now() + timedelta(days=9)
    assert (f"{ends:%Y-%m-%d}" in due, f"{ends:%Y-%m-%d}" in home) == (True, True)
    ahead = officer.get(f"{HOME}due/?month={month}").text
    assert ("the old one" in ahead, "the young one" in ahead, "not yet" in ahead) == (False, True, True)
    monkeypatch.setattr("compliance.pages.retention._STEPS", 1)
    first = officer.get(f"{HOME}due/").text
    rest = officer.get(f"{HOME}due/?after={first.partition('after=')[2].partition(chr(34))[0]}").text
    assert {("the old one" in page, "the older one" in page) for page in (first, rest)} == {
        (True, False),
        (False, True),
    }
    assert officer.get(f"{HOME}due/?month=soon").status_code == 400
    assert "Nothing that you may see" in officer.get(f"{HOME}due/?month=1999-01").text
    assert browser_of(tenant, "data_steward").get(f"{HOME}due/").status_code == 403
