"""Roles of a tenant's own: made of what their maker holds, inherited without circles, in force at once."""

from uuid import uuid4

import pytest

from access.errors import AccessDenied, GrantTooWide, NameTaken
from access.factors.errors import StepUpRequired
from access.models import Role, RoleInheritance, User
from access.policy.builtin import ROLES
from access.principals.errors import (
    BuiltinRoleFixed,
    ExternalSystemTooWide,
    HierarchyTooDeep,
    RoleCycle,
    RoleInUse,
    RoleNotFound,
)
from access.selectors import user_principal
from access.services.authorize import authorize
from access.services.grants import bind_role
from access.services.policies_in_force import policies_in_force
from access.services.role_graph import MOST_STEPS, worth_of
from access.services.roles import change_role, create_role, delete_role, get_role, list_roles
from access.services.service_accounts import create_service_account
from access.services.tenants import operator, renew_builtin_roles
from tests.factories.access import acting, make_user, principal_with
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.events.event import ResourceRef


def role_of(tenant, code, *, principal=None, **facts):
    by = principal or operator(tenant.pk)
    with acting(tenant, by):
        return create_role(by, code=code, name=code.title(), **facts)


def now(tenant, user):
    with acting(tenant):
        return user_principal(User.objects.get(pk=user.pk))


def test_a_role_is_made_of_the_catalogue_and_gives_what_it_says(tenant, events):
    role_of(tenant, "lister", permissions=["dataset.list", "purpose.read"])
    holder = now(tenant, make_user(tenant, "lister"))
    assert (holder.roles, holder.permissions) == ({"lister"}, {"dataset.list", "purpose.read"})
    (made,) = [stored.event for stored in events if stored.event.type == "access.role.changed"]
    assert (made.metadata["act"], made.metadata["role"]) == ("made", "lister")


def test_an_heir_permits_what_it_inherits_at_whatever_distance_and_has_its_codes(tenant):
    role_of(tenant, "base", permissions=["dataset.list"])
    role_of(tenant, "middle", permissions=["purpose.read"], inherits=["base"])
    role_of(tenant, "top", permissions=["user.read"], inherits=["middle", "viewer"])
    holder = now(tenant, make_user(tenant, "top"))
    assert holder.roles == {"top", "middle", "base", "viewer"}
    assert holder.permissions == {"dataset.list", "purpose.read", "user.read"} | ROLES["viewer"].permissions


def test_a_change_reaches_every_heir_with_the_next_request_and_gives_a_new_epoch(tenant):
    base = role_of(tenant, "base", permissions=["dataset.list", "user.read"])
    role_of(tenant, "top", inherits=["base"])
    user = make_user(tenant, "top")
    with acting(tenant):
        before = policies_in_force().stamp
    with acting(tenant, now(tenant, user)):
        authorize(now(tenant, user), "user.read", ResourceRef("user"))
    with acting(tenant):
        change_role(operator(tenant.pk), role_id=base.pk, permissions=["dataset.list"])
    with acting(tenant):
        assert policies_in_force().stamp != before
    with acting(tenant, now(tenant, user)), pytest.raises(AccessDenied):
        authorize(now(tenant, user), "user.read", ResourceRef("user"))


def test_nobody_makes_a_role_of_what_they_do_not_hold(tenant):
    """Who manages roles may give a role that reads raw, and yet cannot make one."""
    boss = principal_with(tenant, "tenant_admin")
    for facts in ({"permissions": ["record.read.raw"]}, {"inherits": ["data_steward"]}):
        with pytest.raises(GrantTooWide):
            role_of(tenant, f"wide_{uuid4().hex[:6]}", principal=boss, **facts)
    mine = role_of(tenant, "mine", principal=boss, permissions=["record.read.masked", "user.manage"])
    with acting(tenant, boss), pytest.raises(GrantTooWide):
        change_role(boss, role_id=mine.pk, permissions=["record.read.raw"])
    with acting(tenant):
        assert not Role.objects.filter(code__startswith="wide_").exists()
        assert get_role(operator(tenant.pk), role_id=mine.pk).permissions == ["record.read.masked", "user.manage"]


def test_less_can_be_left_in_a_role_by_who_does_not_hold_the_rest(tenant):
    boss = principal_with(tenant, "tenant_admin")
    wide = role_of(tenant, "wide", permissions=["record.read.raw", "dataset.list", "user.read"])
    with acting(tenant, boss):
        assert change_role(boss, role_id=wide.pk, permissions=["record.read.raw", "dataset.list"]).permissions == [
            "dataset.list",
            "record.read.raw",
        ]


def test_scopes_of_a_credential_limit_what_it_puts_into_a_role(tenant):
    narrow = principal_with(tenant, "tenant_admin", kind="service", scopes=frozenset({"role.manage"}))
    with pytest.raises(GrantTooWide):
        role_of(tenant, "more", principal=narrow, permissions=["user.manage"])


