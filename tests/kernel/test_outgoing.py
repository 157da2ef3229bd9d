"""Addresses that the vault calls and does not call, however they are spelled, and what a peer can do to a call."""

import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from threading import Event, Thread
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from tests.factories.receivers import HOST, Authority, Receiver, authority, reachable, receiving
from vaultsite.kernel.outgoing import (
    AddressRefused,
    Answer,
    CallFailed,
    Limits,
    call,
    reachable_addresses,
    require_allowed_url,
)

__all__ = ["authority", "reachable"]

LIMITS = Limits(seconds=30.0, biggest=65536)
#: So that what is cut off is cut off soon.
HURRIED = Limits(seconds=1.0, biggest=65536)


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
    "192.0.0.8",
    "[fec0::1]",
    "[ff02::1]",
    "[::ffff:127.0.0.1]",
    "[2002:7f00:1::]",
    "[64:ff9b::a00:1]",
    "[64:ff9b:1::1]",
    "[::10.0.0.1]",
    "[::93.184.216.34]",
    "[::ffff:0:10.0.0.1]",
    "[::ffff:0:93.184.216.34]",
    "192.88.99.1",
    "[3fff::1]",
    "[5f00::1]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
]


@pytest.mark.parametrize("host", INNER)
def test_inner_addresses_are_not_called_in_any_spelling(host: str) -> None:
    with pytest.raises(AddressRefused):
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
    with pytest.raises(AddressRefused):
        require_allowed_url(url)


def test_a_public_address_over_tls_is_called() -> None:
    assert require_allowed_url("https://id.example.org:8443/path?p=1").hostname == "id.example.org"
    assert require_allowed_url("https://[2606:4700::1111]/").port is None


def test_a_name_that_means_an_inner_address_as_well_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, 1, 6, "", (address, port)) for address in ("93.184.216.34", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    with pytest.raises(AddressRefused):
        reachable_addresses("rebinding.example.org", 443)
    with pytest.raises(AddressRefused):
        call("GET", "https://rebinding.example.org/", headers={}, limits=LIMITS)
    with override_settings(VAULT={**settings.VAULT, "OUTGOING_NETWORKS": ("10.0.0.0/8",)}):
        assert reachable_addresses("inside.example.org", 443) == ["93.184.216.34", "10.0.0.1"]


def test_plain_http_goes_to_this_machine_alone_and_never_in_production() -> None:
    allowed = {**settings.VAULT, "OUTGOING_NETWORKS": ("127.0.0.0/8", "10.0.0.0/8")}
    with override_settings(VAULT=allowed):
        require_allowed_url("http://127.0.0.1:9/")
        for url in ("http://10.0.0.1/", "http://inside.example.org/"):
            with pytest.raises(AddressRefused):
                require_allowed_url(url)
    with override_settings(VAULT={**allowed, "IS_PRODUCTION": True}), pytest.raises(AddressRefused):
        require_allowed_url("http://127.0.0.1:9/")


@pytest.fixture
def receiver(authority: Authority, reachable: None) -> Iterator[Receiver]:
    with receiving(authority) as receiver:
        yield receiver


def get(url: str, limits: Limits = LIMITS) -> Answer:
    return call("GET", url, headers={}, limits=limits)


def answer_bytes(*pieces: bytes, pause: float = 0.0) -> Any:
    """A receiver's way to answer byte for byte."""

    def answering(handler: BaseHTTPRequestHandler) -> None:
        for piece in pieces:
            handler.wfile.write(piece)
            handler.wfile.flush()
            time.sleep(pause)

    return answering


def seconds_of(url: str, reason: str, limits: Limits = LIMITS) -> float:
    """How long a call took that ended without an answer for ``reason``."""
    began = time.monotonic()
    with pytest.raises(CallFailed) as raised:
        get(url, limits)
    assert raised.value.reason == reason
    return time.monotonic() - began


def test_an_answer_comes_from_the_address_that_was_looked_at(receiver: Receiver) -> None:
    receiver.statuses, receiver.headers = [503], {"Retry-After": "7"}
    answer = get(receiver.url)
    assert (answer.status, answer.headers["retry-after"], answer.body, answer.is_cut) == (503, "7", b"", False)
    assert receiver.received[0][0]["host"] == f"{HOST}:{receiver.port}"


def test_a_name_that_means_an_inner_address_the_second_time_leads_nowhere(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first answer is looked at and connected to; nobody asks a second time."""
    asked: list[str] = []
    look_up = socket.getaddrinfo

    def rebinding(host: str, *args: Any, **kwargs: Any) -> list[Any]:
        if host == HOST:
            asked.append(host)
            host = "127.0.0.1" if len(asked) == 1 else "10.0.0.1"
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    assert get(receiver.url).status == 204
    assert asked == [HOST]
    with pytest.raises(AddressRefused):
        get(receiver.url)


def test_a_redirect_is_an_answer_and_not_followed(receiver: Receiver) -> None:
    receiver.statuses, receiver.headers = [302], {"Location": receiver.url}
    assert get(receiver.url).status == 302
    assert len(receiver.received) == 1


def test_of_a_huge_answer_only_the_beginning_is_read(receiver: Receiver) -> None:
    sent = [0]

    def gigabyte(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        for _ in range(16384):
            sent[0] += handler.wfile.write(bytes(65536))

    receiver.answering = gigabyte
    answer = get(receiver.url)
    assert (answer.status, len(answer.body), answer.is_cut) == (200, 65536, True)
    assert sent[0] < 64 * 1024 * 1024


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Slow: ",
    ],
)
def test_a_peer_that_drips_is_cut_off(receiver: Receiver, head: bytes) -> None:
    drops = [b"1\r\nx\r\n" if b"chunked" in head else b"x"] * 400
    receiver.answering = answer_bytes(head, *drops, pause=0.1)
    assert seconds_of(receiver.url, "late", HURRIED) < 10


def test_a_peer_that_drips_its_handshake_is_cut_off(reachable: None) -> None:
    """Every byte comes in time, and the record that they are part of never ends."""
    done = Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            peer, _ = server.accept()
            with peer:
                peer.recv(4096)
                peer.sendall(b"\x16\x03\x03\x3f\xff")
                while not done.wait(0.1):
                    try:
                        peer.sendall(b"\x02")
                    except OSError:
                        return

        thread = Thread(target=drip)
        thread.start()
        try:
            assert seconds_of(f"https://{HOST}:{server.getsockname()[1]}/", "late", HURRIED) < 10
        finally:
            done.set()
            thread.join()


def test_a_certificate_that_does_not_hold_is_no_answer(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    seconds_of(receiver.url, "tls")
    assert receiver.received == []


def test_a_name_that_the_certificate_does_not_have_is_no_answer(receiver: Receiver) -> None:
    seconds_of(f"https://localhost:{receiver.port}/", "tls")


def test_nobody_there_is_no_answer(reachable: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    seconds_of(f"https://{HOST}:{port}/", "silent")
    seconds_of("https://nobody.example.invalid/", "name")


def test_no_proxy_of_the_environment_is_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert get(receiver.url).status == 204
