"""Groups: what they hold their members hold, and nobody gives by a group what they could not give otherwise."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from access.errors import AccessDenied, GrantTooWide, NameTaken, UserNotFound
from access.factors.errors import StepUpRequired
from access.models import Group, GroupMembership, RoleBinding, User
from access.principals.errors import GroupNotFound
from access.selectors import api_key_principal, roles_of, user_principal
from access.services.api_keys import create_api_key
from access.services.delegations import delegate
from access.services.grants import bind_role, revoke_binding
from access.services.groups import (
    add_members,
    change_group,
    create_group,
    delete_group,
    get_group,
    list_groups,
    remove_members,
    set_members,
)
from access.services.memberships import set_groups, set_roles
from access.services.tenants import operator
from access.services.users import set_attributes
from datasets.errors import DatasetNotFound
from datasets.services.group_permissions import grant_to_group, list_group_permissions, revoke_from_group
from tests.factories.access import acting, make_user, principal_with
from tests.factories.datasets import jsonl, make_dataset, rows_of, upload
from tests.factories.leases import open_as, person
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.tenancy.principal import Principal


def group_with(tenant, *roles, members=(), name=""):
    with acting(tenant):
        group = create_group(operator(tenant.pk), display_name=name or f"group {uuid4().hex[:8]}")
        for role in roles:
            bind_role(operator(tenant.pk), role=role, group_id=group.pk)
        if members:
            add_members(operator(tenant.pk), group_id=group.pk, user_ids=[member.pk for member in members])
    return group


def now(tenant, user) -> Principal:
    with acting(tenant):
        return user_principal(User.objects.get(pk=user.pk))


def test_a_member_holds_what_the_group_holds_until_they_leave_it(tenant, events):
    user = make_user(tenant, "viewer")
    group = group_with(tenant, "data_steward", members=[user])
    member = now(tenant, user)
    assert member.roles == {"viewer", "data_steward"}
    assert "record.read.raw" in member.permissions
    assert member.groups == {group.pk}
    with acting(tenant):
        assert remove_members(operator(tenant.pk), group_id=group.pk, user_ids=[user.pk]) == 1
    assert now(tenant, user).roles == {"viewer"}
    told = [stored.event.metadata["act"] for stored in events if stored.event.type == "access.group.changed"]
    assert told == ["made", "members_added", "members_removed"]


def test_a_role_taken_from_the_group_is_taken_from_its_members(tenant):
    user = make_user(tenant, "viewer")
    group = group_with(tenant, "analyst", members=[user])
    with acting(tenant):
        binding = RoleBinding.objects.get(group=group)
        assert roles_of(User.objects.get(pk=user.pk)) == {"viewer", "analyst"}
        revoke_binding(operator(tenant.pk), binding_id=binding.pk)
    assert now(tenant, user).roles == {"viewer"}


def test_a_group_shows_the_roles_it_gives_now_in_one_query_for_all_groups(tenant, django_assert_num_queries):
    made = [group_with(tenant, "analyst", "viewer") for _ in range(3)]
    with acting(tenant):
        over = RoleBinding.objects.get(group=made[0], role__code="analyst")
        RoleBinding.objects.filter(pk=over.pk).update(expires_at=timezone.now() - timedelta(hours=1))
        boss = operator(tenant.pk)
        changed = change_group(boss, group_id=made[0].pk, description="Changed")
        for group in (changed, get_group(boss, group_id=made[0].pk)):
            assert [one.role.code for one in group.bindings.all()] == ["viewer"]
        listed = list_groups(boss)
        with django_assert_num_queries(0):
            held = {group.pk: sorted(one.role.code for one in group.bindings.all()) for group in listed}
    assert held == {made[0].pk: ["viewer"]} | {one.pk: ["analyst", "viewer"] for one in made[1:]}


def test_groups_are_made_changed_listed_and_removed(tenant):
    boss = principal_with(tenant, "tenant_admin")
    with acting(tenant, boss):
        group = create_group(boss, display_name="Research", description="All of it", external_id="ext-1")
        changed = change_group(boss, group_id=group.pk, display_name="Research and more")
        assert (changed.display_name, changed.description, changed.external_id) == (
            "Research and more",
            "All of it",
            "ext-1",
        )
        assert changed.updated_at >= changed.created_at
        assert [one.display_name for one in list_groups(boss)] == ["Research and more"]
        delete_group(boss, group_id=group.pk)
        with pytest.raises(GroupNotFound):
            get_group(boss, group_id=group.pk)


@pytest.mark.parametrize("facts", [{"display_name": " "}, {"display_name": "a\nb"}, {"display_name": "x" * 101}])
def test_a_group_has_a_name_that_can_be_shown(tenant, facts):
    with acting(tenant), pytest.raises(InvalidInput):
        create_group(operator(tenant.pk), **facts)


def test_two_groups_have_neither_name_nor_external_id_in_common(tenant):
    with acting(tenant):
        create_group(operator(tenant.pk), display_name="one", external_id="x")
        with pytest.raises(NameTaken):
            create_group(operator(tenant.pk), display_name="one")
        with pytest.raises(NameTaken):
            create_group(operator(tenant.pk), display_name="two", external_id="x")


def test_who_may_not_give_the_roles_of_a_group_puts_nobody_into_it(tenant):
    """The security officer manages people and groups, and reads no records."""
    officer, user = principal_with(tenant, "security_officer"), make_user(tenant, "viewer")
    wide, narrow = group_with(tenant, "data_steward"), group_with(tenant)
    for act in (add_members, remove_members, set_members):
        with acting(tenant, officer), pytest.raises(GrantTooWide):
            act(officer, group_id=wide.pk, user_ids=[user.pk])
    with acting(tenant, officer):
        assert add_members(officer, group_id=narrow.pk, user_ids=[user.pk]) == 1
        with pytest.raises(UserNotFound):
            add_members(officer, group_id=narrow.pk, user_ids=[uuid4()])
        with pytest.raises(AccessDenied):
            bind_role(officer, role="data_steward", group_id=narrow.pk)


def test_nobody_joins_or_leaves_a_group_by_their_own_hand(tenant):
    """Leaving is as good as being given: a policy may forbid something to the members of a group."""
    user = make_user(tenant, "tenant_admin")
    boss = principal_with(tenant, "tenant_admin", id=user.pk)
    group = group_with(tenant, "data_steward")
    with acting(tenant, boss), pytest.raises(GrantTooWide):
        add_members(boss, group_id=group.pk, user_ids=[user.pk])
    inside = group_with(tenant, "viewer", members=[user])
    member = principal_with(tenant, "tenant_admin", id=user.pk, groups=frozenset({inside.pk}))
    with acting(tenant, member), pytest.raises(GrantTooWide):
        remove_members(member, group_id=inside.pk, user_ids=[user.pk])
    with acting(tenant, member), pytest.raises(GrantTooWide):
        bind_role(member, role="data_steward", group_id=inside.pk)


def test_nobody_gives_to_themselves_by_a_program_of_theirs(tenant):
    """Who makes a key holds it, and what it gives to its maker is given to oneself."""
    boss = person(tenant, "tenant_admin")
    with acting(tenant, boss):
        key, _ = create_api_key(boss, name="mine", roles=["tenant_admin"])
        program = api_key_principal(key)
    theirs, other = group_with(tenant, members=[User(pk=boss.id)]), group_with(tenant, "data_steward")
    for act, facts in (
        (bind_role, {"role": "data_steward", "user_id": boss.id}),
        (bind_role, {"role": "data_steward", "group_id": theirs.pk}),
        (add_members, {"group_id": other.pk, "user_ids": [boss.id]}),
        (set_attributes, {"user_id": boss.id, "clearance": "top"}),
        (delegate, {"user_id": boss.id, "group_id": other.pk}),
    ):
        with acting(tenant, program), pytest.raises(GrantTooWide):
            act(program, **facts)
    assert now(tenant, User(pk=boss.id)).roles == {"tenant_admin"}


def test_groups_ask_for_a_fresh_proof(tenant):
    stale = principal_with(tenant, "tenant_admin", authenticated_at=None)
    group = group_with(tenant)
    for act, facts in (
        (create_group, {"display_name": "x"}),
        (delete_group, {"group_id": group.pk}),
        (add_members, {"group_id": group.pk, "user_ids": []}),
    ):
        with acting(tenant, stale), pytest.raises(StepUpRequired):
            act(stale, **facts)


def test_a_mapping_keeps_its_own_memberships_and_no_others(tenant):
    user = make_user(tenant, "viewer")
    by_hand, mapped, other = group_with(tenant, members=[user]), group_with(tenant), group_with(tenant)
    with acting(tenant):
        set_groups(user, [by_hand.pk, mapped.pk, uuid4()], source="idp:1")
        assert dict(GroupMembership.objects.filter(user=user).values_list("group_id", "source")) == {
            by_hand.pk: "",
            mapped.pk: "idp:1",
        }
        set_groups(user, [other.pk], source="idp:2")
        set_groups(user, [], source="idp:1")
        assert set(GroupMembership.objects.filter(user=user).values_list("group_id", flat=True)) == {
            by_hand.pk,
            other.pk,
        }
        # What somebody then does by hand outlasts the mapping.
        add_members(operator(tenant.pk), group_id=other.pk, user_ids=[user.pk])
        set_groups(user, [], source="idp:2")
        assert GroupMembership.objects.filter(user=user, group=other, source="").exists()


def test_a_mapping_keeps_its_own_roles_and_no_others(tenant):
    user = make_user(tenant, "viewer")
    with acting(tenant):
        analyst = bind_role(operator(tenant.pk), role="analyst", user_id=make_user(tenant).pk).role
        viewer = RoleBinding.objects.get(user=user).role
        set_roles(user, [analyst.pk, viewer.pk], source="idp:1")
        assert roles_of(User.objects.get(pk=user.pk)) == {"viewer", "analyst"}
        set_roles(user, [], source="idp:1")
        assert roles_of(User.objects.get(pk=user.pk)) == {"viewer"}


def test_another_tenants_group_is_not_there(tenant, rival):
    theirs = group_with(rival)
    user = make_user(tenant)
    with acting(tenant):
        for act, facts in (
            (get_group, {}),
            (change_group, {"display_name": "mine"}),
            (delete_group, {}),
            (add_members, {"user_ids": [user.pk]}),
        ):
            with pytest.raises(GroupNotFound):
                act(operator(tenant.pk), group_id=theirs.pk, **facts)
        set_groups(user, [theirs.pk], source="idp:1")
        assert not GroupMembership.objects.filter(user=user).exists()


def test_a_permission_of_a_group_opens_a_dataset_to_its_members_alone(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(3)))
    steward = person(tenant, "data_steward")
    with acting(tenant):
        role = RoleBinding.objects.filter(user=steward.id).get().role
        role.pk, role.code, role.permissions, role.is_builtin = uuid4(), "nothing_much", ["purpose.read"], False
        role.save(force_insert=True)
    reader, other = person(tenant, "nothing_much"), person(tenant, "nothing_much")
    group = group_with(tenant, members=[User(pk=reader.id)])
    with acting(tenant, steward):
        grant_to_group(steward, dataset_id=dataset.pk, group_id=group.pk, level="read_masked")
        assert [row.holder_id for row in list_group_permissions(dataset)] == [group.pk]
    inside = person_now(tenant, reader)
    assert open_as(tenant, dataset, inside) is not None
    with pytest.raises(DatasetNotFound):
        open_as(tenant, dataset, other)
    with acting(tenant, steward):
        assert revoke_from_group(steward, dataset_id=dataset.pk, group_id=group.pk) == 1
    with pytest.raises(DatasetNotFound):
        open_as(tenant, dataset, inside)


def person_now(tenant, reader):
    with acting(tenant):
        return user_principal(User.objects.get(pk=reader.id), purpose=reader.purpose, mfa=True)


def test_a_permission_of_a_group_is_given_by_who_has_it_and_makes_the_group_worth_it(tenant):
    dataset = make_dataset(tenant)
    group = group_with(tenant)
    steward, officer = person(tenant, "data_steward"), principal_with(tenant, "security_officer")
    with acting(tenant, steward), pytest.raises(GroupNotFound):
        grant_to_group(steward, dataset_id=dataset.pk, group_id=uuid4(), level="view")
    with acting(tenant, steward):
        grant_to_group(steward, dataset_id=dataset.pk, group_id=group.pk, level="read_raw")
    with acting(tenant, officer), pytest.raises(GrantTooWide):
        add_members(officer, group_id=group.pk, user_ids=[make_user(tenant).pk])
    with acting(tenant):
        delete_group(operator(tenant.pk), group_id=group.pk)
        assert list_group_permissions(dataset) == []
        assert not Group.objects.filter(pk=group.pk).exists()
