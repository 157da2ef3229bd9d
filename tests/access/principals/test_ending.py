"""T18: with a person's access ends all they could act by, and what streams under it, within a second."""

import time
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from access.auth.access_tokens import Surface
from access.errors import AccessDenied, GrantTooWide
from access.leases.errors import LeaseEnded
from access.models import ApiKey, Delegation, Lease, RoleBinding, TokenFamily, User, VaultSession
from access.selectors import api_key_principal, family_principal, live_sessions, still_holds, user_principal
from access.services.api_keys import create_api_key
from access.services.delegations import delegate
from access.services.deprovisioning import deactivate_user, reactivate_user
from access.services.ending import end_access_without_role
from access.services.grants import bind_role, revoke_binding
from access.services.groups import delete_group, remove_members
from access.services.tenants import operator
from access.services.tokens import begin_family
from access.services.users import set_attributes
from datasets.services.read import stream_data
from tests.access.principals.test_groups import group_with
from tests.factories.access import acting, make_user, principal_with, sign_in
from tests.factories.datasets import jsonl, make_dataset, rows_of, upload
from tests.factories.leases import PURPOSE, lease_for, open_as, person
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.tenancy.principal import RequestFacts

#: Lines of 20 ms and more that are read in a second, and as many again for a look at the database.
AT_MOST = 100


@pytest.fixture
def filled(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(150)))
    return dataset


def by_operator(tenant, act, **facts):
    with acting(tenant):
        act(operator(tenant.pk), **facts)


def now(tenant, user_id, **facts):
    with acting(tenant):
        return user_principal(User.objects.get(pk=user_id), **facts)


def armed(tenant, user, filled):
    """Everything somebody can act by, of one user who holds roles by a group alone."""
    sign_in(tenant, user)
    holder = principal_with(tenant, "tenant_admin", id=user.pk)
    with acting(tenant, holder):
        create_api_key(holder, name="mine", roles=["viewer"])
    with acting(tenant):
        TokenFamily.objects.create(
            user=user, method="password", authenticated_at=Now(), expires_at=Now() + timedelta(hours=1)
        )
        group = group_with(tenant)
        delegate(operator(tenant.pk), user_id=user.pk, group_id=group.pk)
    return lease_for(tenant, filled, now(tenant, user.pk, purpose=PURPOSE))


def left(user):
    """What the user could still act by."""
    return {
        "sessions": VaultSession.objects.filter(user=user).count(),
        "programs": TokenFamily.objects.filter(user=user, revoked_at=None).count(),
        "keys": ApiKey.objects.filter(created_by=user.pk, revoked_at=None).count(),
        "leases": Lease.objects.live().filter(holder=user.pk).count(),
        "delegations": Delegation.objects.filter(user=user).count(),
    }


def test_with_a_person_goes_everything_they_could_act_by(tenant, filled, events):
    user = make_user(tenant, "viewer")
    armed(tenant, user, filled)
    with acting(tenant):
        assert set(left(user).values()) == {1}
        deactivate_user(operator(tenant.pk), user_id=user.pk)
        assert set(left(user).values()) == {0}
    (ended,) = [stored.event for stored in events if stored.event.type == "access.principal.deprovisioned"]
    assert ended.metadata == {
        "reason": "disabled",
        **dict.fromkeys(("sessions", "programs", "keys", "leases", "delegations"), 1),
    }
    with acting(tenant):
        reactivate_user(operator(tenant.pk), user_id=user.pk)
        assert set(left(user).values()) == {0}


@pytest.mark.parametrize("how", ["binding", "membership", "group", "role of the group"])
def test_with_the_last_role_goes_everything_too(tenant, filled, how):
    user = make_user(tenant, "viewer")
    group = group_with(tenant, "viewer", members=[user])
    with acting(tenant):
        own, shared = RoleBinding.objects.get(user=user), RoleBinding.objects.get(group=group)
    armed(tenant, user, filled)
    with acting(tenant):
        if how == "binding":
            remove_members(operator(tenant.pk), group_id=group.pk, user_ids=[user.pk])
        else:
            revoke_binding(operator(tenant.pk), binding_id=own.pk)
        assert set(left(user).values()) == {1}
        if how == "binding":
            revoke_binding(operator(tenant.pk), binding_id=own.pk)
        elif how == "membership":
            remove_members(operator(tenant.pk), group_id=group.pk, user_ids=[user.pk])
        elif how == "group":
            delete_group(operator(tenant.pk), group_id=group.pk)
        else:
            revoke_binding(operator(tenant.pk), binding_id=shared.pk)
        assert set(left(user).values()) == {0}


