"""Delegated administration: one group or one role, worth no more than what the delegate holds."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from access.errors import AccessDenied, GrantTooWide, UserNotFound
from access.factors.errors import StepUpRequired
from access.models import Delegation, Role, RoleBinding
from access.principals.errors import DelegationNotFound, GroupNotFound, RoleNotFound
from access.services.delegations import delegate, end_delegation, list_delegations
from access.services.grants import bind_role, revoke_binding
from access.services.groups import add_members, change_group, remove_members
from access.services.tenants import operator
from tests.access.principals.test_groups import group_with
from tests.factories.access import acting, age, make_user, principal_with
from tests.factories.leases import person
from vaultsite.kernel.errors import InvalidInput


def role_id(tenant, code):
    with acting(tenant):
        return Role.objects.get(code=code).pk


def delegated(tenant, to, **what):
    with acting(tenant):
        return delegate(operator(tenant.pk), user_id=to.id, **what)


def test_a_delegate_fills_their_group_and_no_other(tenant, events):
    lead, user = person(tenant, "data_scientist"), make_user(tenant, "viewer")
    team, other = group_with(tenant, "viewer"), group_with(tenant, "viewer")
    delegated(tenant, lead, group_id=team.pk)
    with acting(tenant, lead):
        assert add_members(lead, group_id=team.pk, user_ids=[user.pk]) == 1
        assert remove_members(lead, group_id=team.pk, user_ids=[user.pk]) == 1
    for act, facts in (
        (add_members, {"group_id": other.pk, "user_ids": [user.pk]}),
        (change_group, {"group_id": team.pk, "display_name": "mine"}),
    ):
        with acting(tenant, lead), pytest.raises(AccessDenied):
            act(lead, **facts)
    assert "access.delegation.changed" in {stored.event.type for stored in events}


def test_a_delegate_gives_nothing_worth_more_than_what_they_hold(tenant):
    lead, user = person(tenant, "data_scientist"), make_user(tenant, "viewer")
    wide = group_with(tenant, "data_steward")
    delegated(tenant, lead, group_id=wide.pk)
    delegated(tenant, lead, role_id=role_id(tenant, "data_steward"))
    with acting(tenant, lead), pytest.raises(GrantTooWide):
        add_members(lead, group_id=wide.pk, user_ids=[user.pk])
    with acting(tenant, lead), pytest.raises(GrantTooWide):
        bind_role(lead, role="data_steward", user_id=user.pk)
    with acting(tenant, lead), pytest.raises(GrantTooWide):
        add_members(lead, group_id=wide.pk, user_ids=[lead.id])


def test_a_delegate_gives_and_takes_their_role_to_and_from_people(tenant):
    lead, user = person(tenant, "data_scientist"), make_user(tenant, "viewer")
    group = group_with(tenant)
    delegated(tenant, lead, role_id=role_id(tenant, "data_scientist"))
    with acting(tenant, lead):
        binding = bind_role(lead, role="data_scientist", user_id=user.pk)
        revoke_binding(lead, binding_id=binding.pk)
    for facts in (
        {"role": "analyst", "user_id": user.pk},
        {"role": "data_scientist", "group_id": group.pk},
        {"role": "data_scientist", "user_id": user.pk, "group_id": group.pk},
    ):
        with acting(tenant, lead), pytest.raises((AccessDenied, InvalidInput)):
            bind_role(lead, **facts)
    with acting(tenant):
        assert set(RoleBinding.objects.filter(user=user).values_list("role__code", flat=True)) == {"viewer"}


def test_a_delegation_ends_with_its_time_and_when_it_is_taken_back(tenant):
    lead, user = person(tenant, "viewer"), make_user(tenant, "viewer")
    group = group_with(tenant)
    row = delegated(tenant, lead, group_id=group.pk, expires_at=timezone.now() + timedelta(hours=1))
    with acting(tenant, lead):
        add_members(lead, group_id=group.pk, user_ids=[user.pk])
    age(row, expires_at=timedelta(seconds=1))
    with acting(tenant, lead), pytest.raises(AccessDenied):
        remove_members(lead, group_id=group.pk, user_ids=[user.pk])
    again = delegated(tenant, lead, group_id=group.pk)
    assert again.pk == row.pk
    with acting(tenant):
        assert [one.pk for one in list_delegations(operator(tenant.pk))] == [row.pk]
        end_delegation(operator(tenant.pk), delegation_id=row.pk)
        with pytest.raises(DelegationNotFound):
            end_delegation(operator(tenant.pk), delegation_id=row.pk)
    with acting(tenant, lead), pytest.raises(AccessDenied):
        remove_members(lead, group_id=group.pk, user_ids=[user.pk])


def test_delegations_are_made_by_who_manages_roles_and_never_for_themselves(tenant):
    group, user = group_with(tenant), make_user(tenant)
    boss = principal_with(tenant, "tenant_admin", id=make_user(tenant, "tenant_admin").pk)
    officer = principal_with(tenant, "security_officer")
    stale = principal_with(tenant, "tenant_admin", authenticated_at=None)
    for by, facts, refusal in (
        (officer, {"user_id": user.pk, "group_id": group.pk}, AccessDenied),
        (stale, {"user_id": user.pk, "group_id": group.pk}, StepUpRequired),
        (boss, {"user_id": boss.id, "group_id": group.pk}, GrantTooWide),
        (boss, {"user_id": uuid4(), "group_id": group.pk}, UserNotFound),
        (boss, {"user_id": user.pk, "group_id": uuid4()}, GroupNotFound),
        (boss, {"user_id": user.pk, "role_id": uuid4()}, RoleNotFound),
        (boss, {"user_id": user.pk}, InvalidInput),
    ):
        with acting(tenant, by), pytest.raises(refusal):
            delegate(by, **facts)
    with acting(tenant):
        assert not Delegation.objects.exists()


def test_a_delegate_proves_anew_who_they_are(tenant):
    lead = person(tenant, "viewer")
    group = group_with(tenant)
    delegated(tenant, lead, group_id=group.pk)
    stale = principal_with(tenant, "viewer", id=lead.id, authenticated_at=None)
    with acting(tenant, stale), pytest.raises(StepUpRequired):
        add_members(stale, group_id=group.pk, user_ids=[make_user(tenant).pk])
