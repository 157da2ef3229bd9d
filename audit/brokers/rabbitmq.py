"""RabbitMQ: a durable topic exchange, persistent messages, and confirms gathered for a whole batch."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, Final, cast

import amqp
from amqp.exceptions import AMQPError

from audit.brokers.address import TLS_MINIMUM, BrokerAddress, read_address
from audit.brokers.base import EXCHANGE, Broker, Message, Refusal, too_large
from audit.errors import BrokerUnavailable

#: Seconds until a connection counts as failed, and a silent broker as gone.
CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 30.0
#: Seconds between signs of life of an idle connection.
HEARTBEAT: Final = 30
_PERSISTENT: Final = 2


class RabbitMQ(Broker):
    """``amqp://user:password@host:5672/vhost``, or ``amqps://``; without a user, the client certificate signs in.

    Every message is ``mandatory``: one that reaches no queue is refused as unroutable, not lost. ``message_id`` is the
    event's id, the routing key its own topic; its other topics are in the header ``CC``, by which RabbitMQ routes too.
    A queue that is bound to several of them gets it once.
    """

    name: ClassVar[str] = "RabbitMQ"

    def __init__(self, *, url: str) -> None:
        self._address = read_address(url)
        self._connection: amqp.Connection | None = None
        self._channel: _ConfirmingChannel | None = None

    def publish(self, messages: Sequence[Message]) -> Mapping[int, Refusal]:
        refused = too_large(messages)
        try:
            channel = self._open()
            sent = [place for place in range(len(messages)) if place not in refused]
            outcome = channel.publish([messages[place] for place in sent])
        except (AMQPError, OSError) as exc:
            self._drop()
            raise BrokerUnavailable from exc
        return refused | {sent[place]: why for place, why in outcome.items()}

    def check(self) -> None:
        try:
            self._open()
            assert self._connection is not None
            self._connection.heartbeat_tick()
            with suppress(TimeoutError):
                self._connection.drain_events(timeout=0.001)
        except (AMQPError, OSError) as exc:
            self._drop()
            raise BrokerUnavailable from exc

    def close(self) -> None:
        if self._connection is not None:
            with suppress(AMQPError, OSError):
                self._connection.close()
        self._drop()

    def _drop(self) -> None:
        """Leave without a word: who does not answer would not answer to a goodbye."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            connection.collect()

    def _open(self) -> "_ConfirmingChannel":
        if self._channel is None:
            self._connection = amqp.Connection(**_connection_options(self._address))
            self._connection.connect()
            self._channel = _ConfirmingChannel(self._connection)
        return self._channel


def _connection_options(address: BrokerAddress) -> dict[str, Any]:
    tls = {"server_hostname": address.host, "tls_minimum_version": TLS_MINIMUM, "ca_certs": address.ca}
    return {
        "host": f"[{address.host}]:{address.port}" if ":" in address.host else f"{address.host}:{address.port}",
        "userid": address.user,
        "password": address.password,
        "login_method": "PLAIN" if address.user else "EXTERNAL",
        "virtual_host": address.path.removeprefix("/") or "/",
        "ssl": tls | {"certfile": address.cert, "keyfile": address.key} if address.is_encrypted else False,
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": ANSWER_SECONDS,
        "write_timeout": ANSWER_SECONDS,
        "heartbeat": HEARTBEAT,
    }


class _ConfirmingChannel:
    """A channel in confirm mode, and what the broker has said of the batch that is under way."""

    def __init__(self, connection: amqp.Connection) -> None:
        self._connection = connection
        self._channel = cast("Any", connection.channel())
        self._channel.exchange_declare(EXCHANGE, "topic", durable=True, auto_delete=False)
        self._channel.confirm_select()
        self._channel.events["basic_ack"].add(self._on_ack)
        self._channel.events["basic_nack"].add(self._on_nack)
        self._channel.events["basic_return"].add(self._on_return)
        self._published = 0
        self._outstanding: dict[int, int] = {}
        self._places: dict[tuple[str, str], int] = {}
        self._refused: dict[int, Refusal] = {}

    def publish(self, messages: Sequence[Message]) -> Mapping[int, Refusal]:
        self._outstanding, self._refused = {}, {}
        self._places = {(str(message.id), message.topics[0]): place for place, message in enumerate(messages)}
        for place, message in enumerate(messages):
            self._published += 1
            self._outstanding[self._published] = place
            self._channel.basic_publish(
                _as_amqp(message), exchange=EXCHANGE, routing_key=message.topics[0], mandatory=True
            )
        deadline = time.monotonic() + ANSWER_SECONDS
        while self._outstanding:
            self._connection.drain_events(timeout=max(deadline - time.monotonic(), 0.001))
        return self._refused

    def _on_ack(self, tag: int, multiple: bool) -> None:
        self._settle(tag, multiple=multiple)

    def _on_nack(self, tag: int, multiple: bool) -> None:
        for place in self._settle(tag, multiple=multiple):
            self._refused[place] = Refusal.REJECTED

    def _on_return(self, _why: Exception, _exchange: str, routing_key: str, message: amqp.Message) -> None:
        """A returned message is acknowledged as well, afterwards."""
        self._refused[self._places[message.properties["message_id"], routing_key]] = Refusal.UNROUTABLE

    def _settle(self, tag: int, *, multiple: bool) -> list[int]:
        tags = [one for one in self._outstanding if one <= tag] if multiple else [tag]
        return [self._outstanding.pop(one) for one in tags]


def _as_amqp(message: Message) -> amqp.Message:
    others = {"CC": list(message.topics[1:])} if message.topics[1:] else {}
    return amqp.Message(
        message.body,
        content_type=message.content_type,
        delivery_mode=_PERSISTENT,
        message_id=str(message.id),
        timestamp=int(message.time.timestamp()),
        type=message.type,
        app_id="llm-data-vault",
        application_headers=message.headers() | others,
    )
