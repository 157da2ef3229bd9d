"""GET of one dataset with an API key, as a client sees it, beside a plain view in the same server."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Final
from uuid import UUID

from access.services.api_keys import HIGHEST_RATE, KeyLimits, create_api_key
from access.services.tenants import operator
from tests.benchmarks.figures import Cost, Figure, Plan, interleaved
from tests.benchmarks.vault import new_dataset, steward
from vaultsite.kernel.tenancy.scope import tenant_scope
from vaultsite.runtime.environment import PROJECT

#: Requests of one round; each round asks both views in turns.
BATCH: Final = 100
START_SECONDS: Final = 180


def measure_get_dataset(plan: Plan) -> list[Figure]:
    """``get_dataset_ratio`` (requests a second of the vault over those of the plain view), ``get_dataset_rps``."""
    who = steward()
    key, batch = api_key(who.tenant_id, "data_steward"), BATCH if plan.records > BATCH else 5
    with new_dataset(who) as dataset, served() as port, connected(port) as one, connected(port) as other:
        plain = _asking(one, f"/plain/{who.tenant_id}/{dataset.pk}", batch)
        vault = _asking(other, f"/api/v1/datasets/{dataset.pk}", batch, {"X-API-Key": key})
        for warm in (plain, vault):
            warm()
        plain_cost, vault_cost = interleaved(2 * plan.rounds + 1, plain, vault)
    seconds, plain_seconds = vault_cost.wall / batch, plain_cost.wall / batch
    note = f"one connection, one worker; the plain view takes {plain_seconds * 1000:.2f} ms"
    return [
        Figure("get_dataset_ratio", plain_seconds / seconds, "x", plain_seconds, batch, None, note),
        Figure("get_dataset_rps", 1 / seconds, "1/s", 1 / plain_seconds, batch, None, note),
    ]


def api_key(tenant_id: UUID, role: str) -> str:
    """A key of that role that no limit of requests stops."""
    who = operator(tenant_id)
    with tenant_scope(tenant_id, who):
        limits = KeyLimits(requests_per_minute=HIGHEST_RATE)
        return create_api_key(who, name="benchmark", roles=[role], days=1, limits=limits)[1]


def connected(port: int) -> "closing[HTTPConnection]":
    """A connection that stays open until the end."""
    return closing(HTTPConnection("127.0.0.1", port, timeout=60))


def _asking(
    connection: HTTPConnection, path: str, batch: int, headers: dict[str, str] | None = None
) -> Callable[[], Cost]:
    """A batch of requests over one connection."""

    def ask() -> Cost:
        begin, cpu = time.perf_counter(), time.process_time()
        for _ in range(batch):
            connection.request("GET", path, headers=headers or {})
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, (answer.status, body)
        return Cost(time.perf_counter() - begin, time.process_time() - cpu)

    return ask


@contextmanager
def served() -> Iterator[int]:
    """A web server of one process on a port of its own, as the vault's runs, with the paths of this benchmark."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "gunicorn", "tests.benchmarks.get_dataset_wsgi:application",
            "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--threads", "4", "--keep-alive", "60",
            "--worker-tmp-dir", folder, "--no-control-socket",
        ]  # fmt: skip
        environment = os.environ | {"VAULT_RATE_ADDRESS": "100000000"}
        with (Path(folder) / "log").open("wb") as log:
            server = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=log, stderr=log)
            try:
                _wait(port, server, Path(folder) / "log")
                yield port
            finally:
                server.terminate()
                server.wait(30)


def _wait(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
        try:
            connection.request("GET", "/health/live")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.2)
        finally:
            connection.close()
    raise AssertionError(log.read_text(errors="replace"))
