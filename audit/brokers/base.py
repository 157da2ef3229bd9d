"""The port of message brokers: events leave in order, and each is confirmed, refused or neither."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

#: The exchange, and what the names of topics begin with.
EXCHANGE: Final = "vault.events"
#: The largest body that is handed to a broker, bytes; events are far smaller.
LARGEST: Final = 2**20


class Refusal(StrEnum):
    """Why a broker did not take a message although it was there: a matter of this message, or of its topic."""

    #: No queue is bound to any of its topics, so it would be lost.
    UNROUTABLE = "unroutable"
    #: A queue would not take it (it is full, or could not store it).
    REJECTED = "rejected"
    #: Its body is larger than LARGEST.
    TOO_LARGE = "too_large"
    #: The place its topic names holds something else.
    WRONG_TYPE = "wrong_type"


@dataclass(frozen=True)
class Message:
    """An event as it leaves: ``id`` is that of the event, by which receivers tell repetitions.

    ``topics`` are routing keys or names of streams, its own first; messages of one ``partition_key`` keep their order.
    """

    id: UUID
    type: str
    source: str
    time: datetime
    partition_key: str
    topics: tuple[str, ...]
    content_type: str
    body: bytes

    def headers(self) -> dict[str, str]:
        """The attributes of CloudEvents beside the body, so that a receiver may route without parsing it."""
        return {
            "ce-specversion": "1.0",
            "ce-id": str(self.id),
            "ce-type": self.type,
            "ce-source": self.source,
            "ce-time": self.time.isoformat(),
            "ce-partitionkey": self.partition_key,
        }


class Broker(ABC):
    """A connection to one broker, opened when it is first needed. Not safe among threads.

    A provider takes ``url`` (see audit.brokers.address) and names neither it nor its parts in any message.
    """

    #: What the provider is called where people see it.
    name: ClassVar[str]

    @abstractmethod
    def publish(self, messages: Sequence[Message]) -> Mapping[int, Refusal]:
        """Hand over ``messages`` in their order and wait until the broker has stored them.

        Returns why those at the returned positions were refused; every other one is stored. Raises BrokerUnavailable
        when it is not known of all of them: then any of them may have been stored.
        """

    @abstractmethod
    def check(self) -> None:
        """Raise BrokerUnavailable unless the broker answers; keeps an idle connection open."""

    @abstractmethod
    def close(self) -> None:
        """End the connection, whatever its state; the next use opens another."""


def too_large(messages: Sequence[Message]) -> dict[int, Refusal]:
    """The positions that no provider sends."""
    return {place: Refusal.TOO_LARGE for place, message in enumerate(messages) if len(message.body) > LARGEST}
