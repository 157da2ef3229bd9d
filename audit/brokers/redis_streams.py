"""Redis streams: one stream a topic, trimmed at roughly a length that the operator chooses."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from audit.brokers.address import BrokerAddress, read_address
from audit.brokers.base import Broker, Message, Refusal, too_large
from audit.errors import BrokerUnavailable

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 30.0


class RedisStreams(Broker):
    """``redis://user:password@host:6379/0``, ``rediss://``, or ``unix:///path/redis.sock``.

    A batch is one MULTI: a server without memory, or one that only reads, takes all of it or nothing. An entry has the
    fields ``id``, ``type``, ``partitionkey``, ``content-type``, ``body`` and the headers.
    """

    name: ClassVar[str] = "Redis streams"

    def __init__(self, *, url: str) -> None:
        self._address = read_address(url)
        self._client = redis.Redis(**_client_options(self._address))

    def publish(self, messages: Sequence[Message]) -> Mapping[int, Refusal]:
        refused = too_large(messages)
        sent = [place for place in range(len(messages)) if place not in refused]
        try:
            answers = self._add(messages, sent)
        except (redis.RedisError, OSError) as exc:
            self.close()
            raise BrokerUnavailable from exc
        for place, answer in answers:
            if isinstance(answer, redis.ResponseError) and str(answer).startswith("WRONGTYPE"):
                refused[place] = Refusal.WRONG_TYPE
            elif isinstance(answer, Exception):
                raise BrokerUnavailable from answer
        return refused

    def _add(self, messages: Sequence[Message], sent: Sequence[int]) -> list[tuple[int, Any]]:
        """What the server answered to each entry, with the position of its message."""
        added = [(place, topic) for place in sent for topic in messages[place].topics]
        with self._client.pipeline(transaction=True) as batch:
            for place, topic in added:
                batch.xadd(topic, _fields(messages[place]), maxlen=self._address.maxlen, approximate=True)
            answers = batch.execute(raise_on_error=False) if added else []
        return [(place, answer) for (place, _), answer in zip(added, answers, strict=True)]

    def check(self) -> None:
        try:
            self._client.ping()
        except (redis.RedisError, OSError) as exc:
            raise BrokerUnavailable from exc

    def close(self) -> None:
        self._client.connection_pool.disconnect()


def _fields(message: Message) -> dict[Any, Any]:
    return {
        "id": str(message.id),
        "type": message.type,
        "partitionkey": message.partition_key,
        "content-type": message.content_type,
        "body": message.body,
        **message.headers(),
    }


def _client_options(address: BrokerAddress) -> dict[str, Any]:
    options: dict[str, Any] = {
        "username": address.user or None,
        "password": address.password or None,
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        # What was sent twice would be stored twice: the relay repeats, and knows of it.
        "retry": Retry(NoBackoff(), 0),
    }
    if address.scheme == "unix":
        return options | {"unix_socket_path": address.path}
    options |= {"host": address.host, "port": address.port, "db": int(address.path.strip("/") or 0)}
    if not address.is_encrypted:
        return options
    return options | {
        "ssl": True,
        "ssl_cert_reqs": "required",
        "ssl_check_hostname": True,
        "ssl_ca_certs": address.ca,
        "ssl_certfile": address.cert,
        "ssl_keyfile": address.key,
    }
