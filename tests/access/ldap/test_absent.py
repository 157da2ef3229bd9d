"""A vault without the packages of LDAP."""

import sys
from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.test import Client

from access.errors import LoginRefused
from access.federation.errors import KindNotInstalled
from access.federation.kinds import federation
from access.federation.ldap.errors import DirectoryUnavailable
from access.federation.providers import create_provider
from access.federation.recheck import recheck_tenant
from access.models import IdentityProvider, Tenant
from access.services.sessions import check_login
from access.services.tenants import operator
from tests.factories.access import PASSWORD, acting, make_request, make_user, sign_in


@pytest.fixture(autouse=True)
def _absent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "access.federation.ldap.kind", None)
    federation.cache_clear()
    yield
    federation.cache_clear()


def enter(tenant: Tenant, username: str, password: str) -> object:
    return check_login(make_request(), tenant_slug=tenant.slug, username=username, password=password)


def test_no_directory_is_added_and_it_says_what_to_install(tenant: Tenant, plain_static: None) -> None:
    with pytest.raises(KindNotInstalled, match="extra ldap"), acting(tenant):
        create_provider(operator(tenant.pk), kind="ldap", slug="corp", name="Corporate", settings={})
    browser = Client()
    browser.cookies["vault_session"] = sign_in(tenant, make_user(tenant, "tenant_admin"))
    answer = browser.get("/admin/access-control/identity-providers/new/ldap/")
    assert answer.status_code == KindNotInstalled.status
    assert KindNotInstalled.title in answer.content.decode()


def test_local_users_sign_in_beside_a_directory_that_was_set_up_before(tenant: Tenant, plain_static: None) -> None:
    keeper = make_user(tenant, username="keeper")
    assert enter(tenant, "keeper", PASSWORD) == keeper
    with pytest.raises(LoginRefused):
        enter(tenant, "keeper", "wrong")
    with acting(tenant):
        IdentityProvider.objects.create(kind="ldap", slug="corp", name="Corporate", is_active=True, created_by=uuid4())
    assert enter(tenant, "keeper", PASSWORD) == keeper
    for username in ("keeper", "ann"):
        with pytest.raises(DirectoryUnavailable):
            enter(tenant, username, "wrong")
    assert Client().get(f"/admin/login/?org={tenant.slug}").status_code == 200
    assert recheck_tenant(tenant.pk) == 0
