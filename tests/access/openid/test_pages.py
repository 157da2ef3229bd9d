"""The screens on which providers are set up."""

import pytest
from django.test import Client

from access.models import GroupMapping, IdentityProvider, Tenant
from tests.factories.federation import make_openid
from tests.factories.pages import browser_of, events_of, opened

pytestmark = pytest.mark.usefixtures("plain_static")
LIST = "/admin/access-control/identity-providers/"
GIVEN = {
    "name": "Example SSO",
    "slug": "example",
    "issuer": "http://127.0.0.1:9",
    "client_id": "vault",
    "secret": "a secret of the client",
    "scopes": "openid profile",
    "algorithm": "ES256",
}


def page_of(provider: IdentityProvider) -> str:
    return f"{LIST}{provider.pk}/"


def test_a_provider_is_set_up_tried_out_and_opened(tenant: Tenant) -> None:
    client = browser_of(tenant, "security_officer")
    assert b"Everybody signs in with a password" in client.get(LIST).content
    made, request_id = opened(client, f"{LIST}new/oidc/", GIVEN, method="post")
    provider = IdentityProvider.objects.using("owner").get(tenant=tenant)
    assert (made.status_code, made.url) == (302, page_of(provider))
    assert not provider.is_active
    assert b"a secret" not in bytes(provider.sealed)
    assert "secret" not in provider.settings
    assert any(event.type == "admin.access.write" for event in events_of(tenant, request_id))
    page = client.get(page_of(provider)).content.decode()
    assert f"http://localhost/auth/{tenant.slug}/example/callback/" in page
    assert GIVEN["secret"] not in page
    client.post(page_of(provider), {"act": "map", "external_group": "readers", "meaning": "role:viewer"})
    client.post(page_of(provider), {"act": "switch", "is_active": "1"})
    assert IdentityProvider.objects.using("owner").get(pk=provider.pk).is_active


def test_a_dry_run_shows_who_would_result_and_changes_nothing(tenant: Tenant) -> None:
    provider = make_openid(tenant, "http://127.0.0.1:9", groups={"engineers": "viewer"})
    client = browser_of(tenant, "security_officer")
    sample = '{"sub": "s-1", "preferred_username": "eve", "groups": ["engineers", "strangers"], "amr": ["mfa"]}'
    page = client.post(page_of(provider), {"act": "sample", "sample": sample}).content.decode()
    for told in ("a new user, eve", "Viewer", "strangers", "no verified e-mail address"):
        assert told in page
    assert not provider.identities.using("owner").exists()
    wrong = client.post(page_of(provider), {"act": "sample", "sample": "[1"})
    assert wrong.status_code == 400


def test_who_does_not_manage_providers_changes_none(tenant: Tenant) -> None:
    provider = make_openid(tenant, "http://127.0.0.1:9")
    client = browser_of(tenant, "privacy_officer")
    assert client.get(page_of(provider)).status_code == 200
    assert client.post(page_of(provider), {"act": "switch", "is_active": "0"}).status_code == 403
    assert browser_of(tenant, "viewer").get(page_of(provider)).status_code == 403


def test_nobody_maps_a_group_to_more_than_they_have(tenant: Tenant) -> None:
    provider = make_openid(tenant, "http://127.0.0.1:9", groups={})
    client = browser_of(tenant, "security_officer")
    given = {"act": "map", "external_group": "everybody", "meaning": "role:data_steward"}
    assert client.post(page_of(provider), given).status_code == 403
    assert not GroupMapping.objects.using("owner").filter(tenant=tenant).exists()


def test_the_login_page_offers_what_the_organization_has_and_tells_of_no_other(tenant: Tenant, rival: Tenant) -> None:
    make_openid(tenant, "http://127.0.0.1:9")
    client = Client(SERVER_NAME="localhost")
    assert b"Continue with Example SSO" in client.get("/admin/login/", {"org": tenant.slug}).content
    without = client.get("/admin/login/", {"org": rival.slug}).content.replace(rival.slug.encode(), b"")
    unknown = client.get("/admin/login/", {"org": "no-such"}).content.replace(b"no-such", b"")
    assert b"There is no single sign-on" in without
    assert b"There is no single sign-on" in unknown
