"""Which subscriptions an event goes to, as the relay asks for a batch of them."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from audit.alerts.open import raise_alert
from audit.catalog.envelope import fits
from audit.catalog.topics import topic_of, topics_of
from audit.models import AuditEvent, EventSubscription, WebhookEndpoint
from audit.subscriptions.hearing import Hearing
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: The kind of alert that tells of a subscription, or a webhook's filter, that this release cannot read.
ALERT: Final = "subscription.unreadable"
logger = logging.getLogger("vault.audit")


@dataclass(frozen=True)
class Match:
    """One event on its way to one subscription.

    Exactly one of ``endpoint_id`` (a webhook endpoint of the tenant) and ``route`` (where the broker begins its routing
    key or stream, below the tenant's prefix) is given. ``event_id`` is what subscribers tell repetitions by,
    ``event_type`` the type in the subscription's vocabulary, ``topic`` the first of the event's topics that was
    subscribed to, ``body`` what is sent, in the subscription's format. Events of one ``dataset_id`` keep their order.
    """

    tenant_id: UUID
    subscription_id: UUID
    event_id: UUID
    event_type: str
    topic: str
    dataset_id: UUID | None
    body: Mapping[str, Any]
    endpoint_id: UUID | None = None
    route: str = ""


def matching(tenant_id: UUID, events: Sequence[AuditEvent]) -> list[Match]:
    """What of ``events`` (all of one tenant) goes where, in their order; called by the relay, as vault_system.

    One query a call: the tenant's active subscriptions. One that cannot be read gets nothing, which an alert tells; the
    others get theirs.
    """
    rows = EventSubscription.objects.using("system").filter(tenant_id=tenant_id, is_active=True).order_by("pk")
    subscriptions = {subscription.pk: subscription for subscription in rows}
    found: list[Match] = []
    for event in events if subscriptions else ():
        hearing = Hearing(event)
        for subscription in list(subscriptions.values()):
            try:
                found += _match(tenant_id, hearing, subscription)
            except (VaultError, KeyError) as error:  # written for a release that speaks otherwise
                del subscriptions[subscription.pk]
                tell_unreadable(tenant_id, subscription, getattr(error, "code", type(error).__name__))
    return found


def tell_unreadable(tenant_id: UUID, row: EventSubscription | WebhookEndpoint, reason: str) -> None:
    """Raise an alert of a subscription or webhook that gets no events, since what it says cannot be read."""
    what = "webhook" if isinstance(row, WebhookEndpoint) else "event subscription"
    logger.error("%s: %s %s gets no events", reason, what, row.pk)
    facts = {"what": what, "reason": reason}
    try:
        with tenant_scope(tenant_id, Principal.system(tenant_id)):
            raise_alert(kind=ALERT, cause=str(row.pk), severity="warning", facts=facts)
    except VaultError as error:  # no alert is no reason to hold back what others are to be told
        logger.error("%s: no alert tells of it", error.code)  # noqa: TRY400


def choose(subscription: EventSubscription, hearing: Hearing) -> str | None:
    """The topic under which the subscription is told of the event; None when it is not. Raises InvalidFilter."""
    event = hearing.event
    published = topics_of(event.type, event.severity)
    subscribed = [topic for topic in published if topic in subscription.topics]
    is_wanted = subscribed or event.type in subscription.types or not (subscription.topics or subscription.types)
    if not is_wanted or not fits(event, subscription.format):
        return None
    if not hearing.passes(subscription.expression):
        return None
    return subscribed[0] if subscribed else topic_of(event.type)


def _match(tenant_id: UUID, hearing: Hearing, subscription: EventSubscription) -> Iterable[Match]:
    topic = choose(subscription, hearing)
    if topic is not None:
        body = hearing.shaped(form=subscription.format, vocabulary=subscription.vocabulary)
        yield Match(
            tenant_id=tenant_id,
            subscription_id=subscription.pk,
            event_id=hearing.event.pk,
            event_type=body.get("type") or body["event_type"],
            topic=topic,
            dataset_id=hearing.event.dataset_id,
            body=body,
            endpoint_id=subscription.endpoint_id,
            route=subscription.route,
        )
