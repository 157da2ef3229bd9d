"""Whole sign-ins over HTTP at a certified provider."""

from typing import Any

import pytest

from access.models import ExternalIdentity, IdentityProvider, Tenant, User
from tests.access.openid.peer import Peer, Walker
from tests.factories.federation import make_openid

pytestmark = pytest.mark.usefixtures("plain_static")


def registered(peer: Peer, vault: str, tenant: Tenant, **client: Any) -> dict[str, Any]:
    base = f"{vault}/auth/{tenant.slug}/sso"
    return peer.register(
        redirect_uris=[f"{base}/callback/"],
        post_logout_redirect_uris=[f"{vault}/admin/login/"],
        backchannel_logout_uri=f"{base}/back-channel-logout/",
        backchannel_logout_session_required=True,
        scope="openid profile email groups",
        **client,
    )


@pytest.fixture
def provider(peer: Peer, vault: str, tenant: Tenant) -> IdentityProvider:
    client = registered(peer, vault, tenant)
    return make_openid(tenant, peer.issuer, client["client_id"], secret=client["client_secret"])


def begin(vault: str, tenant: Tenant) -> str:
    return f"{vault}/auth/{tenant.slug}/sso/begin/"


def users(tenant: Tenant) -> list[User]:
    return list(User.objects.using("owner").filter(tenant=tenant))


def test_who_signs_in_there_is_in_here(provider: IdentityProvider, vault: str, tenant: Tenant) -> None:
    walker = Walker()
    page = walker.open(begin(vault, tenant))
    assert page.status_code == 200, page.text
    assert page.url == f"{vault}/admin/"
    (user,) = users(tenant)
    assert (user.username, user.email, user.full_name) == ("alice", "alice@example.org", "Alice Example")
    assert not user.has_usable_password()
    identity = ExternalIdentity.objects.using("owner").get(tenant=tenant)
    assert (identity.subject, identity.issuer) == ("alice", provider.settings["issuer"])
