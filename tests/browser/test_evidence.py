"""The evidence in a real browser: live, searched, proven, delivered, acknowledged; and whether it shuts anybody out."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from django.core.management import call_command
from django.urls import reverse

from audit.alerts.open import raise_alert
from tests.browser.test_access import pytestmark as driven
from tests.browser.test_browser import free_port, journey, wait_until_served
from tests.factories.access import acting
from vaultsite.runtime.home import open_home
from vaultsite.runtime.services import command_line, environment_for

__all__ = ["journey"]

pytestmark = driven

#: What runs beside the worker, which is a thread of the test.
PROCESSES = ("web", "live", "relay", "webhooks", "beat")
#: Every screen of the evidence that needs no row.
SCREENS = (
    "index",
    "find",
    "audit_auditevent_changelist",
    "alerts",
    "deliveries",
    "subscriptions",
    "subscription_new",
    "webhooks",
    "audit_exports",
    "audit_log",
    "verifications",
    "notifications",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, vault_database: None) -> Iterator[str]:
    """The vault's processes as ``make run`` starts them; webhooks may call this machine."""
    call_command("collectstatic", interactive=False, verbosity=0)
    ports = {"PORT": str(free_port()), "VAULT_LIVE_PORT": str(free_port())}
    environ = {**os.environ, **ports, "VAULT_OUTGOING_NETWORKS": "127.0.0.0/8"}
    logs, home = tmp_path_factory.mktemp("processes"), open_home(os.environ["VAULT_HOME"])
    with ExitStack() as stack:
        for name in PROCESSES:
            log = stack.enter_context((logs / f"{name}.log").open("wb"))
            command = command_line(name, home, environ)
            process = subprocess.Popen(command, env=environment_for(name, environ), stdout=log, stderr=log)
            stack.callback(process.wait, timeout=30)
            stack.callback(process.terminate)
            if name == "web":
                wait_until_served(int(ports["PORT"]), process)
        wait_until_heard(int(ports["VAULT_LIVE_PORT"]))
        yield f"http://localhost:{ports['PORT']}"


def wait_until_heard(port: int) -> None:
    """Until the live feed listens."""
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
            return
        time.sleep(0.2)
    pytest.fail("the live feed did not listen within three minutes")


class _Receiver(BaseHTTPRequestHandler):
    """Takes whatever is sent."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def receiver() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Receiver)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook"
    server.shutdown()
    server.server_close()


def test_the_evidence_is_live_searched_proven_delivered_and_acknowledged(journey, tenant, site, receiver) -> None:
    with acting(tenant):
        alert = raise_alert(
            kind="delivery.dead",
            cause="a broker",
            severity="warning",
            facts={"waiting": 3},
            summary="Three events wait",
        )
    alone = reverse("admin:home_piece", args=["operations"])
    seen = journey(
        "evidence.mjs",
        {"admin": "tenant_admin", "steward": "data_steward", "auditor": "auditor"},
        receiver=receiver,
        alert=f"{site}{reverse('admin:alert', args=[alert.pk])}",
        screens=[*(reverse(f"admin:{name}") for name in SCREENS), alone],
    )
    assert {"My work", "Operations", "Alerts", "Seal of the audit"} <= {
        title.split("\n")[0] for title in seen["pieces"]
    }
    assert seen["failed"] == 0
    assert "data.created" in seen["live"]
    assert seen["focused"]
    assert "told-of" not in seen["address"]
    assert "Verified now" in seen["proof"]
    assert "whsec_" in seen["secret"]
    assert seen["delivered"] == 1
    assert "webhook.test" in seen["log"]
    assert "acknowledged" in seen["alert"].lower()
    assert seen["overflowing"] == []
    assert seen["barriers"] == []
