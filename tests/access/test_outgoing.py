"""Addresses that the vault calls and does not call, however they are spelled."""

import socket
from threading import Thread
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from access.federation.errors import OutgoingAddressRefused, ProviderUnavailable
from access.federation.outgoing import call, reachable_addresses, require_allowed_url

INNER = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "168.63.129.16",
    "224.0.0.1",
    "255.255.255.255",
    "[::1]",
    "[::]",
    "[fe80::1]",
    "[fd00::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[::ffff:127.0.0.1]",
    "[2002:7f00:1::]",
    "[64:ff9b::a00:1]",
    "[64:ff9b:1::1]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
]


@pytest.mark.parametrize("host", INNER)
def test_inner_addresses_are_not_called_in_any_spelling(host: str) -> None:
    with pytest.raises(OutgoingAddressRefused):
        require_allowed_url(f"https://{host}/metadata")


@pytest.mark.parametrize(
    "url",
    [
        "http://id.example.org/",
        "file:///etc/passwd",
        "unix:///run/docker.sock",
        "gopher://example.org/",
        "https://user:secret@id.example.org/",
        "https://id.example.org@10.0.0.1/",
        "https://id.example.org\\@10.0.0.1/",
        "https://id.example.org/#part",
        "https://id.example.org:99999/",
        "https://id.example.org:0/",
        "https://id.example.org/\r\nHost: inner",
        "https:///path",
        "//id.example.org/",
        "",
    ],
)
def test_odd_addresses_are_not_called(url: str) -> None:
    with pytest.raises(OutgoingAddressRefused):
        require_allowed_url(url)


def test_a_public_address_over_tls_is_called() -> None:
    assert require_allowed_url("https://id.example.org:8443/path?p=1").hostname == "id.example.org"
    assert require_allowed_url("https://[2606:4700::1111]/").port is None


def test_a_name_that_means_an_inner_address_as_well_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, 1, 6, "", (address, port)) for address in ("93.184.216.34", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    with pytest.raises(OutgoingAddressRefused):
        reachable_addresses("rebinding.example.org", 443)
    with pytest.raises(OutgoingAddressRefused):
        call("GET", "https://rebinding.example.org/")
    with override_settings(VAULT={**settings.VAULT, "OUTGOING_NETWORKS": ("10.0.0.0/8",)}):
        assert reachable_addresses("inside.example.org", 443) == ["93.184.216.34", "10.0.0.1"]


def test_plain_http_goes_to_this_machine_alone_and_never_in_production() -> None:
    allowed = {**settings.VAULT, "OUTGOING_NETWORKS": ("127.0.0.0/8", "10.0.0.0/8")}
    with override_settings(VAULT=allowed):
        require_allowed_url("http://127.0.0.1:9/")
        for url in ("http://10.0.0.1/", "http://inside.example.org/"):
            with pytest.raises(OutgoingAddressRefused):
                require_allowed_url(url)
    with override_settings(VAULT={**allowed, "IS_PRODUCTION": True}), pytest.raises(OutgoingAddressRefused):
        require_allowed_url("http://127.0.0.1:9/")


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
