"""No way by which somebody types an address in leads inwards: refused when it is saved, and when it is connected to."""

import socket
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from access.federation.errors import OutgoingAddressRefused
from access.federation.oidc.documents import fetch
from access.federation.oidc.forms import OpenIDForm
from access.federation.outgoing import call
from access.federation.saml.forms import SamlForm
from audit.log.errors import WitnessUnavailable
from audit.log.witnesses.webhook import WebhookWitness
from audit.webhooks.errors import WebhookAddressRefused
from audit.webhooks.sender import Message, send
from tests.audit.webhooks.endpoints import make_endpoint
from tests.factories.receivers import Receiver

INNER = [
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://017700000001/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::ffff:10.0.0.1]/",
    "https://[64:ff9b::a00:1]/",
    "https://[2002:a00:1::]/",
    "https://[2001:0:4136:e378:8000:63bf:80ff:fffe]/",
    "https://user@10.0.0.1/",
    "unix:///run/docker.sock",
    "http://hooks.example.org/",
]


def deliver(url: str) -> None:
    outcome = send(Message(uuid4(), url, b"{}", {}))
    assert (outcome.status, outcome.error) == (0, "address")
    raise OutgoingAddressRefused


def witness(url: str) -> None:
    with pytest.raises(WitnessUnavailable) as raised:
        WebhookWitness(url).hold("log", 1, "note")
    assert raised.value.extra["reason"] == "its address may not be called"
    raise OutgoingAddressRefused


CONNECTS: dict[str, Callable[[str], Any]] = {
    "webhook": deliver,
    "discovery": fetch,
    "metadata": lambda url: call("GET", url),
    "witness": witness,
}


@pytest.mark.parametrize("way", CONNECTS)
@pytest.mark.parametrize("url", INNER)
def test_nothing_connects_to_an_inner_address(way: str, url: str) -> None:
    with pytest.raises(OutgoingAddressRefused):
        CONNECTS[way](url)


@pytest.mark.parametrize("way", CONNECTS)
def test_a_name_that_came_to_mean_an_inner_address_is_not_connected_to(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def inner(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, 1, 6, "", ("10.0.0.1", 443))]

    monkeypatch.setattr(socket, "getaddrinfo", inner)
    with pytest.raises(OutgoingAddressRefused):
        CONNECTS[way]("https://rebinding.example.org/")


@pytest.mark.parametrize("url", INNER)
def test_none_is_saved(tenant, url: str) -> None:
    with pytest.raises(WebhookAddressRefused):
        make_endpoint(tenant, Receiver(port=1), url=url)
    assert "issuer" in OpenIDForm({"issuer": url, "client_id": "a"}).errors
    assert "metadata_url" in SamlForm({"metadata_url": url}).errors
