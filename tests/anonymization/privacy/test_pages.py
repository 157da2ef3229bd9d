"""The screens of budgets and releases."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from anonymization.models import Release
from anonymization.services.budget import budget_of, spend
from anonymization.services.releases import report_deleted
from tests.anonymization.privacy.test_releases import people, release
from tests.factories.access import acting, age, make_user, sign_in
from tests.factories.pages import browser_of
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

BUDGETS = "/admin/privacy/budgets/"
RELEASES = "/admin/privacy/releases/"
TERMS = {"total_epsilon": "2", "total_delta": "0.00001", "usual_epsilon": "1", "usual_delta": "0.00001"}

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")


@pytest.fixture
def officer(tenant):
    return browser_of(tenant, "privacy_officer")


@pytest.fixture
def family(tenant):
    """A family of whose three epsilon one was spent."""
    family_id = uuid4()
    with acting(tenant):
        spend(family_id, uuid4(), Decimal(1), Decimal(0), query_digest=b"q" * 32, purpose="evaluation")
    return family_id


def test_without_statistics_there_are_no_budgets(officer):
    assert "Nobody has asked for statistics yet." in officer.get(BUDGETS).content.decode()


def test_a_gauge_says_what_is_left(officer, family):
    page = officer.get(BUDGETS).content.decode()
    assert 'aria-label="2 of 3 epsilon left"' in page
    assert f"{BUDGETS}{family}/" in page


def test_one_budget_shows_who_spent_what(officer, family):
    page = officer.get(f"{BUDGETS}{family}/").content.decode()
    assert "1 of 3 epsilon" in page
    assert "evaluation" in page
    assert officer.get(f"{BUDGETS}{uuid4()}/").status_code == 404


def test_a_budget_is_set_and_renewed_with_a_reason(tenant, officer, family):
    path = f"{BUDGETS}{family}/"
    refused = officer.post(path, TERMS | {"do": "set", "reason": ""})
    assert refused.status_code == 400
    assert "VAULT_ANON_6076" in refused.content.decode()
    assert officer.post(path, TERMS | {"do": "set", "reason": "a study", "total_epsilon": "x"}).status_code == 400
    assert officer.post(path, TERMS | {"do": "set", "reason": "a study"}).status_code == 302
    with acting(tenant):
        assert budget_of(family).epsilon_total == 2
    assert officer.post(path, {"do": "renew", "reason": "a new year"}).status_code == 302
    with acting(tenant):
        assert budget_of(family).epsilon_spent == 0
    assert "before the renewal" in officer.get(path).content.decode()


def test_who_only_reads_is_shown_no_form_and_changes_nothing(tenant, family):
    analyst = browser_of(tenant, "analyst")
    assert "Renew" not in analyst.get(f"{BUDGETS}{family}/").content.decode()
    assert analyst.post(f"{BUDGETS}{family}/", {"do": "renew", "reason": "mine"}).status_code == 403
    assert analyst.get(RELEASES).status_code == 403


def test_copies_are_shown_and_attested_to_be_gone(tenant, officer):
    assert "Nothing was released under a guarantee yet." in officer.get(RELEASES).content.decode()
    made = release(tenant, uuid4(), people(0, 6), version="v1.0.0", expires_at=timezone.now() + timedelta(days=3))
    assert "v-release-live" in officer.get(RELEASES).content.decode()
    age(made, expires_at=timedelta(days=1))
    with acting(tenant):
        report_deleted(made)
    page = officer.get(RELEASES).content.decode()
    assert "v-release-overdue" in page
    assert "deleted on" in page
    act = {"do": "withdraw"}
    assert officer.post(RELEASES, {"release": str(made.pk), "reason": "deleted"}).status_code == 400
    assert officer.post(RELEASES, act | {"release": str(made.pk), "reason": ""}).status_code == 400
    assert officer.post(RELEASES, act | {"release": "x", "reason": "deleted"}).status_code == 400
    assert officer.post(RELEASES, act | {"release": str(made.pk), "reason": "deleted by them"}).status_code == 302
    page = officer.get(RELEASES).content.decode()
    assert "v-release-withdrawn" in page
    assert "deleted by them" in page
    with acting(tenant):
        assert Release.objects.get(pk=made.pk).withdrawn_at is not None


def test_who_reads_releases_alone_is_shown_no_form(tenant):
    release(tenant, uuid4(), people(0, 6))
    auditor = browser_of(tenant, "auditor")
    page = auditor.get(RELEASES).content.decode()
    assert "v-release-live" in page
    assert 'name="reason"' not in page
    assert auditor.post(RELEASES, {"do": "attest", "recipient": str(uuid4()), "reason": "x"}).status_code == 403


def test_an_own_copy_is_for_somebody_else_to_attest(tenant):
    user = make_user(tenant, "privacy_officer")
    made = release(tenant, uuid4(), people(0, 6), recipient=user.pk)
    browser = Client(SERVER_NAME="localhost")
    browser.cookies[settings.SESSION_COOKIE_NAME] = sign_in(tenant, user)
    assert "Somebody else attests this." in browser.get(RELEASES).content.decode()
    refused = browser.post(RELEASES, {"do": "withdraw", "release": str(made.pk), "reason": "it is gone"})
    assert refused.status_code == 409
    assert "VAULT_ANON_6094" in refused.content.decode()


def test_a_recipient_is_attested_not_to_share_and_taken_back(tenant, officer):
    apart = str(uuid4())
    act = {"do": "attest", "recipient": apart, "reason": "contract 12 forbids sharing"}
    assert officer.post(RELEASES, act | {"last_day": "soon"}).status_code == 400
    assert officer.post(RELEASES, act | {"last_day": "2099-12-31"}).status_code == 302
    page = officer.get(RELEASES).content.decode()
    assert "contract 12 forbids sharing" in page
    assert "2100-01-01 00:00" in page
    assert officer.post(RELEASES, {"do": "revoke", "recipient": apart, "reason": "it ended"}).status_code == 302
    assert "every recipient is taken to share" in officer.get(RELEASES).content.decode()
