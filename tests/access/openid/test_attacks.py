"""What providers and those between them may try: refused, never with a 500, and each told to the audit."""

from typing import Any

import pytest
from django.test import Client

from access.federation.oidc import documents as published
from access.federation.providers import switch_provider
from access.models import ExternalIdentity, IdentityProvider, Tenant, User, VaultSession
from access.services.tenants import operator
from tests.access.openid.rogue import CLIENT_ID, Rogue, new_key
from tests.access.openid.steps import begin, come_back, is_in, reasons, refused, sign_in
from tests.conftest import new_tenant
from tests.factories.access import acting, make_user
from tests.factories.federation import make_openid
from tests.factories.pages import browser_of
from vaultsite.kernel.events.event import Recorded

pytestmark = pytest.mark.usefixtures("plain_static")


@pytest.fixture
def provider(tenant: Tenant, rogue: Rogue) -> IdentityProvider:
    return make_openid(tenant, rogue.issuer, CLIENT_ID)


def test_the_honest_way_is_open(browser: Client, tenant: Tenant, provider: IdentityProvider, rogue: Rogue) -> None:
    asked = begin(browser, tenant, rogue, next="/admin/access-control/account/?purpose=analytics")
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["state"]) >= 32
    answer = come_back(browser, tenant, asked["state"])
    assert (answer.status_code, answer.url) == (302, "/admin/access-control/account/")
    assert is_in(browser)


def test_a_state_counts_once_in_its_own_browser_and_for_its_own_provider(
    browser: Client, tenant: Tenant, rogue: Rogue, rival: Tenant, events: list[Recorded]
) -> None:
    make_openid(tenant, rogue.issuer, CLIENT_ID)
    make_openid(rival, rogue.issuer, CLIENT_ID)
    make_openid(tenant, rogue.issuer, CLIENT_ID, slug="second")
    state = begin(browser, tenant, rogue)["state"]
    stranger = Client(SERVER_NAME="localhost")
    refused(come_back(stranger, tenant, state), stranger, events, "state")
    refused(come_back(browser, rival, state), browser, events, "state")
    refused(come_back(browser, tenant, state, slug="second"), browser, events, "state")
    refused(come_back(browser, tenant, "s" * 32), browser, events, "state")
    refused(browser.get(f"/auth/{tenant.slug}/sso/callback/"), browser, events, "state")
    assert come_back(browser, tenant, state).status_code == 302
    assert is_in(browser)
    browser.cookies.pop("vault_session")
    refused(come_back(browser, tenant, state), browser, events, "replay")


def test_a_state_is_spent_even_if_what_came_with_it_did_not_hold(
    browser: Client, tenant: Tenant, provider: IdentityProvider, rogue: Rogue, events: list[Recorded]
) -> None:
    state = begin(browser, tenant, rogue)["state"]
    rogue.id_token = lambda: rogue.sign(rogue.claims(aud="another-client"))
    refused(come_back(browser, tenant, state), browser, events, "audience")
    rogue.id_token = None
    refused(come_back(browser, tenant, state), browser, events, "replay")


def test_the_answer_of_another_provider_is_not_taken_for_this_ones(
    browser: Client, tenant: Tenant, provider: IdentityProvider, rogue: Rogue, events: list[Recorded]
) -> None:
    answer = sign_in(browser, tenant, rogue, iss="https://elsewhere.example.org")
    refused(answer, browser, events, "mixed_up")
    rogue.described = {"authorization_response_iss_parameter_supported": True}
    published.documents.forget("")
    refused(sign_in(browser, tenant, rogue), browser, events, "mixed_up")
    assert "/token" not in rogue.asked


def test_an_error_of_the_provider_is_told_and_signs_nobody_out(
    tenant: Tenant, provider: IdentityProvider, rogue: Rogue, events: list[Recorded]
) -> None:
    somebody = browser_of(tenant, "viewer")
    state = begin(somebody, tenant, rogue)["state"]
    assert come_back(somebody, tenant, state, error="access_denied").status_code == 403
    assert reasons(events) == ["no_code"]
    assert is_in(somebody)


def test_keys_that_change_between_the_two_steps_are_fetched_anew(
    browser: Client, tenant: Tenant, provider: IdentityProvider, rogue: Rogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published, "PAUSE_SECONDS", 0.0)
    assert sign_in(browser, tenant, rogue).status_code == 302
    state = begin(browser, tenant, rogue)["state"]
    rogue.key, rogue.kid = new_key(), "second"
    assert come_back(browser, tenant, state).status_code == 302


