"""Users who were here before, tied to an identity by an administrator."""

from uuid import uuid4

import pytest
from django.test import Client

from access.errors import GrantTooWide
from access.federation.errors import IdentityNotFound, IdentityTaken, MappingNotFound
from access.federation.linking import link_identity, map_group, unlink_identity, unmap_group
from access.models import IdentityProvider, RoleBinding, Tenant, User
from access.services.tenants import operator
from tests.access.openid.rogue import CLIENT_ID, Rogue
from tests.access.openid.steps import is_in, reasons, sign_in
from tests.factories.access import acting, make_user, principal_with
from tests.factories.federation import make_openid
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.events.event import Recorded

pytestmark = pytest.mark.usefixtures("plain_static")


@pytest.fixture
def provider(tenant: Tenant, rogue: Rogue) -> IdentityProvider:
    return make_openid(tenant, rogue.issuer, CLIENT_ID, creates_users=False)


def test_who_is_not_linked_is_not_let_in_where_nobody_may_be_made(
    browser: Client, tenant: Tenant, provider: IdentityProvider, rogue: Rogue, events: list[Recorded]
) -> None:
    assert sign_in(browser, tenant, rogue).status_code == 403
    assert reasons(events) == ["unknown"]
    assert not User.objects.using("owner").filter(tenant=tenant).exists()


def test_a_linked_user_comes_in_and_keeps_what_others_gave(
    browser: Client, tenant: Tenant, provider: IdentityProvider, rogue: Rogue
) -> None:
    user, somebody = make_user(tenant, "viewer", username="ann"), operator(tenant.pk)
    given = {"provider_id": provider.pk, "username": "ann", "issuer": rogue.issuer, "subject": "s-1"}
    with acting(tenant):
        identity = link_identity(somebody, **given)
    make_user(tenant, username="ben")
    with acting(tenant), pytest.raises(IdentityTaken):
        link_identity(somebody, **given | {"username": "ben"})
    assert sign_in(browser, tenant, rogue).status_code == 302
    held = RoleBinding.objects.using("owner").filter(user=user)
    assert set(held.values_list("role__code", flat=True)) == {"viewer", "ml_engineer"}
    with acting(tenant):
        unlink_identity(somebody, provider_id=provider.pk, identity_id=identity.pk)
    assert not is_in(browser)
    assert set(held.values_list("role__code", flat=True)) == {"viewer"}
    with acting(tenant), pytest.raises(IdentityNotFound):
        unlink_identity(somebody, provider_id=provider.pk, identity_id=identity.pk)


def test_nobody_links_themselves_to_who_may_do_more(tenant: Tenant, provider: IdentityProvider) -> None:
    make_user(tenant, "data_steward", username="steward")
    admin = principal_with(tenant, "tenant_admin")
    given = {"provider_id": provider.pk, "username": "steward", "issuer": "https://id.example.org", "subject": "s"}
    with pytest.raises(GrantTooWide), acting(tenant, admin):
        link_identity(admin, **given)


def test_a_mapping_gives_one_thing_and_is_there_to_be_removed(tenant: Tenant, provider: IdentityProvider) -> None:
    somebody = operator(tenant.pk)
    for wrong in ({}, {"role": "viewer", "group_id": uuid4()}, {"role": "no_such_role"}):
        with acting(tenant), pytest.raises(InvalidInput):
            map_group(somebody, provider_id=provider.pk, external_group="g", **wrong)
    with acting(tenant), pytest.raises(MappingNotFound):
        unmap_group(somebody, provider_id=provider.pk, mapping_id=uuid4())
