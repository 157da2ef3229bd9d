"""What waits to be sent: one row for each event and each endpoint that wants it."""

import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from uuid import UUID

import orjson

from audit.models import AuditEvent, WebhookDelivery, WebhookEndpoint
from audit.subscriptions.match import Match
from audit.webhooks.match import Wanted, wanted
from vaultsite.kernel.identifiers import uuid7_from

_RANDOM_BITS: Final = 50
#: Rows of one INSERT.
_ROWS: Final = 500


def enqueue_deliveries(tenant_id: UUID, events: Sequence[AuditEvent], matches: Sequence[Match] = ()) -> int:
    """Queue a tenant's ``events``, in the order they happened, for the endpoints that want them.

    ``matches`` are what subscriptions send to endpoints beside; those for a broker are passed over. Called by the relay
    as vault_system inside its transaction (alias ``system``), once for a tenant and batch; it may repeat itself: what
    is queued for an endpoint already is left as it is. Returns how many (event, endpoint) pairs were wanted.
    """
    endpoints = list(WebhookEndpoint.objects.using("system").filter(tenant_id=tenant_id, disabled_by="").order_by("pk"))
    rows = list(new_rows(tenant_id, wanted(endpoints, events, matches))) if endpoints else []
    WebhookDelivery.objects.using("system").bulk_create(rows, batch_size=_ROWS, ignore_conflicts=True)
    return len(rows)


def new_rows(tenant_id: UUID, pairs: Iterable[Wanted]) -> Iterator[WebhookDelivery]:
    """Unsaved rows in the order of the pairs: their ids sort within the batch as well, and cannot be guessed."""
    moment = time.time_ns() // 1_000_000
    for number, pair in enumerate(pairs):
        yield WebhookDelivery(
            id=uuid7_from(moment, number << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)),
            tenant_id=tenant_id,
            endpoint_id=pair.endpoint_id,
            event_id=pair.event_id,
            event_type=pair.event_type[:100],
            body=orjson.dumps(pair.body),
        )