def test_a_session_lives_by_the_role_of_a_group(tenant):
    user = make_user(tenant, "viewer")
    group = group_with(tenant, "analyst", members=[user])
    sign_in(tenant, user)
    with acting(tenant):
        RoleBinding.objects.filter(user=user).delete()
        assert live_sessions().filter(user=user).exists()
        end_access_without_role([user.pk])
        assert live_sessions().filter(user=user).exists()
        RoleBinding.objects.filter(group=group).update(expires_at=Now())
        assert not live_sessions().filter(user=user).exists()


def cut_after(tenant, dataset, reader, take_away):
    """Lines from taking away to the cut, while somebody reads them one by one without haste."""
    stream = stream_data(open_as(tenant, dataset, reader), reader, RequestFacts())
    next(stream)
    take_away()
    lines = 0
    with pytest.raises((AccessDenied, LeaseEnded)):
        for _ in stream:
            lines += 1
            time.sleep(0.02)
    return lines


def test_who_is_taken_out_of_a_group_is_cut_off(tenant, filled):
    user = make_user(tenant, "viewer")
    group = group_with(tenant, "data_scientist", members=[user])
    reader = now(tenant, user.pk, purpose=PURPOSE)
    leave = {"group_id": group.pk, "user_ids": [user.pk]}
    assert cut_after(tenant, filled, reader, lambda: by_operator(tenant, remove_members, **leave)) < AT_MOST


def test_who_is_cleared_for_less_is_cut_off(tenant, filled):
    user = make_user(tenant, "data_scientist")
    by_operator(tenant, set_attributes, user_id=user.pk, department="research", clearance="high")
    reader = now(tenant, user.pk, purpose=PURPOSE)
    assert dict(reader.attributes) == {"department": "research", "clearance": "high"}
    lower = {"user_id": user.pk, "department": "research", "clearance": "low"}
    assert cut_after(tenant, filled, reader, lambda: by_operator(tenant, set_attributes, **lower)) < AT_MOST


def test_a_key_its_maker_leaves_behind_is_cut_off(tenant, filled):
    """Who makes a key has seen it."""
    maker = person(tenant, "tenant_admin")
    with acting(tenant, maker):
        key, _ = create_api_key(maker, name="left behind", roles=["data_scientist"], default_purpose=PURPOSE)
        reader = api_key_principal(key)
    assert cut_after(tenant, filled, reader, lambda: by_operator(tenant, deactivate_user, user_id=maker.id)) < AT_MOST


def test_an_access_token_of_who_lost_a_group_holds_no_longer(tenant):
    user = make_user(tenant, "viewer")
    group = group_with(tenant, "analyst", members=[user])
    with acting(tenant):
        begin_family(
            user, method="password", mfa=False, authenticated_at=timezone.now(), scopes=[], surface=Surface.REST
        )
        principal = family_principal(TokenFamily.objects.select_related("user").get(user=user))
        assert "statistics.query" in principal.permissions
        assert still_holds(principal)
    by_operator(tenant, remove_members, group_id=group.pk, user_ids=[user.pk])
    with acting(tenant):
        assert not still_holds(principal)


def test_attributes_are_codes_and_nobody_sets_their_own(tenant, events):
    user, boss = make_user(tenant, "viewer"), person(tenant, "tenant_admin")
    for department in ("two words", "x" * 64, "a\nb", "ä"):
        with acting(tenant, boss), pytest.raises(InvalidInput):
            set_attributes(boss, user_id=user.pk, department=department)
    with acting(tenant, boss), pytest.raises(GrantTooWide):
        set_attributes(boss, user_id=boss.id, clearance="top")
    officer = principal_with(tenant, "security_officer")
    steward = make_user(tenant, "data_steward")
    with acting(tenant, officer), pytest.raises(GrantTooWide):
        set_attributes(officer, user_id=steward.pk, clearance="low")
    with acting(tenant, boss):
        set_attributes(boss, user_id=user.pk, clearance="high")
    assert "access.attributes.changed" in {stored.event.type for stored in events}
    assert dict(now(tenant, user.pk).attributes) == {"clearance": "high"}


def test_roles_given_and_taken_are_told(tenant, events):
    user = make_user(tenant, "viewer")
    with acting(tenant):
        binding = bind_role(operator(tenant.pk), role="analyst", user_id=user.pk)
        revoke_binding(operator(tenant.pk), binding_id=binding.pk)
    told = [(one.event.type, one.event.metadata.get("role")) for one in events if "access.role." in one.event.type]
    assert told == [
        ("access.role.granted", "viewer"),
        ("access.role.granted", "analyst"),
        ("access.role.revoked", "analyst"),
    ]
