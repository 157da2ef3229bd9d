"""The log of an endpoint: what was sent and how it ended; sent once more, tried, or made up for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import orjson
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from access.services.authorize import authorize
from audit.models import AuditEvent, DeliveryStatus, EventSubscription, WebhookDelivery, WebhookEndpoint
from audit.subscriptions.hearing import Hearing
from audit.subscriptions.match import choose
from audit.webhooks.endpoints import READ, find_for_change, find_for_sending, resource_of
from audit.webhooks.errors import DeliveryNotFound, WebhookNotFound
from audit.webhooks.match import Wanted, wants
from audit.webhooks.queue import new_rows
from audit.webhooks.trial import TEST_TYPE, trial_envelope
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal

#: How long a delivery is kept, and so how far back events are made up for.
KEPT: Final = timedelta(days=30)
#: Events that one call looks at.
MOST_EVENTS: Final = 2000


@dataclass(frozen=True)
class MadeUp:
    """How many events wait again, and up to when events were looked at: go on from there; None when that was all."""

    queued: int
    reached: datetime | None


def list_deliveries(
    principal: Principal, *, endpoint_id: UUID, status: str = "", limit: int, after: UUID | None = None
) -> list[WebhookDelivery]:
    """The newest deliveries of an endpoint, of one DeliveryStatus or any. Raises AccessDenied, WebhookNotFound."""
    authorize(principal, READ, resource_of(endpoint_id))
    if not WebhookEndpoint.objects.filter(pk=endpoint_id).exists():
        raise WebhookNotFound
    found = WebhookDelivery.objects.filter(endpoint_id=endpoint_id).order_by("-id")
    found = found.filter(status=status) if status else found
    return list((found.filter(pk__lt=after) if after else found)[:limit])


def get_delivery(principal: Principal, *, endpoint_id: UUID, delivery_id: UUID) -> WebhookDelivery:
    """Raises AccessDenied, DeliveryNotFound."""
    authorize(principal, READ, resource_of(endpoint_id))
    return _find(endpoint_id, delivery_id)


def retry_delivery(principal: Principal, *, endpoint_id: UUID, delivery_id: UUID) -> WebhookDelivery:
    """Send it as soon as may be, once more or before its time; its schedule begins anew.

    Raises AccessDenied, StepUpRequired, WebhookNotFound, DeliveryNotFound.
    """
    endpoint = find_for_change(principal, endpoint_id, act="retry")
    delivery = _find(endpoint_id, delivery_id)
    _wait_again(WebhookDelivery.objects.filter(pk=delivery.pk))
    _end_pause(endpoint)
    delivery.refresh_from_db()
    return delivery


def send_trial(principal: Principal, *, endpoint_id: UUID) -> WebhookDelivery:
    """Queue a message that is tried once, even while the endpoint is switched off or let alone.

    Raises AccessDenied, StepUpRequired, WebhookNotFound.
    """
    find_for_change(principal, endpoint_id, act="test")
    message_id = uuid7()
    delivery = WebhookDelivery.objects.create(
        endpoint_id=endpoint_id,
        event_id=message_id,
        event_type=TEST_TYPE,
        body=orjson.dumps(trial_envelope(principal.tenant_id, endpoint_id, message_id)),
    )
    delivery.refresh_from_db()
    return delivery


def make_up(principal: Principal, *, endpoint_id: UUID, since: datetime) -> MadeUp:
    """Queue what an endpoint missed from ``since`` on: what it wants now and was not delivered, MOST_EVENTS at a time.

    Takes the right to read the audit as well. Raises AccessDenied, StepUpRequired, WebhookNotFound, InvalidFilter,
    InvalidInput (longer ago than KEPT, or in the future).
    """
    endpoint = find_for_sending(principal, endpoint_id, act="replay", since=since.isoformat())
    now = timezone.now()
    if not now - KEPT <= since <= now:
        raise InvalidInput(errors=[FieldProblem("/since", f"A moment of the last {KEPT.days} days")])
    events = list(AuditEvent.objects.filter(time__gte=since).order_by("time", "id")[: MOST_EVENTS + 1])
    seen = events[:MOST_EVENTS]
    pairs = list(_missed(endpoint, seen))
    rows = new_rows(principal.tenant_id, pairs)
    before = _waiting(endpoint_id)
    WebhookDelivery.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)
    failed = WebhookDelivery.objects.filter(
        endpoint_id=endpoint_id, status=DeliveryStatus.FAILED, event_id__in=[pair.event_id for pair in pairs]
    )
    _wait_again(failed)
    _end_pause(endpoint)
    return MadeUp(_waiting(endpoint_id) - before, events[MOST_EVENTS].time if len(events) > MOST_EVENTS else None)


def forget_old() -> int:
    """Delete deliveries older than KEPT that have ended, of every tenant, as vault_system; returns how many.

    What waits still is kept until it was sent, given up, or ended because too much waits (see outcome.MOST_WAITING).
    """
    old = WebhookDelivery.objects.using("system").filter(created_at__lt=Now() - KEPT)
    deleted, _ = old.exclude(status=DeliveryStatus.PENDING).delete()
    return deleted


def _missed(endpoint: WebhookEndpoint, events: Sequence[AuditEvent]) -> Iterator[Wanted]:
    subscriptions = list(EventSubscription.objects.filter(endpoint_id=endpoint.pk, is_active=True))
    for event in events:
        hearing = Hearing(event)
        if wants(endpoint, hearing):
            yield Wanted(endpoint.pk, event.pk, event.type, hearing.shaped())
            continue
        chosen = next((each for each in subscriptions if choose(each, hearing) is not None), None)
        if chosen is not None:
            body = hearing.shaped(form=chosen.format, vocabulary=chosen.vocabulary)
            yield Wanted(endpoint.pk, event.pk, body.get("type") or body["event_type"], body)


def _find(endpoint_id: UUID, delivery_id: UUID) -> WebhookDelivery:
    delivery = WebhookDelivery.objects.filter(endpoint_id=endpoint_id, pk=delivery_id).first()
    if delivery is None:
        raise DeliveryNotFound
    return delivery


def _wait_again(deliveries: QuerySet[WebhookDelivery]) -> None:
    deliveries.update(status=DeliveryStatus.PENDING, attempts=0, next_attempt_at=Now(), finished_at=None)


def _end_pause(endpoint: WebhookEndpoint) -> None:
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(paused_until=None)


def _waiting(endpoint_id: UUID) -> int:
    return WebhookDelivery.objects.filter(endpoint_id=endpoint_id, status=DeliveryStatus.PENDING).count()
