"""Rules of the way to the message broker: order, repetition, refusal."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import orjson
import pytest
from django.db import connections
from django.utils import timezone

from audit.brokers.base import Refusal
from audit.errors import BrokerUnavailable
from audit.models import Alert, AuditEvent, BrokerDelivery, DeadLetter
from audit.relay import backoff
from audit.relay.dead_letters import bury_exhausted, forget_dead_letters
from audit.relay.publish import publish_batch
from tests.factories.access import acting
from tests.factories.audit import dataset_ref, make_event, record
from tests.factories.deliveries import ListBroker, broker_configured, empty_queue, hand_on_everything
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.identifiers import uuid7


@pytest.fixture(autouse=True)
def _queueing(tenant):
    empty_queue()
    with broker_configured():
        yield
    empty_queue()


def waiting(tenant):
    return BrokerDelivery.objects.using("system").filter(tenant_id=tenant.pk).order_by("id")


def due_now(tenant) -> None:
    """As if the wait for the next try were over."""
    BrokerDelivery.objects.using("system").filter(tenant_id=tenant.pk, next_try_at__isnull=False).update(
        next_try_at=timezone.now() - timedelta(seconds=1)
    )


def of_dataset(dataset_id, count: int, **facts):
    return [make_event(resource=dataset_ref(dataset_id), **facts) for _ in range(count)]


def exhaust(tenant, broker) -> None:
    for _ in range(backoff.TRIES):
        publish_batch(broker)
        due_now(tenant)
    bury_exhausted()


def test_what_is_published_is_the_envelope_under_the_topics_of_its_type(tenant) -> None:
    dataset_id = uuid4()
    (event,) = of_dataset(dataset_id, 1)
    record(tenant.pk, event)
    hand_on_everything()
    publish_batch(broker := ListBroker())
    (sent,) = (each for each in broker.taken if each.id == event.id)
    assert sent.topics == ("vault.events.data.access", "vault.events.access")
    assert (sent.type, sent.partition_key) == ("data.access.read", str(dataset_id))
    assert (sent.source, sent.time) == (f"urn:llm-data-vault:tenant:{tenant.pk}", event.time)
    assert sent.content_type == "application/cloudevents+json"
    body = orjson.loads(sent.body)
    assert (body["specversion"], body["id"], body["partitionkey"]) == ("1.0", str(event.id), str(dataset_id))
    assert b"sealed" not in sent.body


def test_nothing_is_queued_where_no_broker_is_configured(tenant, settings) -> None:
    settings.VAULT = settings.VAULT | {"BROKER": None}
    record(tenant.pk, make_event())
    hand_on_everything()
    assert not waiting(tenant).exists()


def test_what_is_confirmed_is_gone_and_what_is_not_is_sent_again_in_its_order(tenant) -> None:
    events = of_dataset(uuid4(), 5)
    record(tenant.pk, *events)
    hand_on_everything()
    broker = ListBroker()
    broker.is_away = True
    for _ in range(8):
        with pytest.raises(BrokerUnavailable):
            publish_batch(broker)
    assert {(row.tries, row.next_try_at) for row in waiting(tenant)} == {(0, None)}, "away is no fault of an event"
    broker.is_away = False
    assert publish_batch(broker) >= 5
    assert [each for each in broker.ids_of(tenant.pk) if each in {str(event.id) for event in events}] == [
        str(event.id) for event in events
    ]
    assert not waiting(tenant).exists()


def test_a_refused_event_holds_its_own_dataset_and_no_other(tenant) -> None:
    held, free = uuid4(), uuid4()
    poison, follower = of_dataset(held, 2)
    (other,) = of_dataset(free, 1)
    broker = ListBroker(lambda each: Refusal.REJECTED if each.id == poison.id else None)
    record(tenant.pk, poison)
    hand_on_everything()
    publish_batch(broker)
    waiting(tenant).filter(event_id=poison.id).update(next_try_at=timezone.now() + timedelta(hours=1))
    record(tenant.pk, follower, other)
    hand_on_everything()
    publish_batch(broker)
    assert str(other.id) in broker.ids_of(tenant.pk)
    assert str(follower.id) not in broker.ids_of(tenant.pk)
    (row,) = waiting(tenant).filter(event_id=poison.id)
    assert (row.tries, row.reason) == (1, "rejected")
    broker.refuse = lambda _: None
    due_now(tenant)
    while publish_batch(broker):
        pass
    assert [each for each in broker.ids_of(tenant.pk) if each in {str(poison.id), str(follower.id)}] == [
        str(poison.id),
        str(follower.id),
    ]


def test_a_poison_message_ends_as_a_dead_letter_with_an_event_and_an_alert_and_the_queue_moves_on(tenant) -> None:
    """T69"""
    dataset_id = uuid4()
    poison, follower = of_dataset(dataset_id, 2)
    broker = ListBroker(lambda each: Refusal.REJECTED if each.id == poison.id else None)
    record(tenant.pk, poison)
    hand_on_everything()
    publish_batch(broker)
    record(tenant.pk, follower)
    hand_on_everything()
    exhaust(tenant, broker)
    with acting(tenant):
        (letter,) = DeadLetter.objects.all()
        assert (letter.event_id, letter.reason, letter.tries) == (poison.id, "rejected", backoff.TRIES)
        (told,) = AuditEvent.objects.filter(type=EventType.DELIVERY_FAILED)
        assert (told.status, told.failure_reason) == ("failure", "rejected")
        (alert,) = Alert.objects.filter(kind="delivery.dead")
        assert alert.facts == {"destination": "broker", "topic": "vault.events.data.access", "reason": "rejected"}
    publish_batch(broker)
    assert str(follower.id) in broker.ids_of(tenant.pk)


def test_a_topic_that_leads_nowhere_is_not_tried_five_times_for_each_event(tenant) -> None:
    broker = ListBroker(lambda each: Refusal.UNROUTABLE if each.topics[0].endswith("access") else None)
    record(tenant.pk, *of_dataset(uuid4(), 1))
    hand_on_everything()
    exhaust(tenant, broker)
    more = of_dataset(uuid4(), 6)
    record(tenant.pk, *more)
    hand_on_everything()
    publish_batch(broker)
    bury_exhausted()
    with acting(tenant):
        assert {letter.event_id for letter in DeadLetter.objects.all()} >= {event.id for event in more}
        assert Alert.objects.get(kind="delivery.dead").count == 7


def test_refused_news_of_refusals_makes_no_more_news(tenant) -> None:
    broker = ListBroker(lambda _: Refusal.REJECTED)
    record(tenant.pk, *of_dataset(uuid4(), 1))
    for _ in range(3):
        hand_on_everything()
        for _ in range(backoff.TRIES):
            exhaust(tenant, broker)
    hand_on_everything()
    with acting(tenant):
        dead = {letter.event_type for letter in DeadLetter.objects.all()}
        assert EventType.DELIVERY_FAILED in dead
        told = AuditEvent.objects.filter(type=EventType.DELIVERY_FAILED).count()
    for _ in range(backoff.TRIES * 2):
        exhaust(tenant, broker)
        hand_on_everything()
    with acting(tenant):
        assert AuditEvent.objects.filter(type=EventType.DELIVERY_FAILED).count() == told


def test_four_relays_at_once_keep_the_order_of_each_dataset_through_a_broker_that_fails(tenant) -> None:
    """T85: counted; among first arrivals."""
    lanes = [uuid4() for _ in range(5)]
    order = {lane: [make_event(resource=dataset_ref(lane)) for _ in range(20)] for lane in lanes}
    for number in range(20):
        record(tenant.pk, *(order[lane][number] for lane in lanes))
    hand_on_everything()
    broker, chance = ListBroker(), random.Random(7)

    def breaks_at_times(messages):
        kept = chance.randrange(len(messages) + 1) if chance.random() < 0.4 else len(messages)
        broker.taken += messages[:kept]
        if kept < len(messages):
            raise BrokerUnavailable
        return {}

    def relay_until_empty() -> None:
        try:
            while waiting(tenant).exists():
                try:
                    publish_batch(broker, limit=13)
                except BrokerUnavailable:
                    continue
        finally:
            connections.close_all()

    broker.publish = breaks_at_times
    connections["system"].close()  # the pool is small
    with ThreadPoolExecutor(4) as pool:
        for relay in [pool.submit(relay_until_empty) for _ in range(4)]:
            relay.result()
    first = list(dict.fromkeys(each.id for each in broker.taken))
    for lane in lanes:
        mine = [event.id for event in order[lane]]
        assert [each for each in first if each in set(mine)] == mine


def test_waits_grow_from_a_second_to_five_minutes() -> None:
    waits = [backoff.wait_seconds(failures) for failures in range(1, 40)]
    assert 0.8 <= waits[0] <= 1
    assert 240 <= waits[-1] <= 300
    assert 2.4 <= waits[1] <= 3
    assert len({backoff.wait_seconds(3) for _ in range(5)}) > 1


def test_dead_letters_are_forgotten_after_thirty_days(tenant) -> None:
    broker = ListBroker(lambda _: Refusal.TOO_LARGE)
    record(tenant.pk, make_event())
    hand_on_everything()
    publish_batch(broker)
    assert bury_exhausted() >= 1, "no other try makes it smaller"
    with acting(tenant):
        recent = DeadLetter.objects.latest("id")
        facts = {field.attname: getattr(recent, field.attname) for field in DeadLetter._meta.concrete_fields}
        old = DeadLetter.objects.create(**facts | {"id": uuid7(timezone.now() - timedelta(days=30, minutes=1))})
    forget_dead_letters()
    with acting(tenant):
        assert DeadLetter.objects.filter(pk=recent.pk).exists()
        assert not DeadLetter.objects.filter(pk=old.pk).exists()
