"""Calls to identity providers go through the guard; what it refuses is told in access's own words."""

import socket
from threading import Thread

import pytest
from django.conf import settings
from django.test import override_settings

from access.federation.errors import OutgoingAddressRefused, ProviderUnavailable
from access.federation.outgoing import call, reachable_addresses, require_allowed_url


@pytest.mark.parametrize("url", ["https://10.0.0.1/", "https://[64:ff9b::a00:1]/", "unix:///run/docker.sock"])
def test_addresses_that_are_not_called_are_refused_in_our_words(url: str) -> None:
    with pytest.raises(OutgoingAddressRefused):
        require_allowed_url(url)
    with pytest.raises(OutgoingAddressRefused):
        call("GET", url)


def test_plain_http_is_refused_with_the_reason() -> None:
    with pytest.raises(OutgoingAddressRefused) as raised:
        require_allowed_url("http://id.example.org/")
    assert raised.value.detail == "Only https is called"


def test_a_name_that_nobody_has_is_a_provider_that_is_not_there() -> None:
    with pytest.raises(ProviderUnavailable) as raised:
        reachable_addresses("nobody.example.invalid", 443)
    assert raised.value.extra["reason"] == "name"


def test_a_peer_that_redirects_is_not_followed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/"

        def redirect() -> None:
            peer, _ = server.accept()
            with peer:
                peer.recv(4096)
                peer.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/\r\nContent-Length: 0\r\n\r\n")

        thread = Thread(target=redirect)
        thread.start()
        reachable = {**settings.VAULT, "OUTGOING_NETWORKS": ("127.0.0.0/8",)}
        with override_settings(VAULT=reachable), pytest.raises(ProviderUnavailable) as raised:
            call("GET", address)
        thread.join()
    assert raised.value.extra["reason"] == "answer"
