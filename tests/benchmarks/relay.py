"""How fast events leave the vault: from the outbox to a RabbitMQ that has confirmed them."""

import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing, suppress
from datetime import datetime
from uuid import UUID

import amqp
from django.conf import settings
from django.db import connections
from django.test import override_settings

from audit.brokers.base import EXCHANGE, Message
from audit.brokers.rabbitmq import RabbitMQ
from audit.models import BrokerDelivery, OutboxEntry
from audit.relay.loop import relay_waiting, run_relay
from tests.benchmarks.figures import Figure, Plan
from tests.benchmarks.vault import steward
from tests.brokers import PASSWORD, USER, Server, running_rabbitmq
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.providers import reset_providers
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

DATASETS, AT_ONCE, QUEUE = 200, 500, "measured"
#: Messages that the baseline publishes before it waits for their confirms, as the relay does.
BATCH = 500


def measure_relay(plan: Plan) -> list[Figure]:
    """``relay_events_s``: the relay as it runs, both loops and the live feed; in order per dataset, each one counted.

    The baseline publishes the same bytes with amqp alone, persistent and confirmed, to the same queue.
    """
    principal = steward()
    relay_waiting()
    BrokerDelivery.objects.using("system").all().delete()
    with running_rabbitmq() as server, closing(RabbitMQ(url=server.url)) as broker:
        broker.check()
        raw = _Receiver(server)
        with closing(raw):
            relayed, baselines = [], []
            for _ in range(plan.scanned_rounds):
                recorded = _record(principal, plan.records)
                relayed.append(_relay(server))
                arrived = raw.take(plan.records)
                _require_order(recorded, arrived)
                baselines.append(_publish_raw(server, arrived))
                raw.take(plan.records)
    seconds, bare = sorted(relayed)[len(relayed) // 2], sorted(baselines)[len(baselines) // 2]
    note = (
        f"{plan.records} events of {DATASETS} datasets, outbox to confirmed; every id arrived, each dataset in order; "
        f"baseline: the same bytes by amqp alone, {plan.records / bare:.0f} a second, ratio {bare / seconds:.2f}"
    )
    return [Figure("relay_events_s", plan.records / seconds, "1/s", plan.records / bare, plan.records, plan.seed, note)]


def _record(principal: Principal, count: int) -> dict[str, list[str]]:
    """Record events of datasets in turns; their ids by dataset, in the order of their commits."""
    datasets = [uuid7() for _ in range(DATASETS)]
    recorded: defaultdict[str, list[str]] = defaultdict(list)
    for start in range(0, count, AT_ONCE):
        with tenant_scope(principal.tenant_id, principal):
            for number in range(start, min(start + AT_ONCE, count)):
                event = _event(datasets[number % DATASETS])
                recorded[str(event.resource.dataset_id)].append(str(event.id))
                emit(event)
    return recorded


def _event(dataset_id: UUID) -> Event:
    what = ResourceRef("dataset", str(dataset_id), dataset_id, "pii", "3")
    facts = {"action": "record.read", "records_accessed": 100, "bytes_transferred": 81_920, "duration_ms": 12}
    return Event(EventType.ACCESS_READ, "read", what, purpose="evaluation", policies=("roles",), metadata=facts)


def _relay(server: Server) -> float:
    """Seconds until nothing waits any more."""
    stop = threading.Event()
    chosen = {"BACKEND": "audit.brokers.rabbitmq.RabbitMQ", "OPTIONS": {"url": server.url}}
    with override_settings(VAULT=settings.VAULT | {"BROKER": chosen}):
        connections["system"].close()  # the relay's two connections are all that its pool has
        reset_providers()
        relay = threading.Thread(target=run_relay, args=[stop])
        began = time.perf_counter()
        relay.start()
        while _is_waiting():
            time.sleep(0.02)
        seconds = time.perf_counter() - began
        stop.set()
        relay.join()
    reset_providers()
    return seconds


def _is_waiting() -> bool:
    outbox = OutboxEntry.objects.using("owner").filter(delivered_at__isnull=True)
    return outbox.exists() or BrokerDelivery.objects.using("owner").exists()


def _require_order(recorded: dict[str, list[str]], arrived: Sequence[Message]) -> None:
    first: defaultdict[str, list[str]] = defaultdict(list)
    for key, name in dict.fromkeys((each.partition_key, str(each.id)) for each in arrived):
        first[key].append(name)
    assert {key: first[key] for key in recorded} == recorded


def _publish_raw(server: Server, messages: Sequence[Message]) -> float:
    """Seconds of publishing the same bytes with the least that keeps them: persistent, and confirmed."""
    connection = _connect(server)
    channel, confirmed = connection.channel(), [0]
    channel.confirm_select()
    channel.events["basic_ack"].add(lambda tag, _multiple: confirmed.__setitem__(0, max(confirmed[0], tag)))
    began, sent = time.perf_counter(), 0
    for start in range(0, len(messages), BATCH):
        for each in messages[start : start + BATCH]:
            sent += 1
            bare = amqp.Message(each.body, delivery_mode=2, message_id=str(each.id), application_headers=each.headers())
            channel.basic_publish(bare, exchange=EXCHANGE, routing_key=each.topics[0])
        while confirmed[0] < sent:
            connection.drain_events(timeout=30)
    seconds = time.perf_counter() - began
    connection.close()
    return seconds


def _connect(server: Server) -> amqp.Connection:
    connection = amqp.Connection(server.url.split("@")[1].strip("/"), USER, PASSWORD, login_method="PLAIN")
    connection.connect()
    return connection


class _Receiver:
    """A durable queue of everything, and what lies in it."""

    def __init__(self, server: Server) -> None:
        self._connection = _connect(server)
        self._channel = self._connection.channel()
        self._channel.queue_declare(QUEUE, durable=True, auto_delete=False)
        self._channel.queue_bind(QUEUE, EXCHANGE, "vault.events.#")

    def take(self, count: int) -> list[Message]:
        """At least ``count`` messages, and what else has come; other events of the vault are passed over."""
        taken: list[Message] = []
        tag = self._channel.basic_consume(
            QUEUE, no_ack=True, callback=lambda message: taken.append(_as_message(message))
        )
        with suppress(TimeoutError):
            while True:
                self._connection.drain_events(timeout=5 if len(taken) < count else 0.3)
        self._channel.basic_cancel(tag)
        return taken

    def close(self) -> None:
        self._connection.close()


def _as_message(message: amqp.Message) -> Message:
    headers = message.properties["application_headers"]
    return Message(
        id=UUID(message.properties["message_id"]),
        type=headers["ce-type"],
        source=headers["ce-source"],
        time=datetime.fromisoformat(headers["ce-time"]),
        partition_key=headers["ce-partitionkey"],
        topics=(message.delivery_info["routing_key"],),
        content_type="application/cloudevents+json",
        body=bytes(message.body),
    )
