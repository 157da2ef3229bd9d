"""What the broker refused each time: put aside with an event and an alert, so that its lane moves on."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, cast
from uuid import UUID

from audit.alerts.open import raise_alert
from audit.brokers.base import Refusal
from audit.models import BrokerDelivery, DeadLetter
from audit.relay.backoff import TRIES
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: Messages put aside in one transaction.
BATCH: Final = 500
#: A topic that something was given up for is not tried five times over again for so long.
REMEMBERED: Final = timedelta(minutes=10)
#: How long dead letters are kept.
KEPT: Final = timedelta(days=30)
#: Refusals that are the topic's matter, not the message's.
_OF_TOPIC: Final = (Refusal.UNROUTABLE, Refusal.WRONG_TYPE)


def bury_exhausted() -> int:
    """Put aside what was refused TRIES times, a tenant at a time; returns how many. No scope may be open."""
    exhausted = BrokerDelivery.objects.using("system").filter(next_try_at__isnull=False, tries__gte=TRIES)
    by_tenant: defaultdict[UUID, list[BrokerDelivery]] = defaultdict(list)
    for row in exhausted.order_by("id")[:BATCH]:
        by_tenant[cast("UUID", row.tenant_id)].append(row)
    return sum(_bury(tenant_id, rows) for tenant_id, rows in by_tenant.items())


def _bury(tenant_id: UUID, rows: Sequence[BrokerDelivery]) -> int:
    """In one transaction of the tenant: the row, its dead letter, the event and the alert, or none of them."""
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        buried: defaultdict[tuple[str, str], list[BrokerDelivery]] = defaultdict(list)
        for row in rows:
            taken, _ = BrokerDelivery.objects.filter(pk=row.pk, tries__gte=TRIES).delete()
            if taken:
                DeadLetter.objects.create(**_addressed(row), tries=row.tries)
                buried[row.topic, row.reason].append(row)
        for (topic, reason), theirs in buried.items():
            _tell(topic, reason, theirs)
    return sum(map(len, buried.values()))


def _addressed(row: BrokerDelivery | DeadLetter) -> dict[str, object]:
    names = ("event_id", "event_time", "event_type", "dataset_id", "lane", "topics", "content_type", "body", "reason")
    return {name: getattr(row, name) for name in names}


def _tell(topic: str, reason: str, rows: Sequence[BrokerDelivery]) -> None:
    """An event for all that was refused alike, unless it is such events themselves that are refused."""
    facts = {"destination": "broker", "topic": topic, "reason": reason}
    told = [row for row in rows if row.event_type != EventType.DELIVERY_FAILED]
    if told:
        emit(
            Event(
                EventType.DELIVERY_FAILED,
                operation="write",
                resource=ResourceRef("dead_letter"),
                status="failure",
                severity="warning",
                failure_reason=reason,
                metadata=facts | {"count": len(told)},
            )
        )
    raise_alert(
        kind="delivery.dead", cause=cause_of(topic, reason), severity="warning", facts=facts, occurrences=len(rows)
    )


def cause_of(topic: str, reason: str) -> str:
    """What tells one alert about dead letters from another."""
    return f"broker {topic} {reason}"


def lost_topics() -> frozenset[tuple[str, str]]:
    """Topics, with the reason, that something was given up for within REMEMBERED; asked as vault_system."""
    since = uuid7(datetime.now(UTC) - REMEMBERED)
    recent = DeadLetter.objects.using("system").filter(id__gte=since, reason__in=_OF_TOPIC, replayed_at__isnull=True)
    return frozenset((topics[0], reason) for topics, reason in recent.values_list("topics", "reason").distinct())


def restore(letter: DeadLetter) -> None:
    """Put a dead letter among what waits for the broker, in the open scope of its tenant."""
    BrokerDelivery.objects.create(**_addressed(letter) | {"reason": ""})


def forget_dead_letters() -> int:
    """Delete those older than KEPT, as vault_system; returns how many."""
    deleted, _ = DeadLetter.objects.using("system").filter(id__lt=uuid7(datetime.now(UTC) - KEPT)).delete()
    return deleted
