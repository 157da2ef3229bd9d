"""Screens of service accounts and API keys."""

import re
from typing import Any

import pytest
from django.urls import reverse

from access.auth.api_keys import PATTERN
from access.models import ApiKey, ClientCertificate, RoleBinding, ServiceAccount, Tenant
from access.services.api_keys import create_api_key
from access.services.service_accounts import create_service_account
from access.services.tenants import operator
from tests.factories.access import acting, make_api_key
from tests.factories.pages import browser_of
from vaultsite.kernel.identifiers import uuid7

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")

ACCOUNTS = "/admin/access-control/service-accounts/"
KEYS = "/admin/access/apikey/"


@pytest.fixture
def boss(tenant: Tenant) -> Any:
    return browser_of(tenant, "tenant_admin")


def account_of(tenant: Tenant, name: str = "trainer") -> ServiceAccount:
    with acting(tenant):
        return create_service_account(operator(tenant.pk), name=name, roles=["viewer"])


def test_the_list_says_that_there_is_none(boss: Any) -> None:
    page = boss.get(ACCOUNTS)
    assert page.status_code == 200
    assert "No program has a name of its own yet" in page.text


def test_an_account_is_made_and_shown(tenant: Tenant, boss: Any) -> None:
    made = boss.post(ACCOUNTS, {"name": "trainer", "description": "Trains", "roles": ["data_scientist", "viewer"]})
    assert made.status_code == 302
    page = boss.get(made["Location"]).text
    assert "ldc_" in page
    assert "Data scientist" in page
    held = RoleBinding.objects.using("owner").filter(tenant=tenant, service_account__name="trainer")
    assert sorted(held.values_list("role__code", flat=True)) == ["data_scientist", "viewer"]
    assert ">trainer</a>" in boss.get(ACCOUNTS).text


def test_what_does_not_fit_is_said_and_kept(tenant: Tenant, boss: Any) -> None:
    account_of(tenant)
    refused = boss.post(ACCOUNTS, {"name": "trainer", "description": "<b>again</b>", "roles": ["viewer"]})
    assert (refused.status_code, "VAULT_AUTHZ_2009" in refused.text) == (409, True)
    assert 'value="&lt;b&gt;again&lt;/b&gt;"' in refused.text
    assert ServiceAccount.objects.using("owner").filter(tenant=tenant).count() == 1


def test_certificates_are_enrolled_and_withdrawn(tenant: Tenant, boss: Any) -> None:
    path = f"{ACCOUNTS}{account_of(tenant).pk}/"
    assert boss.post(path, {"act": "enroll", "kind": "dns", "value": "registry.internal"}).status_code == 302
    assert "registry.internal" in boss.get(path).text
    wrong = boss.post(path, {"act": "enroll", "kind": "fingerprint", "value": "no digest"})
    assert (wrong.status_code, "VAULT_VALID_3001" in wrong.text) == (400, True)
    row = ClientCertificate.objects.using("owner").get(tenant=tenant)
    assert boss.post(path, {"act": "withdraw", "certificate": str(row.pk)}).status_code == 302
    row.refresh_from_db(using="owner")
    assert row.revoked_at is not None


def test_an_account_is_disabled_and_enabled(tenant: Tenant, boss: Any) -> None:
    path = f"{ACCOUNTS}{account_of(tenant).pk}/"
    for act, is_active in (("disable", False), ("enable", True)):
        assert boss.post(path, {"act": act}).status_code == 302
        assert ServiceAccount.objects.using("owner").get(tenant=tenant).is_active is is_active
    assert boss.post(path, {"act": "explode"}).status_code == 404


def test_a_rival_s_account_is_not_found(tenant: Tenant, rival: Tenant, boss: Any) -> None:
    foreign = account_of(rival)
    assert boss.get(f"{ACCOUNTS}{foreign.pk}/").status_code == boss.get(f"{ACCOUNTS}{uuid7()}/").status_code == 404
    assert ">trainer</a>" not in boss.get(ACCOUNTS).text
    assert tenant


