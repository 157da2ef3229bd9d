import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vaultsite.runtime import supervisor as supervision
from vaultsite.runtime.binaries import launch_command
from vaultsite.runtime.console import Console
from vaultsite.runtime.errors import StartError
from vaultsite.runtime.home import open_home
from vaultsite.runtime.service import Service
from vaultsite.runtime.supervisor import Supervisor


@pytest.fixture
def home(tmp_path):
    return open_home(tmp_path / "home")


@pytest.fixture
def said():
    return io.StringIO()


@pytest.fixture
def supervisor(home, said):
    supervisor = Supervisor(home, Console(said))
    yield supervisor
    supervisor.stop()


def shell(name: str, script: str, ready: Path | None = None, stop_seconds: int = 30) -> Service:
    return Service(
        name=name,
        title=name.title(),
        command=tuple(launch_command("/bin/sh", "-c", script, death_signal="TERM")),
        environment={"PATH": os.environ["PATH"]},
        is_ready=ready.exists if ready else (lambda: True),
        stop_seconds=stop_seconds,
    )


def running_pid(home, name: str) -> int:
    return int((home.run / f"{name}.pid").read_text().split()[0])


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def wait_for(condition, supervisor=None, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        if supervisor:
            supervisor.tend(0.02)
        else:
            time.sleep(0.02)


def test_what_dies_comes_back_after_a_growing_delay(home, said, supervisor, tmp_path, monkeypatch):
    monkeypatch.setattr(supervision, "FIRST_DELAY_SECONDS", 0.3)
    births = tmp_path / "births"
    supervisor.start(shell("web", f"date +%s.%N >> {births}; sleep 60", births))
    wait_for(lambda: births.read_text().strip(), supervisor)
    for count in (2, 3, 4):
        os.kill(running_pid(home, "web"), signal.SIGKILL)
        wait_for(lambda count=count: len(births.read_text().splitlines()) == count, supervisor)
    first, second, third, fourth = map(float, births.read_text().splitlines())
    assert second - first >= 0.3
    assert third - second >= 0.6
    assert fourth - third >= 1.2
    assert "Web ended with signal SIGKILL; starting it again" in said.getvalue()


def test_a_death_takes_the_whole_process_group_along(home, supervisor, tmp_path):
    orphan = tmp_path / "orphan"
    supervisor.start(shell("worker", f"sleep 60 & echo $! > {orphan}; wait", orphan))
    wait_for(lambda: orphan.read_text().strip(), supervisor)
    os.kill(running_pid(home, "worker"), signal.SIGKILL)
    wait_for(lambda: not is_alive(int(orphan.read_text())), supervisor)


def test_the_end_comes_in_reverse_order_and_what_does_not_listen_is_killed(home, said, tmp_path):
    supervisor = Supervisor(home, Console(said))
    order = tmp_path / "order"
    for name in ("first", "second"):
        ready = tmp_path / name
        supervisor.start(
            shell(name, f"trap 'echo {name} >> {order}; exit' TERM; touch {ready}; while :; do sleep 0.05; done", ready)
        )
    deaf = tmp_path / "deaf"
    supervisor.start(shell("deaf", f"trap '' TERM; touch {deaf}; while :; do sleep 0.05; done", deaf, stop_seconds=1))
    pids = [running_pid(home, name) for name in ("first", "second", "deaf")]
    supervisor.stop()
    assert order.read_text().split() == ["second", "first"]
    assert not any(map(is_alive, pids))
    assert list(home.run.glob("*.pid")) == []


def test_a_service_that_cannot_start_says_why(home, supervisor, tmp_path, monkeypatch):
    monkeypatch.setattr(supervision, "FIRST_DELAY_SECONDS", 0.01)
    with pytest.raises(StartError, match="no such table: heaven") as raised:
        supervisor.start(shell("web", "echo no such table: heaven; exit 1", tmp_path / "never"))
    assert str(home.log / "web.log") in str(raised.value)


def test_a_preparation_that_fails_says_why(home, supervisor):
    supervisor.finish("good", ["/bin/sh", "-c", "echo fine"], {}, folder="/")
    with pytest.raises(StartError, match="out of paper"):
        supervisor.finish("bad", ["/bin/sh", "-c", "echo out of paper >&2; exit 1"], {}, folder="/")
    assert (home.log / "good.log").read_text() == "fine\n"


def test_what_an_earlier_supervisor_left_is_ended_but_not_a_stranger_with_its_number(home, said):
    left = subprocess.Popen(["/bin/sh", "-c", "sleep 60 & wait"], start_new_session=True)
    stranger = subprocess.Popen(["/bin/sleep", "60"], start_new_session=True)
    try:
        started = Path(f"/proc/{left.pid}/stat").read_text().rpartition(")")[2].split()[19]
        (home.run / "web.pid").write_text(f"{left.pid} {started}\n")
        (home.run / "live.pid").write_text(f"{stranger.pid} 1\n")
        Supervisor(home, Console(said)).stop()
        assert left.wait(5) == -signal.SIGTERM
        assert stranger.poll() is None
        assert "ended web, left over" in said.getvalue()
        assert list(home.run.glob("*.pid")) == []
    finally:
        stranger.kill()
        stranger.wait()


def test_children_end_with_a_supervisor_that_is_killed(home, tmp_path):
    born = tmp_path / "born"
    program = (
        "import sys; from tests.runtime.test_supervisor import *\n"
        "s = Supervisor(open_home(sys.argv[1]), Console())\n"
        "s.start(shell('web', f'echo $$ > {sys.argv[2]}; exec sleep 60', Path(sys.argv[2])))\n"
        "s.tend(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, home.path, born])
    wait_for(lambda: born.exists() and born.read_text().strip())
    parent.kill()
    parent.wait()
    wait_for(lambda: not is_alive(int(born.read_text())))
