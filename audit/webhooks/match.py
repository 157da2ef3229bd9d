"""Which endpoint wants which event."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import UUID

from audit.models import AuditEvent, WebhookEndpoint
from audit.subscriptions.errors import InvalidFilter
from audit.subscriptions.hearing import Hearing
from audit.subscriptions.match import Match, tell_unreadable

#: Stands for every type in the list of an endpoint.
EVERY_TYPE: Final = "*"


@dataclass(frozen=True)
class Wanted:
    """An event on its way to one endpoint, in the shape it is sent in."""

    endpoint_id: UUID
    event_id: UUID
    event_type: str
    body: Mapping[str, Any]


def wanted(
    endpoints: Sequence[WebhookEndpoint], events: Sequence[AuditEvent], matches: Sequence[Match]
) -> Iterator[Wanted]:
    """What ``endpoints`` want of ``events`` and what subscriptions send them, all of one tenant, in the events' order.

    An endpoint that wants an event by itself gets it once, as CloudEvents, whatever subscriptions say beside. One whose
    filter cannot be read wants nothing, which an alert tells.
    """
    known = {endpoint.pk for endpoint in endpoints}
    directed: dict[UUID, list[Match]] = {}
    for match in matches:
        if match.endpoint_id in known:
            directed.setdefault(match.event_id, []).append(match)
    readable = {endpoint.pk: endpoint for endpoint in endpoints}
    for event in events:
        hearing, takers = Hearing(event), list[UUID]()
        for endpoint in list(readable.values()):
            try:
                takers += [endpoint.pk] if wants(endpoint, hearing) else []
            except InvalidFilter as error:  # written for a language that this release does not speak
                del readable[endpoint.pk]
                tell_unreadable(cast("UUID", endpoint.tenant_id), endpoint, error.code)
        yield from (Wanted(taker, event.pk, event.type, hearing.shaped()) for taker in takers)
        for match in directed.get(event.pk, ()):
            if match.endpoint_id is not None and match.endpoint_id not in takers:
                yield Wanted(match.endpoint_id, event.pk, match.event_type, match.body)


def wants(endpoint: WebhookEndpoint, hearing: Hearing) -> bool:
    """Whether the endpoint lists the event's type and its filter holds. Raises InvalidFilter."""
    if hearing.event.type not in endpoint.event_types and EVERY_TYPE not in endpoint.event_types:
        return False
    return hearing.passes(endpoint.filter)
