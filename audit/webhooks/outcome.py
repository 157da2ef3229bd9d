"""What becomes of a delivery and its endpoint after an attempt."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models.functions import Now
from django.utils import timezone

from audit.alerts.open import raise_alert
from audit.models import DeliveryStatus, DisabledBy, WebhookDelivery, WebhookEndpoint
from audit.webhooks.endpoints import ALERT, resource_of
from audit.webhooks.trial import TEST_TYPE
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType

#: Seconds after each failed attempt before the next; after the last there is none.
SCHEDULE: Final = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
#: An endpoint that failed is let alone for so many seconds, twice as long with every failure, up to the second.
PAUSE: Final = (5, 300)
#: The longest that a receiver may ask to wait, seconds.
LONGEST_WAIT: Final = 3600
#: An endpoint that failed for so long, without one success, is switched off.
PATIENCE: Final = timedelta(days=5)
#: Attempts that a delivery's log keeps, the newest.
KEPT_TRIES: Final = 20
#: Messages that may wait for one endpoint. With more it is switched off, and they end: they can be made up for.
MOST_WAITING: Final = 50_000
_GONE: Final = 410


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended: the ``status`` of the answer, or 0 and a word in ``error`` (see outgoing.CallFailed)."""

    at: datetime
    status: int
    error: str
    milliseconds: int
    #: Seconds that the receiver asked for; 0: it did not.
    retry_after: int = 0

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004 - the specification's "2xx"

    def as_json(self) -> dict[str, Any]:
        return {
            "at": self.at.isoformat(),
            "status": self.status or None,
            "error": self.error,
            "milliseconds": self.milliseconds,
        }


def settle(endpoint_id: UUID, fence: int, delivery_id: UUID, outcome: Outcome) -> bool:
    """Write down how an attempt ended, in the tenant's scope; whether the sender may go on with this endpoint.

    Writes nothing when the endpoint is gone or another sender's: that one sends again and settles it.
    """
    endpoint = WebhookEndpoint.objects.select_for_update().filter(pk=endpoint_id, fence=fence).first()
    delivery = WebhookDelivery.objects.filter(pk=delivery_id).first()
    if endpoint is None or delivery is None:
        return False
    delivery.attempts += 1
    delivery.tries = [*delivery.tries, outcome.as_json()][-KEPT_TRIES:]
    if outcome.is_success:
        _succeed(endpoint, delivery, outcome)
    elif delivery.event_type == TEST_TYPE:
        _finish(delivery, DeliveryStatus.FAILED, outcome)
    else:
        _fail(endpoint, delivery, outcome)
    delivery.save()
    endpoint.save()
    return outcome.is_success


def end_overfull(endpoint_id: UUID, fence: int) -> None:
    """Switch an endpoint off for which more than MOST_WAITING messages wait, in the tenant's scope."""
    waiting = WebhookDelivery.objects.filter(endpoint_id=endpoint_id, status=DeliveryStatus.PENDING)
    if not waiting[MOST_WAITING : MOST_WAITING + 1].exists():
        return
    endpoint = WebhookEndpoint.objects.select_for_update().filter(pk=endpoint_id, fence=fence, disabled_by="").first()
    if endpoint is not None:
        waiting.update(status=DeliveryStatus.FAILED, finished_at=Now())
        _switch_off(endpoint, DisabledBy.FAILING, why=f"more than {MOST_WAITING} messages waited")
        endpoint.save()


def _succeed(endpoint: WebhookEndpoint, delivery: WebhookDelivery, outcome: Outcome) -> None:
    _finish(delivery, DeliveryStatus.DELIVERED, outcome)
    endpoint.failures, endpoint.failing_since, endpoint.paused_until = 0, None, None
    endpoint.last_success_at = outcome.at


def _fail(endpoint: WebhookEndpoint, delivery: WebhookDelivery, outcome: Outcome) -> None:
    now, wait = timezone.now(), min(outcome.retry_after, LONGEST_WAIT)
    if delivery.attempts > len(SCHEDULE) or outcome.status == _GONE:
        _finish(delivery, DeliveryStatus.FAILED, outcome)
    else:
        delay = max(SCHEDULE[delivery.attempts - 1] * _jitter(), wait)
        delivery.next_attempt_at = now + timedelta(seconds=delay)
    pause = min(PAUSE[0] * 2 ** min(endpoint.failures, 10), PAUSE[1])
    endpoint.paused_until = now + timedelta(seconds=max(pause, wait))
    endpoint.failures += 1
    endpoint.failing_since = endpoint.failing_since or now
    if outcome.status == _GONE:
        _switch_off(endpoint, DisabledBy.GONE)
    elif now - endpoint.failing_since > PATIENCE:
        _switch_off(endpoint, DisabledBy.FAILING)


def _finish(delivery: WebhookDelivery, status: DeliveryStatus, outcome: Outcome) -> None:
    delivery.status, delivery.finished_at = status, outcome.at


def _switch_off(endpoint: WebhookEndpoint, by: DisabledBy, *, why: str = "") -> None:
    endpoint.disabled_by, endpoint.disabled_at, endpoint.disabled_reason = by, timezone.now(), why or str(by.label)
    facts = {"reason": why or str(by), "failures": endpoint.failures}
    raise_alert(kind=ALERT, cause=str(endpoint.pk), severity="warning", facts=facts)
    emit(
        Event(
            EventType.WEBHOOK_DISABLED,
            operation="update",
            resource=resource_of(endpoint.pk),
            severity="warning",
            metadata=facts,
        )
    )


def _jitter() -> float:
    """1 to 1.2: retries of many messages do not come together."""
    return 1 + secrets.randbelow(1000) / 5000
