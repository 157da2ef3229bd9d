"""Whole sign-ins over HTTP at a certified provider: in, out, anew, and signed out from there."""

import re
import time
from typing import Any

import pytest

from access.federation.kinds import federation
from access.federation.providers import connection_of
from access.models import ExternalIdentity, IdentityProvider, RoleBinding, Tenant, User, VaultSession
from tests.access.openid.peer import Peer, Walker
from tests.factories.access import acting
from tests.factories.federation import make_openid
from vaultsite.kernel.events.event import EventType, Recorded

pytestmark = pytest.mark.usefixtures("plain_static")


@pytest.fixture
def provider(peer: Peer, vault: str, tenant: Tenant) -> IdentityProvider:
    base = f"{vault}/auth/{tenant.slug}/sso"
    client = peer.register(
        redirect_uris=[f"{base}/callback/"],
        post_logout_redirect_uris=[f"{vault}/admin/login/"],
        backchannel_logout_uri=f"{base}/back-channel-logout/",
        backchannel_logout_session_required=True,
        scope="openid profile email groups",
    )
    groups = {"engineers": "ml_engineer", "officers": "security_officer"}
    return make_openid(tenant, peer.issuer, client["client_id"], secret=client["client_secret"], groups=groups)


@pytest.fixture
def begin(vault: str, tenant: Tenant, provider: IdentityProvider) -> str:
    return f"{vault}/auth/{tenant.slug}/sso/begin/"


def roles(tenant: Tenant) -> set[str]:
    held = RoleBinding.objects.using("owner").filter(tenant=tenant, user__isnull=False)
    return set(held.values_list("role__code", flat=True))


def test_who_signs_in_there_is_in_here(
    begin: str, vault: str, tenant: Tenant, provider: IdentityProvider, events: list[Recorded]
) -> None:
    page = Walker().open(begin)
    assert (page.status_code, page.url) == (200, f"{vault}/admin/"), page.text
    user = User.objects.using("owner").get(tenant=tenant)
    assert (user.username, user.email, user.full_name) == ("alice", "alice@example.org", "Alice Example")
    assert not user.has_usable_password()
    identity = ExternalIdentity.objects.using("owner").get(tenant=tenant)
    assert (identity.subject, identity.issuer) == ("alice", provider.settings["issuer"])
    assert roles(tenant) == {"ml_engineer"}
    told = [one.event.type for one in events]
    assert EventType.IDENTITY_CHANGED in told
    assert told[-1] == EventType.LOGIN_SUCCEEDED or EventType.LOGIN_SUCCEEDED in told


def test_what_groups_give_is_given_and_taken_at_each_sign_in(
    begin: str, tenant: Tenant, provider: IdentityProvider, peer: Peer
) -> None:
    peer.put_person("carol", preferred_username="carol", groups=["engineers"])
    assert Walker("carol").open(begin).status_code == 200
    peer.put_person("carol", preferred_username="carol", groups=["officers"])
    assert Walker("carol").open(begin).status_code == 200
    assert roles(tenant) == {"security_officer"}
    peer.put_person("carol", preferred_username="carol", groups=["strangers"])
    assert Walker("carol").open(begin).status_code == 403
    assert roles(tenant) == set()
    assert not VaultSession.objects.using("owner").filter(tenant=tenant).exists()


def test_who_has_no_group_that_gives_a_role_is_not_made(begin: str, tenant: Tenant, peer: Peer) -> None:
    assert Walker("bob").open(begin).status_code == 403
    assert not User.objects.using("owner").filter(tenant=tenant).exists()


def test_a_second_factor_seen_there_counts_here(begin: str, vault: str, tenant: Tenant) -> None:
    pages = {amr: Walker(amr=(amr, "pwd")).open(begin) for amr in ("mfa", "otp")}
    assert all(page.status_code == 200 for page in pages.values())
    with acting(tenant):
        kept = [VaultSession.objects.count()]
    assert kept == [2]


