"""Providers to sign in at, and a vault that answers over HTTP."""

from collections.abc import Iterator
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.test import Client, override_settings

from access.federation.oidc.documents import documents
from tests.access.openid.peer import Peer, why_absent
from tests.access.openid.rogue import Rogue, running_rogue
from tests.vaultsite.conftest import plain_static

__all__ = ["plain_static"]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Silent."""

    def finish(self) -> None:
        super().finish()
        connections.close_all()


@pytest.fixture(scope="session")
def peer() -> Iterator[Peer]:
    absent = why_absent()
    if absent:
        pytest.skip(absent)
    found = Peer.start()
    yield found
    found.stop()


@pytest.fixture(scope="session")
def vault() -> Iterator[str]:
    """The address of a vault that serves this process's settings and database."""
    with make_server("localhost", 0, get_wsgi_application(), server_class=_Server, handler_class=_Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module", autouse=True)
def _reachable() -> Iterator[None]:
    """Peers of these tests stand on this machine, which the vault calls only where that is said."""
    reachable = {**settings.VAULT, "OUTGOING_NETWORKS": ("127.0.0.0/8",)}
    with override_settings(VAULT=reachable, ALLOWED_HOSTS=["localhost", "testserver"]):
        yield


@pytest.fixture(autouse=True)
def _unread() -> None:
    """What providers publish is read anew by each test."""
    documents.forget("")


@pytest.fixture
def browser() -> Client:
    return Client(SERVER_NAME="localhost")


@pytest.fixture(scope="session")
def running() -> Iterator[Rogue]:
    with running_rogue() as found:
        yield found


@pytest.fixture(scope="session")
def rogue_address(running: Rogue) -> str:
    return running.issuer


@pytest.fixture
def rogue(running: Rogue) -> Rogue:
    """The rogue provider, honest until the test says otherwise."""
    running.reset()
    return running
