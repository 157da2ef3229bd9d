"""Rules of making tenants."""

from collections.abc import Iterator
from importlib import import_module
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connections

from access.errors import NameTaken, TenantNotFound
from access.models import EncryptionKey, Purpose, Role, Tenant
from access.policy.builtin import PURPOSES, ROLES
from access.selectors import find_tenant
from access.services.tenants import create_tenant, renew_builtin_roles, tenant_by_slug
from tests.factories.access import acting
from tests.faults import FaultyKMS
from vaultsite.kernel import providers
from vaultsite.kernel.errors import InvalidInput, KeyUnavailable
from vaultsite.kernel.events.event import EventType, Recorded

own_permissions = import_module("access.migrations.0017_own_permissions")


@pytest.fixture
def kms_down() -> Iterator[None]:
    providers._loaded["KMS"] = FaultyKMS(providers.load_provider("KMS"))
    yield
    providers.reset_providers()


def test_a_tenant_has_the_built_in_roles_and_purposes(tenant: Tenant) -> None:
    with acting(tenant):
        assert {role.code: frozenset(role.permissions) for role in Role.objects.all()} == {
            code: role.permissions for code, role in ROLES.items()
        }
        assert dict(Purpose.objects.values_list("code", "description")) == dict(PURPOSES)


def test_making_a_tenant_is_recorded_in_it(events: list[Recorded]) -> None:
    made = create_tenant(slug=f"made-{uuid4().hex[:8]}", name="Made")
    assert [one.event.type for one in events if one.tenant_id == made.pk].count(EventType.ADMIN_WRITE) == 1


@pytest.mark.parametrize("slug", ["", "-a", "a-", "A", "a_b", "a b", "a" * 64, "é", "a\n"])
def test_a_slug_has_its_shape(slug: str) -> None:
    with pytest.raises(InvalidInput):
        create_tenant(slug=slug, name="A name")
    assert find_tenant(slug) is None


def test_a_slug_is_taken_once(tenant: Tenant) -> None:
    for slug in (tenant.slug, "platform"):
        with pytest.raises(NameTaken):
            create_tenant(slug=slug, name="Another")


@pytest.mark.usefixtures("kms_down")
def test_a_tenant_that_cannot_have_keys_is_not_made() -> None:
    slug = f"failed-{uuid4().hex[:8]}"
    with pytest.raises(KeyUnavailable):
        create_tenant(slug=slug, name="Failed")
    assert not Tenant.objects.using("owner").filter(slug=slug).exists()


def test_a_tenant_sees_itself_alone(tenant: Tenant, rival: Tenant) -> None:
    with acting(tenant):
        assert list(Tenant.objects.all()) == [tenant]


def test_a_slug_shows_one_tenant_and_a_closed_one_not(tenant: Tenant, rival: Tenant) -> None:
    assert find_tenant(tenant.slug) == tenant
    Tenant.objects.using("owner").filter(pk=tenant.pk).update(is_active=False)
    with pytest.raises(TenantNotFound):
        tenant_by_slug(tenant.slug)
    assert find_tenant("platform") is None


def test_every_tenant_has_a_kek_of_its_own(tenant: Tenant, rival: Tenant) -> None:
    keks = EncryptionKey.objects.using("owner").filter(purpose="kek", tenant__in=[tenant, rival])
    assert len({bytes(kek.wrapped) for kek in keks}) == 2


def test_a_role_made_before_roles_could_inherit_permits_what_it_did():
    tenant = create_tenant(slug=f"old-{uuid4().hex[:12]}", name="Old")
    roles = Role.objects.using("owner").filter(tenant_id=tenant.pk)
    Role.objects.using("owner").create(tenant_id=tenant.pk, code="own", name="Own", permissions=["dataset.list"])
    for _ in range(2):
        own_permissions.keep_what_they_permit(apps, SimpleNamespace(connection=connections["owner"]))
        renew_builtin_roles(using="owner")
        assert roles.get(code="own").permissions == ["dataset.list"]
    assert roles.get(code="auditor").own_permissions == []


def test_a_tenant_made_by_an_earlier_release_gets_what_built_in_roles_may_now():
    tenant = create_tenant(slug=f"old-{uuid4().hex[:12]}", name="Old")
    roles = Role.objects.using("owner").filter(tenant_id=tenant.pk)
    roles.filter(code="auditor").update(permissions=["audit.read", "dataset.forget"])
    roles.filter(code="viewer").delete()
    own = {"permissions": ["dataset.list"], "own_permissions": ["dataset.list"]}
    Role.objects.using("owner").create(tenant_id=tenant.pk, code="own", name="Own", **own)
    renew_builtin_roles(using="default")
    assert roles.get(code="auditor").permissions == ["audit.read", "dataset.forget"]
    renew_builtin_roles(using="owner")
    assert roles.get(code="auditor").permissions == sorted(ROLES["auditor"].permissions)
    assert roles.get(code="viewer").is_builtin
    assert roles.get(code="own").permissions == ["dataset.list"]
