"""Rules about people and what they may be given."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth import authenticate
from django.utils import timezone

from access.auth.backends import TenantBackend
from access.errors import AccessDenied, BindingNotFound, GrantTooWide, NameTaken, UserNotFound
from access.models import RoleBinding, Tenant, User
from access.policy import admin
from access.policy.builtin import ROLES, RULES, permits
from access.services.deprovisioning import deactivate_user, reactivate_user
from access.services.grants import bind_role, revoke_binding
from access.services.tenants import operator
from access.services.users import change_own_password, create_user, set_password
from tests.factories.access import PASSWORD, acting, make_api_key, make_user, principal_with
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.events.event import Recorded
from vaultsite.kernel.tenancy.principal import Principal


def users_of(tenant: Tenant) -> set[str]:
    return set(User.objects.using("owner").filter(tenant=tenant).values_list("username", flat=True))


def test_a_name_is_unique_in_its_tenant_alone(tenant: Tenant, rival: Tenant) -> None:
    make_user(tenant, username="eve")
    make_user(rival, username="eve")
    with pytest.raises(NameTaken):
        make_user(tenant, username="eve")


@pytest.mark.parametrize(
    ("misfit", "field"),
    [
        ({"username": ""}, "username"),
        ({"username": "x" * 151}, "username"),
        ({"username": " eve"}, "username"),
        ({"username": "e\nve"}, "username"),
        ({"email": "no address"}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "password1234"}, "password"),
        ({"username": "long-user-name", "password": "long-user-name"}, "password"),
        ({"roles": ["emperor"]}, "roles"),
    ],
)
def test_a_misfit_is_named_and_nothing_stored(tenant: Tenant, misfit: dict, field: str) -> None:
    with pytest.raises(InvalidInput) as raised, acting(tenant):
        create_user(operator(tenant.pk), **({"username": "eve", "password": PASSWORD, "roles": ["viewer"]} | misfit))
    assert {problem.field for problem in raised.value.errors} == {field}
    assert users_of(tenant) == set()


def test_only_who_manages_users_makes_them(tenant: Tenant) -> None:
    steward = principal_with(tenant, "data_steward")
    with pytest.raises(AccessDenied), acting(tenant, steward):
        create_user(steward, username="eve", password=PASSWORD)
    assert users_of(tenant) == set()


def test_nobody_gives_more_than_they_have(tenant: Tenant) -> None:
    officer = principal_with(tenant, "security_officer")
    with pytest.raises(GrantTooWide), acting(tenant, officer):
        create_user(officer, username="eve", password=PASSWORD, roles=["data_steward"])
    assert users_of(tenant) == set()
    with acting(tenant, officer):
        create_user(officer, username="eve", password=PASSWORD, roles=["security_officer"])


def test_who_manages_roles_gives_any(tenant: Tenant) -> None:
    boss = principal_with(tenant, "tenant_admin")
    with acting(tenant, boss):
        user = create_user(boss, username="eve", password=PASSWORD, roles=["data_steward"])
        assert "record.write" in user.permissions


def test_nobody_gives_a_role_to_themselves(tenant: Tenant) -> None:
    user = make_user(tenant, "tenant_admin")
    principal = principal_with(tenant, "tenant_admin", id=user.pk)
    with pytest.raises(GrantTooWide), acting(tenant, principal):
        bind_role(principal, role="data_steward", user_id=user.pk)
    assert RoleBinding.objects.using("owner").filter(user=user).count() == 1


def test_the_password_of_who_may_do_more_cannot_be_reset(tenant: Tenant) -> None:
    steward, officer = make_user(tenant, "data_steward"), principal_with(tenant, "security_officer")
    for service, facts in (
        (set_password, {"password": "another long secret 8"}),
        (deactivate_user, {}),
        (reactivate_user, {}),
    ):
        with pytest.raises(GrantTooWide), acting(tenant, officer):
            service(officer, user_id=steward.pk, **facts)
    stored = User.objects.using("owner").get(pk=steward.pk)
    assert (stored.is_active, stored.password) == (True, steward.password)


@pytest.mark.parametrize("is_active", [True, False])
def test_managing_roles_does_not_open_the_account_of_who_may_do_more(tenant: Tenant, is_active: bool) -> None:
    steward, boss = make_user(tenant, "data_steward"), principal_with(tenant, "tenant_admin")
    if not is_active:
        with acting(tenant, boss):
            deactivate_user(boss, user_id=steward.pk)
    with pytest.raises(GrantTooWide), acting(tenant, boss):
        set_password(boss, user_id=steward.pk, password="another long secret 8")
    assert User.objects.using("owner").get(pk=steward.pk).password == steward.password
    for role in ("tenant_admin", "data_scientist", "analyst"):
        with acting(tenant, boss):
            set_password(boss, user_id=make_user_in_scope(boss, role).pk, password="another long secret 8")


def make_user_in_scope(principal: Principal, role: str) -> User:
    return create_user(principal, username=f"user-{uuid4().hex[:8]}", password=PASSWORD, roles=[role])


def test_the_audit_names_who_was_made_and_which_roles_they_got(tenant: Tenant, events: list[Recorded]) -> None:
    end = timezone.now() + timedelta(hours=1)
    user = make_user(tenant, "viewer")
    with acting(tenant):
        binding = bind_role(operator(tenant.pk), role="auditor", user_id=user.pk, expires_at=end)
    with acting(tenant):
        revoke_binding(operator(tenant.pk), binding_id=binding.pk)
    made, *bound = [
        stored.event for stored in events if stored.event.metadata.get("action") in {"user.manage", "role.manage"}
    ]
    assert (made.resource.type, made.resource.id, made.metadata["roles"]) == ("user", str(user.pk), ["viewer"])
    assert [event.resource.id for event in bound] == [str(binding.pk)] * 2
    for event in bound:
        assert event.metadata["user_id"] == str(user.pk)
        assert event.metadata["roles"] == ["auditor"]
        assert event.metadata["expires_at"] == end.isoformat()


def test_a_binding_ends_at_its_moment(tenant: Tenant) -> None:
    user = make_user(tenant, "viewer")
    with acting(tenant):
        bind_role(operator(tenant.pk), role="auditor", user_id=user.pk, expires_at=timezone.now() + timedelta(hours=1))
        bind_role(operator(tenant.pk), role="analyst", user_id=user.pk, expires_at=timezone.now() - timedelta(hours=1))
    with acting(tenant):
        assert set(User.objects.get(pk=user.pk).live_roles()) == {"viewer", "auditor"}


def test_giving_a_role_again_moves_its_end(tenant: Tenant) -> None:
    user = make_user(tenant, "viewer")
    with acting(tenant):
        bind_role(operator(tenant.pk), role="viewer", user_id=user.pk, expires_at=timezone.now())
    bindings = RoleBinding.objects.using("owner").filter(user=user)
    assert bindings.count() == 1
    assert bindings.get().expires_at is not None


def test_a_binding_names_exactly_one_holder(tenant: Tenant) -> None:
    user, (key, _) = make_user(tenant), make_api_key(tenant)
    for holders in ({}, {"user_id": user.pk, "api_key_id": key.pk}):
        with pytest.raises(InvalidInput), acting(tenant):
            bind_role(operator(tenant.pk), role="viewer", **holders)


def test_what_is_another_tenant_s_does_not_exist(tenant: Tenant, rival: Tenant) -> None:
    user = make_user(tenant)
    binding = RoleBinding.objects.using("owner").get(user=user)
    boss = operator(rival.pk)
    for refusal, service, facts in (
        (UserNotFound, bind_role, {"role": "viewer", "user_id": user.pk}),
        (UserNotFound, deactivate_user, {"user_id": user.pk}),
        (UserNotFound, set_password, {"user_id": user.pk, "password": "another long secret 8"}),
        (BindingNotFound, revoke_binding, {"binding_id": binding.pk}),
    ):
        with pytest.raises(refusal) as foreign, acting(rival):
            service(boss, **facts)
        random = {name: uuid4() if name.endswith("_id") else value for name, value in facts.items()}
        with pytest.raises(refusal) as unknown, acting(rival):
            service(boss, **random)
        assert foreign.value.as_problem() == unknown.value.as_problem()


def test_one_s_own_password_needs_the_current_one(tenant: Tenant) -> None:
    user = make_user(tenant, "viewer", must_change_password=True)
    principal = principal_with(tenant, "viewer", id=user.pk)
    with pytest.raises(AccessDenied), acting(tenant, principal):
        change_own_password(principal, current="a wrong but long secret", password="another long secret 8")
    with acting(tenant, principal):
        change_own_password(principal, current=PASSWORD, password="another long secret 8")
    assert User.objects.using("owner").get(pk=user.pk).must_change_password is False
    assert authenticate(None, tenant_slug=tenant.slug, username=user.username, password="another long secret 8") == user


def test_django_s_questions_are_answered_by_the_roles(tenant: Tenant) -> None:
    user = make_user(tenant, "auditor")
    with acting(tenant):
        user = User.objects.get(pk=user.pk)
        assert user.is_staff
        assert user.has_perm("access.view_user")
        assert not user.has_perm("access.add_user")
        assert not user.has_perm("access.delete_user")
        assert user.has_perms(["access.view_role", "audit.view_auditevent"])
        assert user.has_module_perms("access")
        assert not user.has_perm("nonsense")
        assert not user.has_perm("auth.view_group")


def test_a_disabled_user_has_no_permissions(tenant: Tenant) -> None:
    user = make_user(tenant, "tenant_admin")
    with acting(tenant):
        user.is_active = False
        assert (user.permissions, user.is_staff, user.has_perm("access.view_user")) == (frozenset(), False, False)


def test_the_admin_asks_for_actions_that_exist() -> None:
    asked = {action for actions in admin.ACTIONS.values() for action in actions if action}
    assert asked <= set(RULES)
    assert all(any(permits(role.permissions, action) for role in ROLES.values()) for action in asked)


def test_outside_a_scope_nobody_is_known(tenant: Tenant, rival: Tenant) -> None:
    user = make_user(tenant)
    assert TenantBackend().get_user(user.pk) is None
    with acting(rival):
        assert TenantBackend().get_user(user.pk) is None
    with acting(tenant):
        assert TenantBackend().get_user(user.pk) == user
