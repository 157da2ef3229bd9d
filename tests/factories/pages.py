"""People in front of a browser, and what the audit says of the pages they open."""

from typing import Any
from uuid import uuid4

from django.conf import settings
from django.test import Client

from access.models import Tenant
from audit.models import AuditEvent
from tests.factories.access import acting, make_user, sign_in


def browser_of(tenant: Tenant, *roles: str, purpose: str = "", **facts: Any) -> Client:
    """A browser that a new user with these roles has signed in with, and has stated a purpose in."""
    client = Client(SERVER_NAME="localhost")
    client.cookies[settings.SESSION_COOKIE_NAME] = sign_in(tenant, make_user(tenant, *roles, **facts))
    if purpose:
        client.get("/admin/tour/", {"purpose": purpose})
    return client


def opened(client: Client, path: str, data: Any = None, *, method: str = "get") -> tuple[Any, str]:
    """The answer, and the id by which the audit knows the request."""
    request_id = f"page-{uuid4().hex}"
    return getattr(client, method)(path, data, headers={"X-Request-ID": request_id}), request_id


def events_of(tenant: Tenant, request_id: str) -> list[AuditEvent]:
    """What was recorded of one request, oldest first."""
    with acting(tenant):
        return list(AuditEvent.objects.filter(request_id=request_id).order_by("time"))
