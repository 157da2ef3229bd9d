import os
import re
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from vaultsite.runtime.environment import PROJECT
from vaultsite.runtime.home import Home

pytestmark = pytest.mark.slow
PROCESSES = ("postgres", "redis", "web", "live", "worker", "beat", "relay", "webhooks")


@pytest.fixture(scope="module")
def ports():
    """Two free ports side by side, as web and live take them."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            number = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", number + 1))
            except OSError:
                continue
            return number, number + 1


@pytest.fixture(scope="module")
def vault(tmp_path_factory, ports):
    """The whole vault with production settings, as ``make run`` starts it."""
    home = Home(tmp_path_factory.mktemp("vault") / "home")
    said = home.path.parent / "said"
    given = {name: value for name, value in os.environ.items() if not name.startswith("VAULT_")}
    given |= {"VAULT_HOME": str(home.path), "PORT": str(ports[0]), "VAULT_ENV": "production"}
    with said.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "vaultsite.runtime"], cwd=PROJECT, env=given, stdout=output, stderr=output
        )
        try:
            wait_until(lambda: "Ctrl-C ends it" in said.read_text() or process.poll() is not None, seconds=600)
            assert process.poll() is None, said.read_text()
            yield home, process, said
        finally:
            process.kill()
            process.wait()


def pid(home: Home, name: str) -> int:
    """The process id of a supervised process; 0 while it is dead."""
    try:
        return int((home.run / f"{name}.pid").read_text().split()[0])
    except FileNotFoundError:
        return 0


def wait_until(condition, seconds=300.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def is_healthy(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/health/ready", headers={"Host": "localhost", "X-Forwarded-Proto": "https"})
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def test_progress_is_numbered_to_the_end(vault):
    _, _, said = vault
    steps = re.findall(r"^\[(\d+)/(\d+)\] .* \.\.\. ready \([\d.]+ s\)$", said.read_text(), re.MULTILINE)
    assert [int(number) for number, _ in steps] == list(range(1, int(steps[0][1]) + 1))


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("web", {"VAULT_DATABASE_URL"}),
        ("live", {"VAULT_DATABASE_URL"}),
        ("worker", {"VAULT_DATABASE_URL", "VAULT_SYSTEM_DATABASE_URL"}),
        ("beat", {"VAULT_DATABASE_URL", "VAULT_SYSTEM_DATABASE_URL"}),
        ("relay", {"VAULT_DATABASE_URL", "VAULT_SYSTEM_DATABASE_URL"}),
        ("webhooks", {"VAULT_DATABASE_URL", "VAULT_SYSTEM_DATABASE_URL"}),
    ],
)
def test_a_running_process_holds_only_its_own_database_urls(vault, name, known):
    home, _, _ = vault
    environment = Path(f"/proc/{pid(home, name)}/environ").read_bytes().decode().split("\0")
    assert {entry.partition("=")[0] for entry in environment if "DATABASE_URL" in entry} == known


def test_nobody_else_can_enter_what_a_running_vault_keeps(vault):
    home, _, _ = vault
    folders = [path for path in home.path.rglob("*") if path.is_dir()]
    assert {"static", "postgres", "secrets"} <= {path.name for path in folders}
    assert [path for path in folders if path.stat().st_mode & 0o077] == []


def test_every_part_comes_back_after_kill_9(vault, ports):
    home, _, _ = vault
    before = {name: pid(home, name) for name in PROCESSES}
    for number in before.values():
        os.kill(number, signal.SIGKILL)
    wait_until(lambda: not {pid(home, name) for name in PROCESSES} & {0, *before.values()})
    wait_until(lambda: is_healthy(ports[0]))


def test_ctrl_c_ends_everything(vault, ports):
    home, process, said = vault
    running = [pid(home, name) for name in PROCESSES]
    process.send_signal(signal.SIGINT)
    assert process.wait(300) == 0
    assert said.read_text().rstrip().endswith("stopped")
    assert not any(Path(f"/proc/{number}").exists() for number in running)
    assert not is_healthy(ports[0])
    assert list((home.socket_dir()).rglob("*sock*")) == []
    assert "database system is shut down" in (home.log / "postgres.log").read_text()
