"""People by SCIM: made, found, changed, let go, and what a directory cannot do to them."""

from typing import Any
from uuid import uuid4

import pytest

from access.auth.sessions import SessionStore
from access.models import Tenant, User, VaultSession
from access.services.deprovisioning import deactivate_user, reactivate_user
from access.services.directory_users import hand_over_user
from access.services.grants import bind_role
from access.services.tenants import operator
from tests.access.scim.conftest import ENTERPRISE, USER, Directory, make_directory
from tests.factories.access import acting, make_api_key, make_user, sign_in
from vaultsite.kernel.events.event import EventType, Recorded

BARBARA: dict[str, Any] = {
    "externalId": "e-1",
    "name": {"formatted": "Ms. Barbara Jensen", "givenName": "Barbara", "familyName": "Jensen"},
    "displayName": "Barbara",
    "emails": [
        {"value": "b@corp.local", "type": "work", "primary": True},
        {"value": "b@home.example.org", "type": "home", "primary": False},
    ],
    ENTERPRISE: {"department": "Research"},
}
DEACTIVATE = {"op": "replace", "path": "active", "value": False}
ACTIVATE = {"op": "replace", "path": "active", "value": True}


def row_of(tenant: Tenant, resource: dict[str, Any]) -> User:
    with acting(tenant):
        return User.objects.get(pk=resource["id"])


def code_of(answer: Any) -> tuple[int, str | None]:
    assert answer["Content-Type"] == "application/scim+json"
    body = answer.json()
    assert body["status"] == str(answer.status_code)
    return answer.status_code, body.get("scimType")


def make_administrator(tenant: Tenant, resource: dict[str, Any]) -> None:
    with acting(tenant):
        bind_role(operator(tenant.pk), role="tenant_admin", user_id=resource["id"])


def test_a_person_is_made_and_shown(tenant: Tenant, directory: Directory) -> None:
    made = directory.make_user("bjensen", **BARBARA)
    shown = directory.ask("GET", f"/Users/{made['id']}")
    assert shown.json() == made
    assert {name: made[name] for name in BARBARA} == BARBARA
    assert (made["active"], made["meta"]["created"]) == (True, made["meta"]["lastModified"])
    assert shown["Content-Type"] == "application/scim+json"
    assert shown["ETag"] == made["meta"]["version"]
    user = row_of(tenant, made)
    assert (user.full_name, user.email, user.department) == ("Barbara", "b@corp.local", "Research")
    assert not user.has_usable_password()


def test_roles_and_passwords_are_no_attributes(tenant: Tenant, directory: Directory) -> None:
    """T16: what a directory says beside the schema is not stored."""
    more = {"roles": [{"value": "tenant_admin"}], "password": "a long enough secret 7", "clearance": "secret"}
    made = directory.make_user("mallory", id=str(uuid4()), entitlements=[{"value": "x"}], groups=[], **more)
    user = row_of(tenant, made)
    with acting(tenant):
        assert user.live_roles() == {}
    assert (user.clearance, user.has_usable_password()) == ("", False)
    assert set(made) == {"schemas", "id", "meta", "userName", "active"}


@pytest.mark.parametrize(
    ("members", "keyword"),
    [
        ({}, "invalidValue"),
        ({"userName": ""}, "invalidValue"),
        ({"userName": " space"}, "invalidValue"),
        ({"userName": "x" * 151}, "invalidValue"),
        ({"userName": "a\0b"}, "invalidValue"),
        ({"userName": 5}, "invalidValue"),
        ({"userName": "a", "active": "perhaps"}, "invalidValue"),
        ({"userName": "a", "emails": [{"value": "nobody"}]}, "invalidValue"),
        ({"userName": "a", "emails": [{"value": f"{n}@x.org", "primary": True} for n in "ab"]}, "invalidValue"),
        ({"userName": "a", "emails": "a@x.org"}, "invalidValue"),
        ({"userName": "a", ENTERPRISE: {"department": "d" * 64}}, "invalidValue"),
        (b"[]", "invalidSyntax"),
        (b"{", "invalidSyntax"),
        (b'{"userName": "a", "userName": "b"}', "invalidSyntax"),
        (b"[" * 3000 + b"]" * 3000, "invalidSyntax"),
    ],
)
def test_a_body_that_does_not_fit_is_refused(shared: Directory, members: Any, keyword: str) -> None:
    body = members if isinstance(members, bytes) else {"schemas": [USER]} | members
    assert code_of(shared.ask("POST", "/Users", body)) == (400, keyword)


