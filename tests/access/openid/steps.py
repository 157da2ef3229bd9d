"""Steps of a sign-in at the rogue provider, and what its refusal looks like."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.test import Client

from access.models import Tenant
from tests.access.openid.rogue import Rogue
from vaultsite.kernel.events.event import EventType, Recorded


def begin(client: Client, tenant: Tenant, rogue: Rogue, slug: str = "sso", **query: str) -> dict[str, str]:
    """What the provider was asked."""
    answer = client.get(f"/auth/{tenant.slug}/{slug}/begin/", query)
    assert answer.status_code == 302, answer.content
    asked = {name: values[0] for name, values in parse_qs(urlsplit(answer["Location"]).query).items()}
    rogue.nonce = asked["nonce"]
    return asked


def come_back(client: Client, tenant: Tenant, state: str, slug: str = "sso", **query: str) -> Any:
    return client.get(f"/auth/{tenant.slug}/{slug}/callback/", {"state": state, "code": "c-1"} | query)


def sign_in(client: Client, tenant: Tenant, rogue: Rogue, **query: str) -> Any:
    return come_back(client, tenant, begin(client, tenant, rogue)["state"], **query)


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def reasons(events: list[Recorded]) -> list[str]:
    """Why sign-ins were refused, as the audit was told."""
    failed = [one.event for one in events if one.event.type == EventType.LOGIN_FAILED]
    assert all(event.status != "success" for event in failed)
    return [event.metadata["reason"] for event in failed]


def refused(answer: Any, client: Client, events: list[Recorded], reason: str) -> None:
    assert 400 <= answer.status_code < 500 or answer.status_code == 503, answer.content
    assert not is_in(client)
    assert reasons(events)[-1] == reason
