"""A directory: a service account of its own with a key, and what it asks."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from access.models import ServiceAccount, Tenant
from access.policy.scopes import SCIM
from access.services.api_keys import create_api_key
from access.services.service_accounts import create_service_account
from access.services.tenants import operator
from tests.conftest import new_tenant
from tests.factories.access import acting

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@dataclass(frozen=True)
class Directory:
    """Speaks SCIM to one tenant."""

    account: ServiceAccount
    token: str

    def ask(self, method: str, path: str, body: Any = None, *, query: Any = None, **headers: str) -> Any:
        named = {"Authorization": f"Bearer {self.token}"} | {key.replace("_", "-"): headers[key] for key in headers}
        data = body if isinstance(body, bytes) else json.dumps(body) if body is not None else ""
        return Client().generic(
            method,
            f"/scim/v2{path}",
            data,
            content_type="application/scim+json",
            headers=named,
            query_params=query,
        )

    def make_user(self, username: str, **members: Any) -> Any:
        answer = self.ask("POST", "/Users", {"schemas": [USER], "userName": username} | members)
        assert answer.status_code == 201, answer.content
        return answer.json()

    def make_group(self, name: str, *members: str) -> Any:
        people = [{"value": member} for member in members]
        answer = self.ask("POST", "/Groups", {"schemas": [GROUP], "displayName": name, "members": people})
        assert answer.status_code == 201, answer.content
        return answer.json()

    def patch(self, path: str, *operations: Any, **headers: str) -> Any:
        return self.ask("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)}, **headers)

    def find(self, path: str, text: str, **more: Any) -> list[Any]:
        answer = self.ask("GET", path, query={"filter": text} | more)
        assert answer.status_code == 200, answer.content
        return list(answer.json()["Resources"])


def make_directory(tenant: Tenant) -> Directory:
    with acting(tenant):
        admin = operator(tenant.pk)
        account = create_service_account(admin, name="directory", roles=["directory"])
        _, token = create_api_key(admin, name="scim", service_account_id=account.pk, scopes=[SCIM])
    return Directory(account, token)


@pytest.fixture(scope="module")
def shared(vault_database: None) -> Directory:
    """One for all tests of a module that change nothing, or nothing of each other's."""
    return make_directory(new_tenant("directory"))


@pytest.fixture
def directory(tenant: Tenant) -> Directory:
    return make_directory(tenant)