def test_names_are_taken_whatever_their_case(tenant: Tenant, directory: Directory) -> None:
    directory.make_user("bjensen", externalId="e-1")
    make_user(tenant, username="Local")
    for name, external_id in (("BJensen", "e-2"), ("local", "e-3"), ("other", "e-1")):
        body = {"schemas": [USER], "userName": name, "externalId": external_id}
        assert code_of(directory.ask("POST", "/Users", body)) == (409, "uniqueness")


def test_a_directory_sees_nobody_it_did_not_bring(tenant: Tenant, rival: Tenant, directory: Directory) -> None:
    """T01: somebody local, somebody of another organization and nobody at all are answered alike."""
    local, foreign = make_user(tenant), make_directory(rival).make_user("theirs")
    answers = []
    for identifier in (local.pk, foreign["id"], uuid4(), "no-id"):
        path = f"/Users/{identifier}"
        asked = [directory.ask("GET", path), directory.ask("PUT", path, {"schemas": [USER], "userName": "x"})]
        asked += [directory.patch(path, DEACTIVATE), directory.ask("DELETE", path)]
        answers.append([(answer.status_code, answer.content) for answer in asked])
    assert answers[0] == answers[1] == answers[2] == answers[3]
    assert {status for status, _ in answers[0]} == {404}
    assert directory.ask("GET", "/Users").json()["totalResults"] == 0
    assert row_of(tenant, {"id": local.pk}).is_active


def test_an_administrator_hands_somebody_over(tenant: Tenant, directory: Directory) -> None:
    local = make_user(tenant, username="Ada", full_name="Ada L.", email="ada@example.org")
    with acting(tenant):
        hand_over_user(operator(tenant.pk), user_id=local.pk)
    (found,) = directory.find("/Users", 'userName eq "ada"')
    assert (found["id"], found["displayName"], found["emails"][0]["value"]) == (
        str(local.pk),
        "Ada L.",
        "ada@example.org",
    )
    assert directory.patch(f"/Users/{local.pk}", DEACTIVATE).json()["active"] is False


def test_deactivating_ends_sessions_at_once(tenant: Tenant, directory: Directory, events: list[Recorded]) -> None:
    local = make_user(tenant, "analyst")
    cookie = sign_in(tenant, local)
    with acting(tenant):
        hand_over_user(operator(tenant.pk), user_id=local.pk)
    events.clear()
    assert directory.patch(f"/Users/{local.pk}", DEACTIVATE).status_code == 200
    assert SessionStore(cookie).load() == {}
    with acting(tenant):
        assert not VaultSession.objects.filter(user=local).exists()
    types = [recorded.event.type for recorded in events]
    assert types.count(EventType.ADMIN_WRITE) == 1
    assert {EventType.DIRECTORY_CHANGED, EventType.DEPROVISIONED} <= set(types)
    assert events[0].principal.id == directory.account.pk


def test_a_directory_undoes_what_it_did_and_nothing_else(tenant: Tenant, directory: Directory) -> None:
    made = directory.make_user("bjensen")
    path = f"/Users/{made['id']}"
    assert directory.patch(path, DEACTIVATE).json()["active"] is False
    assert directory.patch(path, ACTIVATE).json()["active"] is True
    with acting(tenant):
        deactivate_user(operator(tenant.pk), user_id=made["id"])
    assert code_of(directory.patch(path, ACTIVATE)) == (400, "mutability")
    with acting(tenant):
        reactivate_user(operator(tenant.pk), user_id=made["id"])
    directory.patch(path, DEACTIVATE)
    with acting(tenant):
        deactivate_user(operator(tenant.pk), user_id=made["id"])
    assert code_of(directory.patch(path, ACTIVATE)) == (400, "mutability")
    assert row_of(tenant, made).is_active is False


