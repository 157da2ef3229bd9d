"""What every provider of the broker port keeps to, against real servers."""

import contextlib
from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import uuid4

import amqp
import pytest
import redis

from audit.brokers.base import EXCHANGE, LARGEST, Broker, Message, Refusal
from audit.brokers.rabbitmq import RabbitMQ
from audit.brokers.redis_streams import RedisStreams
from audit.errors import BrokerUnavailable
from tests.brokers import PASSWORD, USER, Server


class RabbitReceiver:
    """A queue of its own, bound to topics."""

    def __init__(self, server: Server) -> None:
        self.connection = amqp.Connection(server.url.split("@")[1].strip("/"), USER, PASSWORD, login_method="PLAIN")
        self.connection.connect()
        self.channel = self.connection.channel()
        self.channel.exchange_declare(EXCHANGE, "topic", durable=True, auto_delete=False)
        self.queue = f"q-{uuid4()}"

    def bind(self, *topics: str, **arguments: object) -> None:
        self.channel.queue_declare(self.queue, durable=True, auto_delete=False, arguments=arguments)
        for topic in topics:
            self.channel.queue_bind(self.queue, EXCHANGE, topic)

    def refuse(self, topic: str) -> None:
        """Whatever has the topic is refused from now on."""
        self.bind(topic, **{"x-max-length-bytes": 1, "x-overflow": "reject-publish"})
        self.channel.basic_publish(amqp.Message(b"fills it"), exchange=EXCHANGE, routing_key=topic)
        self.queue = f"q-{uuid4()}"

    def close(self) -> None:
        with contextlib.suppress(OSError, amqp.AMQPError):
            self.connection.close()
        self.connection.collect()

    def received(self) -> list[tuple[str, dict, bytes]]:
        found = []
        while (message := self.channel.basic_get(self.queue, no_ack=True)) is not None:
            properties = message.properties
            headers = properties["application_headers"]
            assert properties["delivery_mode"] == 2
            found.append((properties["message_id"], headers, bytes(message.body)))
        return found


class RedisReceiver:
    """Streams, by their names."""

    def __init__(self, server: Server) -> None:
        self.client = redis.Redis.from_url(server.url)
        self.topics: tuple[str, ...] = ()

    def bind(self, *topics: str) -> None:
        self.topics = topics

    def refuse(self, topic: str) -> None:
        self.client.set(topic, "no stream")

    def close(self) -> None:
        self.client.close()

    def received(self) -> list[tuple[str, dict, bytes]]:
        entries = [fields for topic in self.topics for _, fields in self.client.xrange(topic)]
        return [
            (
                fields[b"id"].decode(),
                {name.decode(): value.decode() for name, value in fields.items() if name.startswith(b"ce-")},
                fields[b"body"],
            )
            for fields in entries
        ]


PROVIDERS = {"rabbitmq": (RabbitMQ, RabbitReceiver), "redis_streams": (RedisStreams, RedisReceiver)}


@pytest.fixture(params=PROVIDERS)
def server(request) -> Server:
    return request.getfixturevalue(request.param)


@pytest.fixture
def provider(server, request):
    return PROVIDERS[request.node.callspec.params["server"]]


@pytest.fixture
def broker(server, provider):
    with contextlib.closing(provider[0](url=server.url)) as broker:
        yield broker


@pytest.fixture
def receiver(server, provider):
    with contextlib.closing(provider[1](server)) as receiver:
        yield receiver


@pytest.fixture
def cleanup():
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def topic() -> str:
    return f"vault.events.test.{uuid4().hex}"


def message(topic: str, *others: str, body: bytes = b"{}", partition: str = "p") -> Message:
    return Message(
        id=uuid4(),
        type="data.access.read",
        source="urn:llm-data-vault:tenant:t",
        time=datetime(2026, 11, 22, 17, 0, tzinfo=UTC),
        partition_key=partition,
        topics=(topic, *others),
        content_type="application/cloudevents+json",
        body=body,
    )


def test_a_batch_arrives_whole_and_in_its_order(broker: Broker, receiver, topic) -> None:
    receiver.bind(topic)
    batch = [message(topic, body=str(number).encode()) for number in range(700)]
    assert broker.publish(batch) == {}
    arrived = receiver.received()
    assert [(name, body) for name, _, body in arrived] == [(str(each.id), each.body) for each in batch]


def test_the_attributes_stand_beside_the_body(broker: Broker, receiver, topic) -> None:
    receiver.bind(topic)
    sent = message(topic, partition="dataset-7")
    broker.publish([sent])
    ((_, headers, _),) = receiver.received()
    assert {name: headers[name] for name in headers if name.startswith("ce-")} == {
        "ce-specversion": "1.0",
        "ce-id": str(sent.id),
        "ce-type": "data.access.read",
        "ce-source": "urn:llm-data-vault:tenant:t",
        "ce-time": "2026-11-22T17:00:00+00:00",
        "ce-partitionkey": "dataset-7",
    }


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_event_of_several_topics_reaches_who_listens_to_any(broker: Broker, receiver, topic, place) -> None:
    topics = (topic, f"{topic}.a", f"{topic}.b")
    receiver.bind(topics[place])
    sent = message(*topics)
    assert broker.publish([sent]) == {}
    assert [name for name, _, _ in receiver.received()] == [str(sent.id)]