def test_a_storm_of_unknown_keys_makes_one_call(
    browser: Client,
    tenant: Tenant,
    provider: IdentityProvider,
    rogue: Rogue,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(published, "PAUSE_SECONDS", 3600.0)
    address = f"/auth/{tenant.slug}/sso/back-channel-logout/"
    for number in range(20):
        token = rogue.sign(rogue.logout_claims(), kid=f"unknown-{number}")
        assert browser.post(address, {"logout_token": token}).status_code == 400
    assert rogue.asked.count("/jwks") == 1


def test_without_its_keys_nobody_comes_in(
    browser: Client, tenant: Tenant, provider: IdentityProvider, rogue: Rogue, events: list[Recorded]
) -> None:
    rogue.jwks = lambda: {}["outage"]
    answer = sign_in(browser, tenant, rogue)
    refused(answer, browser, events, "answer")
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("described", "reason"),
    [
        ({"issuer": "https://elsewhere.example.org"}, "issuer"),
        ({"token_endpoint": None}, "description"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "description"),
        ({"token_endpoint": "http://169.254.169.254/latest/meta-data/"}, ""),
        ({"jwks_uri": "http://10.0.0.1/"}, ""),
        ({"jwks_uri": "file:///etc/passwd"}, ""),
    ],
)
def test_a_description_that_names_others_is_not_used(
    described: dict[str, Any], reason: str, browser: Client, rogue: Rogue, events: list[Recorded]
) -> None:
    tenant = new_tenant("tenant")
    make_openid(tenant, rogue.issuer, CLIENT_ID)
    rogue.described = described
    answer = browser.get(f"/auth/{tenant.slug}/sso/begin/")
    refused(answer, browser, events, reason)
    assert rogue.asked == ["/.well-known/openid-configuration"]


def test_the_userinfo_of_somebody_else_lets_nobody_in(
    browser: Client, tenant: Tenant, rogue: Rogue, events: list[Recorded]
) -> None:
    make_openid(tenant, rogue.issuer, CLIENT_ID, asks_userinfo=True)
    rogue.userinfo = {"sub": "s-2", "groups": ["engineers"]}
    refused(sign_in(browser, tenant, rogue), browser, events, "userinfo_sub")


def test_a_name_and_an_address_are_no_identity(
    browser: Client, tenant: Tenant, provider: IdentityProvider, rogue: Rogue
) -> None:
    admin = make_user(tenant, "tenant_admin", username="boss", email="boss@example.org")
    told = {"preferred_username": "boss", "email": "boss@example.org", "email_verified": True}
    rogue.id_token = lambda: rogue.sign(rogue.claims(**told))
    assert sign_in(browser, tenant, rogue).status_code == 302
    made = ExternalIdentity.objects.using("owner").select_related("user").get(tenant=tenant).user
    assert made.pk != admin.pk
    assert made.username != "boss"
    assert not VaultSession.objects.using("owner").filter(user=admin).exists()


def test_an_address_that_the_provider_did_not_verify_is_not_kept(
    browser: Client, tenant: Tenant, provider: IdentityProvider, rogue: Rogue
) -> None:
    rogue.id_token = lambda: rogue.sign(rogue.claims(email="boss@example.org", email_verified=False))
    sign_in(browser, tenant, rogue)
    assert User.objects.using("owner").get(tenant=tenant).email == ""


@pytest.mark.parametrize(
    "wanted", ["https://evil.example.org/", "//evil.example.org", "\\\\evil.example.org", "javascript:1"]
)
def test_a_sign_in_leads_to_no_other_site(
    wanted: str, browser: Client, tenant: Tenant, provider: IdentityProvider, rogue: Rogue
) -> None:
    state = begin(browser, tenant, rogue, next=wanted)["state"]
    assert come_back(browser, tenant, state).url == "/admin/"


def test_nobody_comes_in_by_a_closed_way(
    browser: Client, tenant: Tenant, provider: IdentityProvider, rogue: Rogue, events: list[Recorded]
) -> None:
    state = begin(browser, tenant, rogue)["state"]
    with acting(tenant):
        switch_provider(operator(tenant.pk), provider_id=provider.pk, is_active=False)
    refused(come_back(browser, tenant, state), browser, events, "inactive")
    assert browser.get(f"/auth/{tenant.slug}/sso/begin/").status_code == 403


def test_what_there_is_not_is_not_found_alike(browser: Client, tenant: Tenant, rival: Tenant, rogue: Rogue) -> None:
    make_openid(rival, rogue.issuer, CLIENT_ID, slug="theirs")
    pages = [
        browser.get(f"/auth/{organization}/{slug}/begin/")
        for organization, slug in ((tenant.slug, "theirs"), (tenant.slug, "none"), ("no-such", "theirs"))
    ]
    assert [page.status_code for page in pages] == [404, 404, 404]
