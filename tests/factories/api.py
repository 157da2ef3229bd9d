"""Callers of the REST API, and what the audit says of their requests."""

from typing import Any
from uuid import uuid4

from django.test import Client

from access.models import Tenant
from audit.models import AuditEvent
from tests.factories.access import acting, make_api_key

API = "/api/v1"
DECISIONS = (
    "data.access.read",
    "data.access.write",
    "data.access.delete",
    "data.access.denied",
    "auth.credential.refused",
)


def caller(tenant: Tenant, *roles: str, purpose: str = "evaluation", **headers: str) -> Client:
    """Somebody with an API key of these roles, who states a purpose with every request."""
    _, token = make_api_key(tenant, *roles)
    stated = {"X-Vault-Purpose": purpose} if purpose else {}
    return Client(headers={"Authorization": f"Bearer {token}", **stated, **headers})


def send(client: Client, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """A request with a JSON body, or with the bytes given."""
    if isinstance(body, bytes):
        return client.generic(method, API + path, body, content_type="application/octet-stream", headers=headers)
    kind = {"data": body, "content_type": "application/json"} if body is not None else {}
    return getattr(client, method.lower())(API + path, headers=headers, **kind)


def new_request_id() -> str:
    return f"request-{uuid4().hex}"


def events_of(tenant: Tenant, request_id: str) -> list[AuditEvent]:
    with acting(tenant):
        return list(AuditEvent.objects.filter(request_id=request_id).order_by("id"))


def decisions_of(tenant: Tenant, request_id: str) -> list[AuditEvent]:
    """The decision events of one request; there must be exactly one."""
    return [event for event in events_of(tenant, request_id) if event.type in DECISIONS]
