"""Providers to sign in at, and a vault that answers over HTTP."""

from collections.abc import Iterator
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.core.wsgi import get_wsgi_application
from django.db import connections

from access.federation.oidc.documents import documents
from tests.access.openid.peer import Peer, why_absent
from tests.vaultsite.conftest import plain_static

__all__ = ["plain_static"]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
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


@pytest.fixture(autouse=True)
def _reachable(settings: Any) -> Iterator[None]:
    """Peers of these tests stand on this machine, which the vault calls only where that is said."""
    settings.VAULT = {**settings.VAULT, "OUTGOING_NETWORKS": ("127.0.0.0/8",)}
    settings.ALLOWED_HOSTS = ["localhost", "testserver"]
    yield
    documents.forget("")
