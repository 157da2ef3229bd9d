"""REST of people, groups and roles: shapes, pages, refusals."""

from uuid import uuid4

import pytest

from access.models import User
from tests.factories.access import PASSWORD, acting, make_user
from tests.factories.api import caller, send


@pytest.fixture
def boss(tenant):
    return caller(tenant, "tenant_admin")


def made(client, path, body):
    answer = send(client, "POST", path, body)
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_a_person_is_made_changed_described_let_go_and_let_in_again(tenant, boss):
    user = made(boss, "/users", {"username": "ann", "full_name": "Ann", "roles": ["viewer"], "external_id": "e-1"})
    assert (user["roles"], user["groups"], user["is_active"]) == (["viewer"], [], True)
    with acting(tenant):
        assert not User.objects.get(pk=user["id"]).has_usable_password()
    home = f"/users/{user['id']}"
    changed = send(boss, "PATCH", home, {"username": "anne", "email": "anne@example.com"}).json()
    assert (changed["username"], changed["email"], changed["full_name"]) == ("anne", "anne@example.com", "Ann")
    described = send(boss, "PUT", f"{home}/attributes", {"department": "research", "clearance": "high"})
    assert described.json()["clearance"] == "high"
    assert send(boss, "POST", f"{home}/deactivate").status_code == 204
    assert send(boss, "GET", home).json()["is_active"] is False
    assert send(boss, "POST", f"{home}/reactivate").status_code == 204
    assert send(boss, "GET", home).json()["is_active"] is True


def test_a_password_given_by_somebody_else_is_to_be_changed(tenant, boss):
    user = made(boss, "/users", {"username": "bea", "password": PASSWORD})
    with acting(tenant):
        assert User.objects.get(pk=user["id"]).must_change_password
    answer = send(boss, "POST", "/users", {"username": "cat", "password": "short"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "password")


@pytest.mark.parametrize(
    "member", ["is_staff", "is_superuser", "tenant", "id", "password_hash", "clearance", "is_active", "created_at"]
)
def test_what_is_not_the_callers_to_say_is_refused(tenant, boss, member):
    """T16: mass assignment."""
    answer = send(boss, "POST", "/users", {"username": "eve", member: "x"})
    assert answer.status_code == 400
    with acting(tenant):
        assert not User.objects.filter(username="eve").exists()


def test_people_come_in_pages_by_name(tenant, boss):
    for name in ("u1", "u2", "u3"):
        make_user(tenant, username=name)
    first = send(boss, "GET", "/users?limit=2").json()
    second = send(boss, "GET", f"/users?limit=2&cursor={first['pagination']['next_cursor']}").json()
    assert [one["username"] for one in first["data"] + second["data"]] == ["u1", "u2", "u3"]
    assert second["pagination"]["next_cursor"] is None
    assert [one["username"] for one in send(boss, "GET", "/users?search=U3").json()["data"]] == ["u3"]


def test_a_group_is_made_filled_given_a_role_and_removed(tenant, boss):
    ann, bea = make_user(tenant, username="ann"), make_user(tenant, username="bea")
    group = made(boss, "/groups", {"display_name": "Team", "external_id": "x-1"})
    home = f"/groups/{group['id']}"
    assert send(boss, "POST", f"{home}/members", {"user_ids": [str(ann.pk)]}).status_code == 204
    assert send(boss, "PUT", f"{home}/members", {"user_ids": [str(bea.pk)]}).status_code == 204
    members = send(boss, "GET", f"{home}/members").json()["data"]
    assert [(one["id"], one["username"], one["source"]) for one in members] == [(str(bea.pk), "bea", "")]
    # The key that asks holds no such role: it manages roles, and so may give it to people.
    binding = made(boss, "/role-bindings", {"role": "analyst", "group_id": group["id"]})
    assert send(boss, "GET", home).json()["roles"] == ["analyst"]
    listed = send(boss, "GET", f"/role-bindings?group_id={group['id']}").json()["data"]
    assert [one["id"] for one in listed] == [binding["id"]]
    assert send(boss, "DELETE", f"/role-bindings/{binding['id']}").status_code == 204
    assert send(boss, "DELETE", f"{home}/members/{bea.pk}").status_code == 204
    assert send(boss, "PATCH", home, {"display_name": "Crew"}).json()["display_name"] == "Crew"
    assert send(boss, "DELETE", home).status_code == 204
    assert send(boss, "GET", home).json()["code"] == "VAULT_AUTH_1280"


def test_a_role_is_made_changed_and_removed(boss):
    body = {"code": "desk", "name": "Desk", "permissions": ["user.read"], "inherits": ["viewer"]}
    role = made(boss, "/roles", body)
    assert role["inherits"] == ["viewer"]
    assert {"user.read", "dataset.list"} <= set(role["permissions"])
    home = f"/roles/{role['id']}"
    assert send(boss, "PATCH", home, {"inherits": []}).json()["permissions"] == ["user.read"]
    for change, code in (
        ({"permissions": ["record.read.raw"]}, "VAULT_AUTHZ_2004"),
        ({"inherits": ["desk"]}, "VAULT_AUTH_1284"),
        ({"is_builtin": True}, "VAULT_VALID_3001"),
    ):
        assert send(boss, "PATCH", home, change).json()["code"] == code
    assert send(boss, "DELETE", home).status_code == 204
    assert send(boss, "GET", home).json()["code"] == "VAULT_AUTH_1281"
    builtin = next(one for one in send(boss, "GET", "/roles").json()["data"] if one["code"] == "viewer")
    assert send(boss, "PATCH", f"/roles/{builtin['id']}", {"name": "x"}).json()["code"] == "VAULT_AUTH_1282"


def test_a_delegation_is_made_listed_and_taken_back(tenant, boss):
    lead = make_user(tenant, username="lead")
    group = made(boss, "/groups", {"display_name": "Team"})
    row = made(boss, "/delegations", {"user_id": str(lead.pk), "group_id": group["id"]})
    assert [one["id"] for one in send(boss, "GET", "/delegations").json()["data"]] == [row["id"]]
    assert send(boss, "DELETE", f"/delegations/{row['id']}").status_code == 204
    assert send(boss, "DELETE", f"/delegations/{row['id']}").json()["code"] == "VAULT_AUTH_1286"


@pytest.mark.parametrize("query", ["user_id=x", "cursor=bm8", "limit=0"])
def test_a_query_that_means_nothing_is_refused(boss, query):
    assert send(boss, "GET", f"/role-bindings?{query}").status_code == 400


def test_a_program_uses_no_delegation(tenant):
    """A delegation is a person's; a key holds what it was given and no more."""
    service = caller(tenant, "viewer")
    group = made(caller(tenant, "tenant_admin"), "/groups", {"display_name": "Team"})
    answer = send(service, "POST", f"/groups/{group['id']}/members", {"user_ids": [str(uuid4())]})
    assert (answer.status_code, answer.json()["code"]) == (403, "VAULT_AUTHZ_2001")


def test_a_system_of_others_is_said_to_be_one(boss):
    system = made(boss, "/service-accounts", {"name": "catalog", "kind": "external", "roles": ["viewer"]})
    assert system["kind"] == "external"
    body = {"name": "other", "kind": "external", "roles": ["tenant_admin"]}
    assert send(boss, "POST", "/service-accounts", body).json()["code"] == "VAULT_AUTH_1287"
