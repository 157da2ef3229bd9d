"""Receivers of calls that the vault makes: real servers over TLS, under a name, with a certificate that holds."""

import datetime as dt
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.test import override_settings

#: The name that receivers have; it means this machine while ``reachable`` is used.
HOST = "hooks.example.test"

Answering = Callable[[BaseHTTPRequestHandler], None]


@dataclass(frozen=True)
class Authority:
    """A certificate authority made for the tests: its own certificate, and a server's with its key."""

    trusted: Path
    chain: Path


def make_authority(folder: Path) -> Authority:
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of the tests")])

    def certificate(subject: x509.Name, public_key: Any, *extensions: x509.ExtensionType) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(own)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=1))
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(key, hashes.SHA256())

    server = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    root = certificate(own, key.public_key(), x509.BasicConstraints(ca=True, path_length=0))
    leaf = certificate(name, server.public_key(), x509.SubjectAlternativeName([x509.DNSName(HOST)]))
    encoding = serialization.Encoding.PEM
    trusted, chain = folder / "ca.pem", folder / "server.pem"
    trusted.write_bytes(root.public_bytes(encoding))
    private = server.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    chain.write_bytes(private + leaf.public_bytes(encoding))
    return Authority(trusted, chain)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def reachable(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The vault may call this machine, knows HOST, and trusts the tests' authority."""
    look_up = socket.getaddrinfo

    def answers(host: Any, *args: Any, **kwargs: Any) -> Any:
        return look_up("127.0.0.1" if host == HOST else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.trusted))
    with override_settings(VAULT={**settings.VAULT, "OUTGOING_NETWORKS": ("127.0.0.0/8",)}):
        yield


@dataclass
class Receiver:
    """What was sent to it, and how it answers: the statuses in turn, the last one for ever, or ``answering``."""

    port: int
    statuses: list[int] = field(default_factory=lambda: [204])
    headers: dict[str, str] = field(default_factory=dict)
    answering: Answering | None = None
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}/hook"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", "0")))
        self.received.append(({name.lower(): value for name, value in handler.headers.items()}, body))
        if self.answering is not None:
            self.answering(handler)
            return
        handler.send_response(self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0])
        for name, value in self.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()


@contextmanager
def receiving(authority: Authority) -> Iterator[Receiver]:
    """A receiver for as long as the block runs."""
    receivers: list[Receiver] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(OSError):
                receivers[0].answer(self)

        do_POST = do_GET  # noqa: N815 - as the library calls it

        def log_message(self, *_: object) -> None:
            """The tests tell what happened."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.chain)

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def finish_request(self, request: Any, client_address: Any) -> None:
            with suppress(OSError), context.wrap_socket(request, server_side=True) as wrapped:
                super().finish_request(wrapped, client_address)

        def handle_error(self, *_: object) -> None:
            """A caller that went away is what some tests want."""

    server = Server(("127.0.0.1", 0), Handler)
    receivers.append(Receiver(port=server.server_address[1]))
    thread = Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield receivers[0]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
