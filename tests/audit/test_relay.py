"""Rules of the outbox's relay."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connections
from django.utils import timezone

from audit.models import OutboxEntry
from audit.services.record import format_time
from audit.services.relay import forget_delivered, relay_batch
from tests.audit.proofs.logs import copy_event
from tests.factories.audit import dataset_ref, make_event, make_principal, record
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope


class Killed(BaseException):
    """Ends what runs."""


class Subscriber:
    """Receives what the relay hands on; ``failing_after`` deliveries it ends, as a process that is killed."""

    def __init__(self, failing_after: int | None = None) -> None:
        self.received: list = []
        self.failing_after = failing_after

    def __call__(self, deliveries) -> None:
        for delivery in deliveries:
            if self.failing_after is not None and len(self.received) >= self.failing_after:
                raise Killed
            self.received.append(delivery)

    def ids_of(self, tenant_id) -> list[str]:
        return [delivery.envelope["id"] for delivery in self.received if delivery.tenant_id == tenant_id]


@pytest.fixture(autouse=True)
def _empty_outbox(tenant) -> None:
    """What others left, and what making the tenant told, is out of the way."""
    while relay_batch(Subscriber()):
        pass


def waiting(tenant_id):
    return OutboxEntry.objects.using("system").filter(tenant_id=tenant_id, delivered_at__isnull=True)


def test_an_event_leaves_once(tenant) -> None:
    event, subscriber = make_event(), Subscriber()
    record(tenant.pk, event)
    assert relay_batch(subscriber) >= 1
    assert str(event.id) in subscriber.ids_of(tenant.pk)
    again = Subscriber()
    assert relay_batch(again) == 0
    assert again.received == []


def test_nothing_is_lost_when_the_relay_ends_in_the_middle(tenant) -> None:
    """T85: between the commit of an event and its delivery."""
    events = [make_event() for _ in range(4)]
    record(tenant.pk, *events)
    broken, whole = Subscriber(failing_after=2), Subscriber()
    with pytest.raises(Killed):
        relay_batch(broken)
    assert waiting(tenant.pk).count() == len(events)
    relay_batch(whole)
    assert whole.ids_of(tenant.pk) == [str(event.id) for event in events]
    assert set(broken.ids_of(tenant.pk)) <= set(whole.ids_of(tenant.pk))  # repeated, told apart by id
    assert not waiting(tenant.pk).exists()


def test_an_id_that_two_tenants_have_names_an_event_of_each(tenant, rival) -> None:
    while relay_batch(Subscriber()):
        pass
    mine, theirs = make_event(purpose="analytics"), make_event(purpose="marketing")
    theirs = replace(theirs, id=mine.id)
    record(tenant.pk, mine)
    record(rival.pk, theirs)
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        copy_event(connections["default"].cursor(), mine.id, mine.time + timedelta(seconds=3))
    subscriber = Subscriber()
    assert relay_batch(subscriber) == 2
    told = {(one.tenant_id, one.envelope["source"], one.envelope["time"]) for one in subscriber.received}
    assert told == {
        (one.pk, f"urn:llm-data-vault:tenant:{one.pk}", format_time(event.time))
        for one, event in ((tenant, mine), (rival, theirs))
    }


def test_events_of_one_dataset_arrive_in_the_order_of_their_commits(tenant) -> None:
    resource = dataset_ref(uuid4())
    events = [make_event(resource=resource) for _ in range(7)]
    for event in events:
        record(tenant.pk, event, make_event())
    subscriber = Subscriber()
    while relay_batch(subscriber, limit=3):
        pass
    partition = [
        delivery.envelope["id"]
        for delivery in subscriber.received
        if delivery.envelope.get("partitionkey") == str(resource.dataset_id)
    ]
    assert partition == [str(event.id) for event in events]


def test_a_second_relay_waits_for_its_turn(tenant) -> None:
    record(tenant.pk, make_event())
    moved_meanwhile = []

    def rival_relay() -> int:
        try:
            return relay_batch(Subscriber())
        finally:
            connections.close_all()

    def publish(_deliveries) -> None:
        with ThreadPoolExecutor(1) as pool:
            moved_meanwhile.append(pool.submit(rival_relay).result())

    assert relay_batch(publish) >= 1
    assert moved_meanwhile == [0]


def test_four_relays_at_once_keep_the_order_and_deliver_once(tenant) -> None:
    """T85"""
    resource = dataset_ref(uuid4())
    events = [make_event(resource=resource) for _ in range(60)]
    record(tenant.pk, *events)
    subscriber = Subscriber()

    def relay_until_empty() -> None:
        try:
            while waiting(tenant.pk).exists():
                relay_batch(subscriber, limit=7)
        finally:
            connections.close_all()

    connections["system"].close()  # the pool is small
    with ThreadPoolExecutor(4) as pool:
        for relay in [pool.submit(relay_until_empty) for _ in range(4)]:
            relay.result()
    assert subscriber.ids_of(tenant.pk) == [str(event.id) for event in events]


def test_what_is_sealed_stays_inside(tenant) -> None:
    record(tenant.pk, make_event(), principal=make_principal(tenant.pk, name="Ada Canary"))
    subscriber = Subscriber()
    relay_batch(subscriber)
    (envelope,) = [
        delivery.envelope for delivery in subscriber.received if delivery.envelope["data"]["actor"]["type"] == "user"
    ]
    assert "sealed" not in json.dumps(envelope)
    assert envelope["specversion"] == "1.0"
    assert envelope["source"] == f"urn:llm-data-vault:tenant:{tenant.pk}"
    assert envelope["data"]["action"] == {"operation": "read", "status": "success"}
    assert set(envelope["data"]["actor"]) == {"type", "id"}


def test_delivered_entries_are_forgotten_after_a_day_and_waiting_ones_never(tenant) -> None:
    delivered, recent, undelivered = (make_event() for _ in range(3))
    record(tenant.pk, delivered, recent, undelivered, principal=Principal.system(tenant.pk))
    entries = OutboxEntry.objects.using("system").filter(tenant_id=tenant.pk)
    entries.filter(event_id=delivered.id).update(delivered_at=timezone.now() - timedelta(days=1, minutes=1))
    entries.filter(event_id=recent.id).update(delivered_at=timezone.now() - timedelta(hours=23))
    forget_delivered()
    assert not entries.filter(event_id=delivered.id).exists()
    assert entries.filter(event_id=recent.id).exists()
    assert entries.filter(event_id=undelivered.id).exists()
