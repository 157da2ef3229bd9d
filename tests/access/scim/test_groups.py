"""Groups by SCIM: who is in them; what they hold is not a directory's to say."""

from typing import Any
from uuid import uuid4

from access.auth.sessions import SessionStore
from access.models import Group, GroupMembership, Tenant
from access.services.directory_users import hand_over_user
from access.services.grants import bind_role
from access.services.groups import add_members
from access.services.tenants import operator
from access.services.users import set_password
from tests.access.scim.conftest import GROUP, Directory
from tests.access.scim.test_users import code_of, row_of
from tests.factories.access import PASSWORD, acting, make_user, sign_in


def give_role(tenant: Tenant, group: dict[str, Any], role: str = "analyst") -> None:
    with acting(tenant):
        bind_role(operator(tenant.pk), role=role, group_id=group["id"])


def members(directory: Directory, group: dict[str, Any]) -> set[str]:
    shown = directory.ask("GET", f"/Groups/{group['id']}").json()
    return {member["value"] for member in shown.get("members", [])}


def add(*people: dict[str, Any]) -> dict[str, Any]:
    return {"op": "add", "path": "members", "value": [{"value": person["id"]} for person in people]}


def test_a_group_is_made_filled_renamed_and_removed(tenant: Tenant, directory: Directory) -> None:
    ada, bob = (directory.make_user(name) for name in ("ada", "bob"))
    made = directory.make_group("Research", ada["id"])
    path = f"/Groups/{made['id']}"
    shown = directory.ask("GET", path)
    assert (shown.json(), shown["ETag"]) == (made, made["meta"]["version"])
    changed = directory.patch(path, add(bob), {"op": "replace", "path": "displayName", "value": "Labs"})
    assert (changed.status_code, changed.content) == (204, b"")
    assert changed["ETag"] != made["meta"]["version"]
    assert members(directory, made) == {ada["id"], bob["id"]}
    (of_bob,) = directory.ask("GET", f"/Users/{bob['id']}").json()["groups"]
    assert (of_bob["value"], of_bob["display"]) == (made["id"], "Labs")
    assert directory.patch(path, {"op": "remove", "path": f'members[value eq "{ada["id"]}"]'}).status_code == 204
    assert members(directory, made) == {bob["id"]}
    assert directory.patch(path, {"op": "remove", "path": "members"}).status_code == 204
    assert members(directory, made) == set()
    assert directory.ask("DELETE", path).status_code == 204
    assert code_of(directory.ask("GET", path)) == (404, None)


def test_a_group_gives_what_an_administrator_gave_it(tenant: Tenant, directory: Directory) -> None:
    """Membership alone opens nothing, and leaving ends what it opened at once."""
    ada = directory.make_user("ada")
    group = directory.make_group("Analysts", ada["id"])
    assert row_with_roles(tenant, ada) == set()
    give_role(tenant, group)
    assert row_with_roles(tenant, ada) == {"analyst"}
    with acting(tenant):
        user = row_of(tenant, ada)
        set_password(operator(tenant.pk), user_id=user.pk, password=PASSWORD, must_change_password=False)
    cookie = sign_in(tenant, user)
    assert directory.patch(f"/Groups/{group['id']}", {"op": "remove", "path": "members"}).status_code == 204
    assert SessionStore(cookie).load() == {}
    assert row_with_roles(tenant, ada) == set()


def row_with_roles(tenant: Tenant, person: dict[str, Any]) -> set[str]:
    user = row_of(tenant, person)
    with acting(tenant):
        return set(user.live_roles())


def test_only_its_own_people_come_into_a_group(tenant: Tenant, directory: Directory) -> None:
    local = make_user(tenant)
    group = directory.make_group("Analysts")
    path = f"/Groups/{group['id']}"
    for stranger in (str(local.pk), str(uuid4()), "no-id", group["id"]):
        assert code_of(directory.patch(path, add({"id": stranger}))) == (400, "invalidValue")
    assert members(directory, group) == set()


def test_a_local_group_is_not_the_directorys(tenant: Tenant, directory: Directory) -> None:
    with acting(tenant):
        local = Group.objects.create(display_name="Administrators")
    ada = directory.make_user("ada")
    assert code_of(directory.patch(f"/Groups/{local.pk}", add(ada))) == (404, None)
    assert code_of(directory.ask("DELETE", f"/Groups/{local.pk}")) == (404, None)
    taken = directory.ask("POST", "/Groups", {"schemas": [GROUP], "displayName": "administrators"})
    assert code_of(taken) == (409, "uniqueness")


def test_who_was_put_into_a_group_by_hand_is_not_the_directorys_member(tenant: Tenant, directory: Directory) -> None:
    group, ada, bob = directory.make_group("Analysts"), directory.make_user("ada"), directory.make_user("bob")
    with acting(tenant):
        add_members(operator(tenant.pk), group_id=group["id"], user_ids=[row_of(tenant, ada).pk])
    assert members(directory, group) == set()
    path = f"/Groups/{group['id']}"
    assert directory.patch(path, {"op": "replace", "path": "members", "value": []}).status_code == 204
    with acting(tenant):
        assert GroupMembership.objects.filter(group_id=group["id"]).count() == 1
    directory.patch(path, add(ada, bob))
    assert members(directory, group) == {ada["id"], bob["id"]}


def test_the_last_administrator_stays_in_the_group_that_makes_them_one(tenant: Tenant, directory: Directory) -> None:
    ada = directory.make_user("ada")
    group = directory.make_group("Administrators", ada["id"])
    give_role(tenant, group, "tenant_admin")
    path = f"/Groups/{group['id']}"
    assert code_of(directory.patch(path, {"op": "remove", "path": "members"})) == (400, "mutability")
    assert code_of(directory.ask("DELETE", path)) == (400, "mutability")
    assert members(directory, group) == {ada["id"]}


def test_versions_of_groups_tell_their_members_apart(directory: Directory) -> None:
    ada, bob = (directory.make_user(name) for name in ("ada", "bob"))
    group = directory.make_group("Research", ada["id"])
    path = f"/Groups/{group['id']}"
    slim = directory.ask("GET", path, query={"excludedAttributes": "members"})
    assert "members" not in slim.json()
    assert slim["ETag"] == group["meta"]["version"]
    directory.patch(path, {"op": "replace", "path": "members", "value": [{"value": bob["id"]}]})
    assert code_of(directory.patch(path, add(ada), If_Match=slim["ETag"])) == (412, None)
    assert members(directory, group) == {bob["id"]}


def test_somebody_removed_leaves_every_group(tenant: Tenant, directory: Directory) -> None:
    local = make_user(tenant, username="ada")
    with acting(tenant):
        hand_over_user(operator(tenant.pk), user_id=local.pk)
    group = directory.make_group("Research", str(local.pk))
    assert directory.ask("DELETE", f"/Users/{local.pk}").status_code == 204
    assert members(directory, group) == set()
