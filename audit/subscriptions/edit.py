"""Event subscriptions are made, changed and ended."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from access.services.authorize import authorize
from audit.alerts.open import resolve_cause
from audit.models import EventSubscription
from audit.services.sending import authorize_sending
from audit.subscriptions.draft import Draft, draft_of, require_sound
from audit.subscriptions.errors import SubscriptionNameTaken, TooManySubscriptions, UnknownSubscription
from audit.subscriptions.match import ALERT
from audit.subscriptions.room import require_room
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_tenant_id

#: Subscriptions of one tenant.
MOST: Final = 100
#: The resource of decisions about subscriptions.
RESOURCE: Final = "event_subscription"
MANAGE: Final = "subscription.manage"


def create_subscription(principal: Principal, *, draft: Draft) -> EventSubscription:
    """A new subscription: it is told of events from now on.

    Takes the right to read the audit as well. Raises AccessDenied, StepUpRequired, InvalidInput, InvalidFilter,
    SubscriptionNameTaken, TooManySubscriptions.
    """
    authorize_sending(principal, MANAGE, ResourceRef(RESOURCE))
    require_sound(draft)
    require_room(draft.filter.strip())
    if EventSubscription.objects.count() >= MOST:
        raise TooManySubscriptions(f"at most {MOST}", most=MOST)
    row = EventSubscription(tenant_id=current_tenant_id(), created_by=principal.id, **draft.columns())
    _save(row)
    _tell(row, "created")
    return row


def change_subscription(
    principal: Principal, *, subscription_id: UUID, changes: Mapping[str, Any]
) -> EventSubscription:
    """Replace members of a subscription (those of Draft); what was chosen before goes where it was to go.

    Takes the right to read the audit as well. Raises AccessDenied, StepUpRequired, UnknownSubscription, InvalidInput,
    InvalidFilter, SubscriptionNameTaken.
    """
    authorize_sending(principal, MANAGE, ResourceRef(RESOURCE, str(subscription_id)))
    row = _held(subscription_id)
    draft = replace(draft_of(row), **changes)
    require_sound(draft)
    require_room(draft.filter.strip(), instead_of=row.expression)
    for name, value in draft.columns().items():
        setattr(row, name, value)
    row.updated_at = Now()
    _save(row)
    resolve_cause(ALERT, str(row.pk))
    _tell(row, "changed")
    return row


def delete_subscription(principal: Principal, *, subscription_id: UUID) -> None:
    """End a subscription. Raises AccessDenied, StepUpRequired, UnknownSubscription."""
    authorize(principal, MANAGE, ResourceRef(RESOURCE, str(subscription_id)))
    row = _held(subscription_id)
    resolve_cause(ALERT, str(row.pk))
    _tell(row, "deleted")
    row.delete()


def _held(subscription_id: UUID) -> EventSubscription:
    row = EventSubscription.objects.select_for_update().filter(pk=subscription_id).first()
    if row is None:
        raise UnknownSubscription
    return row


def _save(row: EventSubscription) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as exc:
        raise SubscriptionNameTaken from exc
    row.refresh_from_db()


def _tell(row: EventSubscription, act: str) -> None:
    facts = {
        "act": act,
        "topics": row.topics,
        "types": row.types,
        "format": row.format,
        "endpoint": str(row.endpoint_id or ""),
        "route": row.route,
        "is_active": row.is_active,
    }
    emit(Event(EventType.SUBSCRIPTION_CHANGED, "update", ResourceRef(RESOURCE, str(row.pk)), metadata=facts))
