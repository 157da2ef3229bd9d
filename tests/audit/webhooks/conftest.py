"""Fixtures of the tests of webhooks: a receiver over TLS, and an endpoint that means it."""

from collections.abc import Iterator

import pytest

from audit.models import WebhookDelivery
from tests.factories.receivers import Authority, Receiver, authority, reachable, receiving
from tests.vaultsite.conftest import plain_static

__all__ = ["authority", "plain_static", "reachable"]


@pytest.fixture(autouse=True)
def nothing_waits() -> None:
    """What tests before have left is not sent."""
    WebhookDelivery.objects.using("system").all().delete()


@pytest.fixture
def receiver(authority: Authority, reachable: None) -> Iterator[Receiver]:
    with receiving(authority) as receiver:
        yield receiver
