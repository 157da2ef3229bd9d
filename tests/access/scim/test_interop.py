"""What Entra ID and Okta send, in the shapes their public documentation shows."""

from typing import Any
from uuid import uuid4

from tests.access.scim.conftest import ENTERPRISE, GROUP, PATCH, USER, Directory
from tests.access.scim.test_users import code_of

#: https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups
ENTRA_USER: dict[str, Any] = {
    "schemas": [USER, ENTERPRISE],
    "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
    "userName": "Test_User_ab6490ee-1e48-479e-a20b-2d77186b5dd1",
    "active": True,
    "emails": [{"primary": True, "type": "work", "value": "Test_User_fd0ea19b@testuser.com"}],
    "meta": {"resourceType": "User"},
    "name": {"formatted": "givenName familyName", "familyName": "familyName", "givenName": "givenName"},
    "roles": [],
}


def test_entra_asks_whether_somebody_is_there(directory: Directory) -> None:
    """Its connection test: a name that nobody has is an empty list, never a 404."""
    answer = directory.ask("GET", f'/Users?filter=userName+eq+"{uuid4()}"')
    assert (answer.status_code, answer.json()["totalResults"], answer.json()["Resources"]) == (200, 0, [])


def test_entra_brings_changes_and_disables_somebody(directory: Directory) -> None:
    made = directory.ask("POST", "/Users", ENTRA_USER)
    assert made.status_code == 201, made.content
    assert made["Location"] == made.json()["meta"]["location"]
    path = f"/Users/{made.json()['id']}"
    changed = directory.patch(
        path,
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "updatedEmail@microsoft.com"},
        {"op": "Replace", "path": "name.familyName", "value": "updatedFamilyName"},
        {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "Sales"},
        {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": str(uuid4())},
        {"op": "Add", "path": 'phoneNumbers[type eq "mobile"].value', "value": "+1 425 555 0100"},
        {"op": "Add", "path": 'emails[type eq "other"].value', "value": "other@microsoft.com"},
    ).json()
    assert [email["value"] for email in changed["emails"]] == ["updatedEmail@microsoft.com", "other@microsoft.com"]
    assert (changed["name"]["familyName"], changed[ENTERPRISE]) == ("updatedFamilyName", {"department": "Sales"})
    flat = {"name.givenName": "Flat", f"{ENTERPRISE}:department": "Support", "displayName": "Flat Name"}
    changed = directory.patch(path, {"op": "Add", "value": flat}).json()
    assert (changed["name"]["givenName"], changed["displayName"]) == ("Flat", "Flat Name")
    assert changed[ENTERPRISE]["department"] == "Support"
    disabled = directory.patch(path, {"op": "Replace", "path": "active", "value": "False"})
    assert disabled.json()["active"] is False
    assert directory.patch(path, {"op": "Replace", "value": {"active": "True"}}).json()["active"] is True


def test_entra_fills_and_empties_a_group(directory: Directory) -> None:
    user = directory.ask("POST", "/Users", ENTRA_USER).json()
    body = {
        "schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
        "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
        "displayName": "displayName",
        "meta": {"resourceType": "Group"},
    }
    made = directory.ask("POST", "/Groups", body)
    assert made.status_code == 201, made.content
    path = f"/Groups/{made.json()['id']}"
    member = {"$ref": None, "value": user["id"]}
    assert directory.patch(path, {"op": "Add", "path": "members", "value": [member]}).status_code == 204
    (found,) = directory.find("/Groups", f'id eq "{made.json()["id"]}" and members eq "{user["id"]}"')
    assert found["displayName"] == "displayName"
    slim = directory.find("/Groups", 'displayName eq "displayName"', excludedAttributes="members")
    assert "members" not in slim[0]
    removed = directory.patch(path, {"op": "Remove", "path": "members", "value": [member]})
    assert removed.status_code == 204, removed.content
    assert "members" not in directory.ask("GET", path).json()


#: https://developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20
OKTA_USER: dict[str, Any] = {
    "schemas": [USER],
    "userName": "test.user@okta.local",
    "name": {"givenName": "Test", "familyName": "User"},
    "emails": [{"primary": True, "value": "test.user@okta.local", "type": "work"}],
    "displayName": "Test User",
    "locale": "en-US",
    "externalId": "00ujl29u0le5T6Aj10h7",
    "groups": [],
    "password": "1mz050nq",
    "active": True,
}


def test_okta_brings_reads_replaces_and_disables_somebody(directory: Directory) -> None:
    asked = directory.ask("GET", "/Users?filter=userName%20eq%20%22test.user%40okta.local%22&startIndex=1&count=100")
    assert asked.json() == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": 0,
        "startIndex": 1,
        "itemsPerPage": 0,
        "Resources": [],
    }
    made = directory.ask("POST", "/Users", OKTA_USER).json()
    assert "password" not in made
    assert code_of(directory.ask("POST", "/Users", OKTA_USER)) == (409, "uniqueness")
    path = f"/Users/{made['id']}"
    replaced = directory.ask("PUT", path, made | {"name": {"givenName": "Another", "familyName": "User"}})
    assert replaced.json()["name"]["givenName"] == "Another"
    assert directory.patch(path, {"op": "replace", "value": {"active": False}}).json()["active"] is False


def test_okta_pushes_a_group(directory: Directory) -> None:
    user = directory.ask("POST", "/Users", OKTA_USER).json()
    member = {"value": user["id"], "display": "test.user@okta.local"}
    body = {"schemas": [GROUP], "displayName": "Test SCIMv2", "members": [member]}
    made = directory.ask("POST", "/Groups", body).json()
    path = f"/Groups/{made['id']}"
    renamed = {"op": "replace", "value": {"id": made["id"], "displayName": "Test SCIMv2 renamed"}}
    other = directory.make_user("other.user@okta.local")
    answer = directory.patch(
        path,
        renamed,
        {"op": "remove", "path": f'members[value eq "{user["id"]}"]'},
        {"op": "add", "path": "members", "value": [{"value": other["id"], "display": "other.user@okta.local"}]},
    )
    assert answer.status_code == 204, answer.content
    shown = directory.ask("GET", path).json()
    assert shown["displayName"] == "Test SCIMv2 renamed"
    assert [one["value"] for one in shown["members"]] == [other["id"]]


def test_what_is_published_says_what_is_served(directory: Directory) -> None:
    config = directory.ask("GET", "/ServiceProviderConfig").json()
    served = {name: config[name]["supported"] for name in ("patch", "bulk", "filter", "sort", "etag", "changePassword")}
    assert served == {
        "patch": True,
        "bulk": False,
        "filter": True,
        "sort": True,
        "etag": True,
        "changePassword": False,
    }
    assert code_of(directory.ask("POST", "/Bulk", {"schemas": [PATCH]})) == (501, None)
    assert code_of(directory.ask("GET", "/Me")) == (501, None)
    assert code_of(directory.ask("GET", "/Nothing/here")) == (404, None)
    assert code_of(directory.ask("POST", "/Schemas", {})) == (405, None)
    schemas = directory.ask("GET", "/Schemas").json()["Resources"]
    assert [schema["id"] for schema in schemas] == [USER, ENTERPRISE, GROUP]
    assert directory.ask("GET", f"/Schemas/{USER}").json()["name"] == "User"
    assert code_of(directory.ask("GET", "/Schemas/urn:x")) == (404, None)
    types = directory.ask("GET", "/ResourceTypes").json()["Resources"]
    assert [(kind["id"], kind["endpoint"]) for kind in types] == [("User", "/Users"), ("Group", "/Groups")]