def test_who_signs_out_here_is_led_to_sign_out_there(begin: str, vault: str, tenant: Tenant, peer: Peer) -> None:
    walker = Walker()
    home = walker.open(begin)
    token = walker.session.cookies["vault_csrf"]
    left = walker.session.post(
        f"{vault}/admin/logout/", data={"csrfmiddlewaretoken": token}, headers={"Referer": home.url}, timeout=20
    )
    assert not VaultSession.objects.using("owner").filter(tenant=tenant).exists()
    address = re.search(r'href="([^"]*session/end[^"]*)"', left.text)[1].replace("&amp;", "&")
    assert address.startswith(f"{peer.issuer}/session/end?")
    there = walker.open(address)
    back = walker.submit(there, logout="yes")
    assert back.url.startswith(f"{vault}/admin/login/")
    walker.way.clear()
    walker.open(begin)
    assert any("/interaction/" in step for step in walker.way)  # the provider knows nobody any more


def test_who_signs_out_there_is_out_here_within_a_second(begin: str, vault: str, tenant: Tenant, peer: Peer) -> None:
    walker, elsewhere = Walker(), Walker()
    walker.open(begin)
    elsewhere.open(begin)
    there = walker.open(f"{peer.issuer}/session/end")
    before = time.monotonic()
    walker.submit(there, logout="yes")
    while VaultSession.objects.using("owner").filter(tenant=tenant).count() == 2:
        assert time.monotonic() - before < 10
        time.sleep(0.05)
    assert walker.session.get(f"{vault}/admin/", allow_redirects=False, timeout=20).status_code == 302
    assert elsewhere.session.get(f"{vault}/admin/", allow_redirects=False, timeout=20).status_code == 200


def test_sensitive_acts_are_confirmed_at_the_provider(
    begin: str, vault: str, tenant: Tenant, peer: Peer, events: list[Recorded]
) -> None:
    peer.put_person("dora", preferred_username="dora", groups=["officers"])
    walker = Walker("dora")
    walker.open(begin)
    providers = f"{vault}/admin/access-control/identity-providers/"
    wanted = "/admin/access-control/identity-providers/"
    confirm = walker.open(f"{vault}/admin/access-control/confirm/?next={wanted}")
    assert "Confirm at Example SSO" in confirm.text
    walker.way.clear()
    page = walker.open(f"{begin}?act=confirm&next={wanted}")
    assert page.url == providers
    assert any("/interaction/" in step for step in walker.way)  # asked anew, though the provider knew her
    assert [one.event.status for one in events if one.event.type == EventType.FACTOR_SHOWN] == ["success"]


def test_a_trial_lets_nobody_in_and_shows_who_would_come(
    begin: str, vault: str, tenant: Tenant, peer: Peer, provider: IdentityProvider
) -> None:
    peer.put_person("dora", preferred_username="dora", groups=["officers"])
    walker = Walker("dora")
    walker.open(begin)
    walker.session.cookies.clear(domain="127.0.0.1")
    walker.person = "alice"
    page = walker.open(f"{begin}?act=try")
    assert "a new user, alice" in page.text
    assert "unheard-of" in page.text
    assert User.objects.using("owner").filter(tenant=tenant).count() == 1


def test_the_connection_is_tested_against_the_provider(tenant: Tenant, provider: IdentityProvider, peer: Peer) -> None:
    with acting(tenant):
        good = connection_of(provider)
    kind = federation("oidc")
    found = kind.test(good)
    assert all(finding.is_good for finding in found), found
    settings: dict[str, Any] = {**good.settings, "algorithm": "ES512", "client_id": "unknown"}
    wrong = [
        finding.text
        for finding in kind.test(type(good)(**{**good.__dict__, "settings": settings}))
        if not finding.is_good
    ]
    assert len(wrong) == 3
    nowhere = {**good.settings, "issuer": "http://127.0.0.1:9"}
    assert not kind.test(type(good)(**{**good.__dict__, "settings": nowhere}))[0].is_good