def test_one_that_is_refused_does_not_keep_the_others_back(broker: Broker, receiver, topic) -> None:
    """T69"""
    receiver.refuse(f"{topic}.refused")
    receiver.bind(topic)
    batch = [message(topic), message(f"{topic}.refused"), message(topic)]
    refused = broker.publish(batch)
    assert set(refused) == {1}
    assert refused[1] in {Refusal.REJECTED, Refusal.WRONG_TYPE}
    assert [name for name, _, _ in receiver.received()] == [str(batch[0].id), str(batch[2].id)]


def test_what_is_too_large_is_not_even_sent(broker: Broker, receiver, topic) -> None:
    receiver.bind(topic)
    largest, larger = message(topic, body=b"x" * LARGEST), message(topic, body=b"x" * (LARGEST + 1))
    assert broker.publish([larger, largest]) == {0: Refusal.TOO_LARGE}
    assert [name for name, _, _ in receiver.received()] == [str(largest.id)]
    assert broker.publish([larger]) == {0: Refusal.TOO_LARGE}


def test_a_repeated_message_can_be_told_by_its_id(broker: Broker, receiver, topic) -> None:
    """T69: at least once; the receiver's part is a set of ids."""
    receiver.bind(topic)
    batch = [message(topic), message(topic)]
    broker.publish(batch)
    broker.publish(batch)
    names = [name for name, _, _ in receiver.received()]
    assert len(names) == 4
    assert list(dict.fromkeys(names)) == [str(each.id) for each in batch]


def test_a_broker_that_answers_passes_the_check(broker: Broker) -> None:
    broker.check()
    broker.check()


def test_a_wrong_password_and_a_closed_port_are_a_broker_away_and_name_neither(server, provider, cleanup) -> None:
    parts = urlsplit(server.url)
    for port in (parts.port, 1):
        away = cleanup.enter_context(
            contextlib.closing(provider[0](url=f"{parts.scheme}://wrong:canary-secret@127.0.0.1:{port}/"))
        )
        for use in (away.check, lambda away=away: away.publish([message("vault.events.none")])):
            with pytest.raises(BrokerUnavailable) as refused:
                use()
            assert "canary-secret" not in str(refused.value)
            assert "127.0.0.1" not in str(refused.value)


def test_over_tls_the_certificate_and_its_name_must_hold(server, provider, cleanup) -> None:
    """T47: who is in between is not told anything."""
    if not server.tls_port:
        pytest.skip("the embedded redis-server was built without TLS")
    parts = urlsplit(server.url)
    scheme, signed_in = f"{parts.scheme}s", f"{parts.username}:{parts.password}@" if parts.username else ""

    def connected(host: str, query: str) -> Broker:
        url = f"{scheme}://{signed_in}{host}:{server.tls_port}/{query}"
        return cleanup.enter_context(contextlib.closing(provider[0](url=url)))

    connected("localhost", f"?ca={server.ca}").check()
    for host, query in (("localhost", ""), ("127.0.0.1", f"?ca={server.ca}")):
        with pytest.raises(BrokerUnavailable):
            connected(host, query).check()


def test_a_broker_that_was_restarted_serves_again_and_kept_what_it_confirmed(
    server, broker: Broker, receiver, provider, topic
) -> None:
    receiver.bind(topic)
    first, second = message(topic), message(topic)
    broker.publish([first])
    server.kill()
    with pytest.raises(BrokerUnavailable):
        broker.publish([second])
    server.start()
    assert broker.publish([second]) == {}
    with contextlib.closing(provider[1](server)) as again:
        again.queue, again.topics = getattr(receiver, "queue", ""), (topic,)
        assert [name for name, _, _ in again.received()] == [str(first.id), str(second.id)]


def test_rabbitmq_returns_what_no_queue_is_bound_to(rabbitmq, topic) -> None:
    with (
        contextlib.closing(RabbitMQ(url=rabbitmq.url)) as broker,
        contextlib.closing(RabbitReceiver(rabbitmq)) as receiver,
    ):
        receiver.bind(topic)
        batch = [message(f"{topic}.nowhere"), message(topic), message(f"{topic}.nowhere", topic)]
        assert broker.publish(batch) == {0: Refusal.UNROUTABLE}
        assert [name for name, _, _ in receiver.received()] == [str(batch[1].id), str(batch[2].id)]


def test_a_redis_that_has_no_memory_takes_all_of_a_batch_or_nothing(redis_streams, topic) -> None:
    with (
        contextlib.closing(RedisStreams(url=redis_streams.url)) as broker,
        redis.Redis.from_url(redis_streams.url) as admin,
    ):
        admin.config_set("maxmemory", 1)
        try:
            with pytest.raises(BrokerUnavailable):
                broker.publish([message(topic), message(topic)])
        finally:
            admin.config_set("maxmemory", 0)
        assert admin.exists(topic) == 0
        assert broker.publish([message(topic)]) == {}


def test_a_redis_stream_is_trimmed_at_roughly_the_length_the_url_gives(redis_streams, topic) -> None:
    with contextlib.closing(RedisStreams(url=f"{redis_streams.url}?maxlen=200")) as broker:
        for _ in range(5):
            broker.publish([message(topic) for _ in range(200)])
    with redis.Redis.from_url(redis_streams.url) as client:
        assert 200 <= client.xlen(topic) < 500
