"""Brokers of a test's own, and events on their way to one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.test import override_settings

from audit.brokers.base import Broker, Message, Refusal
from audit.errors import BrokerUnavailable
from audit.models import BrokerDelivery
from audit.services.relay import relay_batch


class ListBroker(Broker):
    """Keeps what it takes. ``refuse`` says why it takes a message not; ``is_away`` makes it unavailable."""

    name: ClassVar[str] = "list"

    def __init__(self, refuse: Callable[[Message], Refusal | None] = lambda _: None) -> None:
        self.taken: list[Message] = []
        self.refuse = refuse
        self.is_away = False
        self.is_closed = False

    def publish(self, messages: Sequence[Message]) -> Mapping[int, Refusal]:
        self.check()
        refused = {place: why for place, each in enumerate(messages) if (why := self.refuse(each))}
        self.taken += [each for place, each in enumerate(messages) if place not in refused]
        return refused

    def check(self) -> None:
        if self.is_away:
            raise BrokerUnavailable

    def close(self) -> None:
        self.is_closed = True

    def ids_of(self, tenant_id: UUID) -> list[str]:
        return [str(each.id) for each in self.taken if each.source.endswith(str(tenant_id))]


@contextmanager
def broker_configured(url: str = "amqp://nobody@127.0.0.1:1/") -> Iterator[None]:
    """As if VAULT_BROKER_URL were set, so that events are queued for a broker."""
    chosen = {"BACKEND": "audit.brokers.rabbitmq.RabbitMQ", "OPTIONS": {"url": url}}
    with override_settings(VAULT=settings.VAULT | {"BROKER": chosen}):
        yield


def hand_on_everything() -> None:
    """Empty the outbox into the queues behind it."""
    while relay_batch(lambda _: None):
        pass


def empty_queue() -> None:
    """What other tests left there is out of the way."""
    hand_on_everything()
    BrokerDelivery.objects.using("system").all().delete()