def test_who_manages_no_keys_sees_no_accounts(tenant: Tenant) -> None:
    path = f"{ACCOUNTS}{account_of(tenant).pk}/"
    viewer, auditor = browser_of(tenant, "viewer"), browser_of(tenant, "auditor")
    assert viewer.get(ACCOUNTS).status_code == 403
    assert viewer.get(path).status_code == 403
    page = auditor.get(path)
    assert page.status_code == 200
    assert 'name="act"' not in page.text
    assert auditor.post(path, {"act": "disable"}).status_code == 403


def test_a_key_for_an_account_is_shown_once(tenant: Tenant, boss: Any) -> None:
    account = account_of(tenant)
    form = boss.get(f"{KEYS}add/?account={account.pk}")
    assert f'value="{account.pk}" selected' in form.text
    made = boss.post(
        f"{KEYS}add/",
        {
            "name": "autumn",
            "account": str(account.pk),
            "days": "30",
            "requests_per_minute": "50",
            "allowed_networks": "10.0.0.0/8\r\n192.0.2.0/24",
            "scopes": ["vault:read"],
        },
    )
    assert made.status_code == 200
    key = ApiKey.objects.using("owner").get(tenant=tenant)
    assert key.allowed_networks == ["10.0.0.0/8", "192.0.2.0/24"]
    assert (key.requests_per_minute, key.scopes, key.service_account_id) == (50, ["vault:read"], account.pk)
    secret = re.search(PATTERN, made.text)[0]
    for path in (KEYS, f"{KEYS}{key.pk}/change/", f"{ACCOUNTS}{account.pk}/"):
        shown = boss.get(path)
        assert shown.status_code == 200
        assert secret not in shown.text


@pytest.mark.parametrize(
    ("member", "value"),
    [("allowed_networks", "10.0.0.1/8"), ("datasets", "all of them"), ("requests_per_minute", "0"), ("days", "91")],
)
def test_a_limit_that_is_none_is_said_at_its_field(tenant: Tenant, boss: Any, member: str, value: str) -> None:
    given = {"name": "k", "roles": ["viewer"], "days": "30", "requests_per_minute": "50", member: value}
    refused = boss.post(f"{KEYS}add/", given)
    assert refused.status_code in {200, 400}
    assert f"id_{member}_error" in refused.text or "errorlist" in refused.text or "text-red" in refused.text
    assert not ApiKey.objects.using("owner").filter(tenant=tenant).exists()


def test_a_key_is_replaced_and_revoked(tenant: Tenant, boss: Any) -> None:
    key, old = make_api_key(tenant)
    assert "Make its successor" in boss.get(f"{KEYS}{key.pk}/change/").text
    made = boss.post(reverse("admin:access_apikey_rotate", args=[key.pk]), {"overlap_hours": "72"})
    secret = re.search(PATTERN, made.text)[0]
    assert secret != old
    successor = ApiKey.objects.using("owner").get(predecessor_id=key.pk)
    assert str(key.pk) in boss.get(f"{KEYS}{successor.pk}/change/").text
    assert boss.get(reverse("admin:access_apikey_rotate", args=[key.pk])).status_code == 405
    assert boss.post(reverse("admin:access_apikey_rotate", args=[key.pk])).status_code == 409
    assert boss.post(reverse("admin:access_apikey_revoke", args=[key.pk])).status_code == 302
    assert "Make its successor" not in boss.get(f"{KEYS}{key.pk}/change/").text


def test_an_account_s_keys_are_on_its_page(tenant: Tenant, boss: Any) -> None:
    account = account_of(tenant)
    with acting(tenant):
        create_api_key(operator(tenant.pk), name="of the account", service_account_id=account.pk)
    page = boss.get(f"{ACCOUNTS}{account.pk}/").text
    assert "of the account" in page
    assert ">live<" in re.sub(r"\s+", "", page)