def test_the_last_administrator_stays(tenant: Tenant, directory: Directory) -> None:
    one, other = (directory.make_user(name) for name in ("one", "other"))
    make_administrator(tenant, one)
    make_administrator(tenant, other)
    assert directory.patch(f"/Users/{one['id']}", DEACTIVATE).status_code == 200
    assert code_of(directory.patch(f"/Users/{other['id']}", DEACTIVATE)) == (400, "mutability")
    assert code_of(directory.ask("DELETE", f"/Users/{other['id']}")) == (400, "mutability")
    assert row_of(tenant, other).is_active


def test_who_gets_the_name_of_somebody_removed_is_somebody_new(tenant: Tenant, directory: Directory) -> None:
    first = directory.make_user("bjensen", externalId="e-1")
    make_administrator(tenant, directory.make_user("admin"))
    make_administrator(tenant, first)
    assert directory.ask("DELETE", f"/Users/{first['id']}").status_code == 204
    assert code_of(directory.ask("GET", f"/Users/{first['id']}")) == (404, None)
    second = directory.make_user("bjensen", externalId="e-1")
    assert second["id"] != first["id"]
    gone, new = row_of(tenant, first), row_of(tenant, second)
    assert (gone.is_active, gone.username) == (False, f"bjensen~{gone.pk}")
    with acting(tenant):
        assert new.live_roles() == {}


def test_a_put_says_all_there_is(directory: Directory) -> None:
    made = directory.make_user("bjensen", **BARBARA)
    answer = directory.ask("PUT", f"/Users/{made['id']}", {"schemas": [USER], "userName": "babs"})
    assert answer.status_code == 200
    assert set(answer.json()) == {"schemas", "id", "meta", "userName", "active"}
    assert directory.find("/Users", 'userName eq "babs"') == [answer.json()]


def test_versions_guard_against_lost_changes(directory: Directory) -> None:
    made = directory.make_user("bjensen")
    path, version = f"/Users/{made['id']}", made["meta"]["version"]
    assert directory.ask("GET", path, If_None_Match=version).status_code == 304
    assert directory.ask("GET", path, If_None_Match='W/"other"').status_code == 200
    changed = directory.patch(path, {"op": "add", "path": "displayName", "value": "B"}, If_Match=version)
    assert changed.status_code == 200
    assert changed["ETag"] != version
    stale = {"If_Match": version}
    assert code_of(directory.patch(path, DEACTIVATE, **stale)) == (412, None)
    assert code_of(directory.ask("PUT", path, {"schemas": [USER], "userName": "x"}, **stale)) == (412, None)
    assert code_of(directory.ask("DELETE", path, **stale)) == (412, None)
    assert directory.ask("DELETE", path, If_Match=f'"other", {changed["ETag"]}').status_code == 204


def test_what_changes_nothing_keeps_its_version(directory: Directory) -> None:
    made = directory.make_user("bjensen", **BARBARA)
    again = directory.patch(f"/Users/{made['id']}", {"op": "replace", "path": "userName", "value": "bjensen"})
    assert again.json() == made


def test_other_credentials_provision_nobody(tenant: Tenant, directory: Directory) -> None:
    """T17: neither a program that may write data nor the directory's own key elsewhere."""
    _, token = make_api_key(tenant, "data_steward")
    for method, path in (("GET", "/Users"), ("POST", "/Users"), ("GET", "/Schemas")):
        answer = Directory(directory.account, token).ask(method, path, {"schemas": [USER], "userName": "x"})
        assert code_of(answer) == (403, None)
    assert code_of(Directory(directory.account, "ldv_x").ask("GET", "/Users")) == (401, None)
    own = directory.ask("GET", "/../../api/v1/datasets")
    assert own.status_code in {403, 404}


def test_requests_are_limited(directory: Directory) -> None:
    answer = directory.ask("GET", "/Users")
    assert int(answer["X-RateLimit-Remaining"]) < int(answer["X-RateLimit-Limit"])
