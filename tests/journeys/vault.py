"""The whole vault under its supervisor, in a folder of its own, spoken to over HTTP."""

import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.journeys.waiting import until
from vaultsite.runtime.environment import PROJECT, embedded_environment
from vaultsite.runtime.home import Home

_START_SECONDS = 300.0


@dataclass(frozen=True)
class Vault:
    """A running vault; ``said`` is the file with all it printed."""

    home: Home
    port: int
    said: Path
    process: subprocess.Popen[bytes]

    def pid(self, name: str) -> int:
        """The process id of a supervised process; 0 while it is dead."""
        try:
            return int((self.home.run / f"{name}.pid").read_text().split()[0])
        except FileNotFoundError:
            return 0

    def manage(self, *arguments: str) -> str:
        """The output of a management command beside the running vault."""
        given = _clean_environment() | embedded_environment(self.home) | {"PYTHONPATH": str(PROJECT)}
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env=given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
        """Status and body of one request; ``body`` is bytes, an iterable of bytes (sent in chunks), or JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        try:
            connection.request(method, f"/api/v1{path}", body=body, headers={"Host": "localhost", **headers})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def _clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("VAULT_")}


def _free_ports() -> int:
    """The first of two free ports side by side, as web and live take them."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            number: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", number + 1))
            except OSError:
                continue
            return number


@contextmanager
def running_vault(folder: Path, **environment: str) -> Iterator[Vault]:
    """As ``make run`` starts it; killed with all its parts at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    home, said, port = Home(folder / "home"), folder / "said", _free_ports()
    given = _clean_environment() | {"VAULT_HOME": str(home.path), "PORT": str(port)} | environment
    with said.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "vaultsite.runtime"], cwd=PROJECT, env=given, stdout=output, stderr=output
        )
    try:
        until(lambda: b"Ctrl-C ends it" in said.read_bytes() or process.poll() is not None, seconds=_START_SECONDS)
        assert process.poll() is None, said.read_text()
        yield Vault(home, port, said, process)
    finally:
        process.terminate()
        process.wait(120)
