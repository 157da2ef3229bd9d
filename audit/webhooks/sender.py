"""Sends what waits: an endpoint has one sender at a time, in the order of its queue, and a slow one delays no other."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, Value, When, Window
from django.db.models.functions import Now, RowNumber
from django.utils import timezone

from audit.models import DeliveryStatus, WebhookDelivery, WebhookEndpoint
from audit.webhooks.outcome import Outcome, end_overfull, settle
from audit.webhooks.secret import signing_keys
from audit.webhooks.signing import signature_header
from audit.webhooks.trial import TEST_TYPE
from vaultsite.kernel.outgoing import AddressRefused, CallFailed, Limits, call
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: One message takes at most so long; of an answer so much is read, and nothing kept.
LIMITS: Final = Limits(seconds=15.0, biggest=64 * 1024)
#: A turn ends after so many seconds, so that all endpoints have theirs.
TURN_SECONDS: Final = 20.0
#: For how long an endpoint is its sender's. One that dies loses it then, and its message is sent again.
LEASE: Final = timedelta(seconds=60)
logger = logging.getLogger("vault.webhooks")


@dataclass(frozen=True)
class Turn:
    """The right to send to one endpoint, until another claims it."""

    tenant_id: UUID
    endpoint_id: UUID
    fence: int

    def scope(self) -> Any:
        return tenant_scope(self.tenant_id, Principal.system(self.tenant_id))


@dataclass(frozen=True)
class Message:
    """What is sent, as often as it takes: the id stays, the time and the signatures are those of the attempt."""

    delivery_id: UUID
    url: str
    body: bytes
    headers: Mapping[str, str]


def take_turns(limit: int, *, busy: Mapping[UUID, int] | None = None, most: int = 4) -> list[Turn]:
    """Claim endpoints that have something due, as vault_system, those first that were served longest ago.

    A tenant has at most ``most`` turns with those that ``busy`` says it has already, and the first of each tenant come
    before the second of any, so that one cannot take all senders.
    """
    due = WebhookDelivery.objects.using("system").filter(
        tenant_id=OuterRef("tenant_id"),
        endpoint_id=OuterRef("pk"),
        status=DeliveryStatus.PENDING,
        next_attempt_at__lte=Now(),
    )
    is_open = Q(disabled_by="") & (Q(paused_until=None) | Q(paused_until__lte=Now())) & Exists(due)
    is_free = Q(lease_until=None) | Q(lease_until__lte=Now())
    with transaction.atomic(using="system"):
        endpoints = WebhookEndpoint.objects.using("system").filter(
            is_free, is_open | Exists(due.filter(event_type=TEST_TYPE))
        )
        longest_ago = (F("lease_until").asc(nulls_first=True), F("pk").asc())
        place = Window(RowNumber(), partition_by="tenant_id", order_by=longest_ago) + _turns_of(busy or {})
        chosen = endpoints.annotate(place=place).filter(place__lte=most).order_by("place", *longest_ago)[:limit]
        # Rows behind a window cannot be locked: they are asked for again, and what was claimed meanwhile is not free.
        free = endpoints.select_for_update(skip_locked=True)
        rows = list(free.filter(pk__in=[row.pk for row in chosen]))
        WebhookEndpoint.objects.using("system").filter(pk__in=[row.pk for row in rows]).update(
            lease_until=Now() + LEASE, fence=F("fence") + 1
        )
    return [Turn(cast("UUID", row.tenant_id), row.pk, row.fence + 1) for row in rows]


def _turns_of(busy: Mapping[UUID, int]) -> Case | Value:
    """How many turns an endpoint's tenant has already."""
    known = [When(tenant_id=tenant_id, then=turns) for tenant_id, turns in busy.items()]
    return Case(*known, default=0, output_field=IntegerField()) if known else Value(0)


def serve(turn: Turn) -> int:
    """Send to one endpoint until nothing is due, an attempt fails or the turn is over; returns how many were sent.

    Open no scope around it. Raises KeyUnavailable and the like when its secret cannot be opened.
    """
    ends, sent = time.monotonic() + TURN_SECONDS, 0
    with turn.scope():
        end_overfull(turn.endpoint_id, turn.fence)
        message = _next(turn)
    while message is not None:
        outcome = send(message)
        sent += 1
        with turn.scope():
            goes_on = settle(turn.endpoint_id, turn.fence, message.delivery_id, outcome) and time.monotonic() < ends
            message = _next(turn) if goes_on else None
            if message is None:
                _held(turn).update(lease_until=Now())
    return sent


def send(message: Message) -> Outcome:
    """One attempt. Open no scope around it: it takes up to LIMITS.seconds."""
    began, at = time.monotonic(), datetime.now(UTC)
    status, error, headers = 0, "", dict[str, str]()
    try:
        answer = call("POST", message.url, headers=message.headers, body=message.body, limits=LIMITS)
        status, headers = answer.status, dict(answer.headers)
    except AddressRefused:
        error = "address"
    except CallFailed as failure:
        error = failure.reason
    milliseconds = int((time.monotonic() - began) * 1000)
    return Outcome(at=at, status=status, error=error, milliseconds=milliseconds, retry_after=_retry_after(headers))


def _next(turn: Turn) -> Message | None:
    """The next message of the endpoint; None when nothing is due or the endpoint is another's now."""
    endpoint = _held(turn).first()
    if endpoint is None:
        return None
    waiting = WebhookDelivery.objects.filter(
        endpoint_id=turn.endpoint_id, status=DeliveryStatus.PENDING, next_attempt_at__lte=Now()
    )
    is_paused = endpoint.paused_until is not None and endpoint.paused_until > timezone.now()
    if endpoint.disabled_by or is_paused:
        waiting = waiting.filter(event_type=TEST_TYPE)
    delivery = waiting.order_by("next_attempt_at", "id").first()
    if delivery is None:
        _held(turn).update(lease_until=Now())
        return None
    _held(turn).update(lease_until=Now() + LEASE)
    return _message(endpoint, delivery)


def _message(endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> Message:
    message_id, timestamp, body = str(delivery.event_id), int(time.time()), bytes(delivery.body)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature_header(
            signing_keys(endpoint), message_id=message_id, timestamp=timestamp, body=body
        ),
    }
    return Message(delivery.pk, endpoint.url, body, headers)


def _held(turn: Turn) -> Any:
    return WebhookEndpoint.objects.filter(pk=turn.endpoint_id, fence=turn.fence)


def _retry_after(headers: Mapping[str, str]) -> int:
    """Seconds that the receiver asks for; a date is not taken, since whose clock it is nobody knows."""
    text = headers.get("retry-after", "")
    return min(int(text), 10**6) if text.isascii() and text.isdecimal() and len(text) < 10 else 0  # noqa: PLR2004