def test_inheritance_has_no_circle_whoever_closes_it(tenant):
    a = role_of(tenant, "aa")
    role_of(tenant, "bb", inherits=["aa"])
    role_of(tenant, "cc", inherits=["bb"])
    for heir in ("aa", "bb", "cc"):
        with acting(tenant), pytest.raises(RoleCycle):
            change_role(operator(tenant.pk), role_id=a.pk, inherits=[heir])
    with acting(tenant):
        assert not RoleInheritance.objects.filter(heir=a).exists()


def test_inheritance_goes_so_many_steps_and_no_further(tenant):
    role_of(tenant, "step_0")
    for number in range(1, MOST_STEPS + 1):
        role_of(tenant, f"step_{number}", inherits=[f"step_{number - 1}"])
    with pytest.raises(HierarchyTooDeep):
        role_of(tenant, "one_more", inherits=[f"step_{MOST_STEPS}"])
    with acting(tenant):
        bottom = Role.objects.get(code="step_0")
        role_of_root = Role(id=uuid4(), code="root")
        assert worth_of([bottom, role_of_root], [])[bottom.pk].steps == 0
        root = create_role(operator(tenant.pk), code="root", name="Root")
    with acting(tenant), pytest.raises(HierarchyTooDeep):
        change_role(operator(tenant.pk), role_id=bottom.pk, inherits=[root.code])


def test_a_role_that_is_held_or_inherited_stays(tenant):
    held, inherited, free = (role_of(tenant, code) for code in ("held", "inherited", "free"))
    make_user(tenant, "held")
    role_of(tenant, "heir", inherits=["inherited"])
    for role in (held, inherited):
        with acting(tenant), pytest.raises(RoleInUse):
            delete_role(operator(tenant.pk), role_id=role.pk)
    with acting(tenant):
        delete_role(operator(tenant.pk), role_id=free.pk)
        with pytest.raises(RoleNotFound):
            get_role(operator(tenant.pk), role_id=free.pk)


def test_roles_that_come_with_the_vault_are_those_of_its_release(tenant):
    with acting(tenant):
        viewer = Role.objects.get(code="viewer")
        for act, facts in ((change_role, {"permissions": ["user.manage"]}), (delete_role, {})):
            with pytest.raises(BuiltinRoleFixed):
                act(operator(tenant.pk), role_id=viewer.pk, **facts)


def test_a_release_renews_what_inherits_its_roles(tenant):
    heir = role_of(tenant, "heir", inherits=["viewer"])
    Role.objects.using("owner").filter(pk=heir.pk).update(permissions=["user.manage"])
    renew_builtin_roles(using="owner")
    assert set(Role.objects.using("owner").get(pk=heir.pk).permissions) == ROLES["viewer"].permissions


@pytest.mark.parametrize(
    "facts",
    [
        {"code": "Über"},
        {"code": "a"},
        {"code": "x y"},
        {"name": ""},
        {"name": "a\tb"},
        {"description": "x" * 301},
        {"permissions": ["do.everything"]},
        {"inherits": ["nobody"]},
    ],
)
def test_a_role_that_says_nonsense_is_refused(tenant, facts):
    with acting(tenant), pytest.raises(InvalidInput):
        create_role(operator(tenant.pk), **({"code": "fine", "name": "Fine"} | facts))


def test_codes_are_unique_also_among_those_that_come_with_the_vault(tenant):
    with pytest.raises(NameTaken):
        role_of(tenant, "viewer")


def test_roles_are_seen_by_governance_and_changed_by_who_manages_them(tenant):
    for role in ("auditor", "privacy_officer", "security_officer"):
        reader = principal_with(tenant, role)
        with acting(tenant, reader):
            assert {one.code for one in list_roles(reader)} >= set(ROLES)
        with acting(tenant, reader), pytest.raises(AccessDenied):
            create_role(reader, code="mine", name="Mine")
    stale = principal_with(tenant, "tenant_admin", authenticated_at=None)
    with acting(tenant, stale), pytest.raises(StepUpRequired):
        create_role(stale, code="mine", name="Mine")


def test_another_tenants_role_is_not_there(tenant, rival):
    theirs = role_of(rival, "theirs", permissions=["user.read"])
    with acting(tenant):
        for act, facts in ((get_role, {}), (change_role, {"name": "x"}), (delete_role, {})):
            with pytest.raises(RoleNotFound):
                act(operator(tenant.pk), role_id=theirs.pk, **facts)
        with pytest.raises(InvalidInput):
            create_role(operator(tenant.pk), code="heir", name="Heir", inherits=["theirs"])


def test_a_system_of_others_administers_nothing(tenant):
    with acting(tenant):
        system = create_service_account(operator(tenant.pk), name="catalog", kind="external", roles=["service"])
        for role in ("tenant_admin", "data_steward", "security_officer"):
            with pytest.raises(ExternalSystemTooWide):
                bind_role(operator(tenant.pk), role=role, service_account_id=system.pk)
        with pytest.raises(ExternalSystemTooWide):
            create_service_account(operator(tenant.pk), name="other", kind="external", roles=["tenant_admin"])
        bind_role(operator(tenant.pk), role="analyst", service_account_id=system.pk)
