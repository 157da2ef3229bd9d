"""Reading event subscriptions, and what they would have chosen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from audit.models import AuditEvent, EventSubscription
from audit.subscriptions.draft import Draft, require_choice
from audit.subscriptions.errors import UnknownSubscription
from audit.subscriptions.hearing import Hearing
from audit.subscriptions.match import choose
from vaultsite.kernel.tenancy.scope import current_tenant_id

#: Events that a trial looks at, the newest ones.
TRIED: Final = 1000
#: Subscriptions on one page: as many as a tenant may have.
MAX_SHOWN: Final = 100
#: Matching events that a trial shows.
SHOWN: Final = 5


@dataclass(frozen=True)
class Trial:
    """``matched`` of the ``tried`` newest events would have been sent; ``newest`` are the last of those."""

    tried: int
    matched: int
    newest: Sequence[AuditEvent]


def find_subscription(subscription_id: UUID) -> EventSubscription:
    """Raises UnknownSubscription."""
    row = EventSubscription.objects.filter(pk=subscription_id).first()
    if row is None:
        raise UnknownSubscription
    return row


def list_subscriptions(*, limit: int, after: UUID | None = None) -> list[EventSubscription]:
    """At most ``limit``, those made last first."""
    rows = EventSubscription.objects.order_by("-pk")
    return list((rows.filter(pk__lt=after) if after else rows)[:limit])


def try_draft(draft: Draft) -> Trial:
    """What ``draft`` would have chosen of the tenant's newest events. Raises InvalidInput, InvalidFilter."""
    require_choice(draft)
    candidate = EventSubscription(tenant_id=current_tenant_id(), **draft.columns())
    events = AuditEvent.objects.filter(tenant_id=current_tenant_id()).order_by("-time", "-pk")[:TRIED]
    tried, matched = 0, 0
    newest: list[AuditEvent] = []
    for event in events.iterator():
        tried += 1
        if choose(candidate, Hearing(event)) is not None:
            matched += 1
            newest += [event] if len(newest) < SHOWN else []
    return Trial(tried, matched, newest)
