"""Endpoints and what happens to them, as the tests ask for it."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from access.models import Tenant
from audit.models import WebhookDelivery, WebhookEndpoint
from audit.relay.loop import relay_waiting
from audit.webhooks.endpoints import create_endpoint, switch_endpoint
from audit.webhooks.loop import send_waiting
from tests.factories.access import acting, principal_with
from tests.factories.audit import make_event
from tests.factories.receivers import Receiver
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import EventType


def make_endpoint(tenant: Tenant, receiver: Receiver, **changed: Any) -> tuple[WebhookEndpoint, str]:
    """An endpoint of the tenant that is told of new datasets, and its secret."""
    given = {"name": f"hook {uuid4().hex}", "url": receiver.url, "event_types": [EventType.CREATED.value]}
    principal = principal_with(tenant, "tenant_admin", kind="service")
    with acting(tenant, principal):
        return create_endpoint(principal, **(given | changed))


def happens(tenant: Tenant, kind: EventType = EventType.CREATED, **facts: Any) -> UUID:
    """An event of the tenant, handed on by the relay; its id."""
    event = make_event(type=kind, **facts)
    with acting(tenant):
        emit(event)
    relay_waiting()
    return event.id


def deliveries_of(tenant: Tenant, endpoint: WebhookEndpoint) -> list[WebhookDelivery]:
    with acting(tenant):
        return list(WebhookDelivery.objects.filter(endpoint_id=endpoint.pk).order_by("id"))


def now(tenant: Tenant, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """The endpoint as it is."""
    with acting(tenant):
        return WebhookEndpoint.objects.get(pk=endpoint.pk)


def switch_on(tenant: Tenant, endpoint: WebhookEndpoint) -> None:
    """Somebody enables it again."""
    principal = principal_with(tenant, "tenant_admin", kind="service")
    with acting(tenant, principal):
        switch_endpoint(principal, endpoint_id=endpoint.pk, is_enabled=True)


def send_again(tenant: Tenant, endpoint: WebhookEndpoint) -> int:
    """Let the time pass that an endpoint is left alone and a message waits, and send what is due."""
    past = timezone.now() - timedelta(seconds=1)
    with acting(tenant):
        WebhookEndpoint.objects.filter(pk=endpoint.pk, paused_until__isnull=False).update(paused_until=past)
        WebhookDelivery.objects.filter(endpoint_id=endpoint.pk, status="pending").update(next_attempt_at=past)
    return send_waiting()
