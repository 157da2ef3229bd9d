"""PostgreSQL and Redis alone, shared by whoever needs them: tests, the demo, benchmarks, single commands."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from vaultsite.runtime.console import Console
from vaultsite.runtime.environment import PROJECT, embedded_environment
from vaultsite.runtime.errors import StartError
from vaultsite.runtime.home import Home, locked, locked_at_once, open_home, write_private
from vaultsite.runtime.postgres import postgres_service, prepare_database
from vaultsite.runtime.redis import redis_service
from vaultsite.runtime.supervisor import Supervisor

START_SECONDS: Final = 180.0
USERS_ASKED_SECONDS: Final = 0.5


@contextmanager
def borrowed_servers(path: str | os.PathLike[str], *, throwaway: bool = False) -> Iterator[dict[str, str]]:
    """Have PostgreSQL and Redis run under VAULT_HOME ``path`` for the time of the block; yield their environment.

    An instance that runs already (``make run``, or another borrower's) is used as it is. Otherwise one is started in
    the background; it ends by itself when the last borrower is gone, even one that was killed, because borrowing is
    a shared lock on a file. ``throwaway`` trades the safety of the data for speed.
    """
    home = open_home(path)
    with locked(home.run / "borrowers.lock", shared=True):
        spawned = None
        with locked(home.run / "spawn.lock"):
            if not is_running(home):
                spawned = _spawn(home, throwaway=throwaway)
            _wait_until_ready(home, spawned)
        yield embedded_environment(home)
    if spawned is not None:
        _wait_for_end(home, spawned)


def is_running(home: Home) -> bool:
    """Whether an instance, whole or servers only, runs under this VAULT_HOME."""
    with locked_at_once(home.run / "instance.lock") as is_free:
        return not is_free


@contextmanager
def only_instance(home: Home) -> Iterator[None]:
    """Be the one instance of this VAULT_HOME; raise StartError when there is one already."""
    # Others take the lock for a moment to see whether it is free, and an instance may just be ending.
    with locked_at_once(home.run / "instance.lock", patience_seconds=1) as is_held:
        if not is_held:
            pid_file = home.run / "instance"
            owner = f" (process {pid_file.read_text(encoding='ascii').strip()})" if pid_file.exists() else ""
            message = (
                f"a vault is already running under {home.path}{owner}: stop it, or set VAULT_HOME to another folder"
            )
            raise StartError(message)
        (home.run / "ready").unlink(missing_ok=True)
        write_private(home.run / "instance", f"{os.getpid()}\n")
        yield
        (home.run / "ready").unlink(missing_ok=True)


def start_postgres(home: Home, supervisor: Supervisor, *, throwaway: bool = False) -> None:
    """Start the embedded PostgreSQL and bring its roles and database to their wanted state."""
    supervisor.start(postgres_service(home, durable=not throwaway))
    if not supervisor.is_stopping:
        prepare_database(home, creates_databases=throwaway)


def mark_ready(home: Home) -> None:
    """Tell those who wait that the servers of this instance answer."""
    write_private(home.run / "ready", f"{os.getpid()}\n")


def serve_borrowers(path: str | os.PathLike[str], *, throwaway: bool) -> None:
    """Run PostgreSQL and Redis until nobody borrows them any more (the background process of ``borrowed_servers``)."""
    home = open_home(path)
    with only_instance(home):
        supervisor = Supervisor(home, Console(sys.stderr))
        supervisor.stop_on_signals()
        try:
            start_postgres(home, supervisor, throwaway=throwaway)
            supervisor.start(redis_service(home))
            mark_ready(home)
            while not supervisor.is_stopping:
                supervisor.tend(USERS_ASKED_SECONDS)
                with locked_at_once(home.run / "borrowers.lock") as is_free:
                    if is_free:
                        (home.run / "ready").unlink(missing_ok=True)
                        supervisor.stop()  # still holding the lock: a new borrower waits for the end, then starts anew
        finally:
            supervisor.stop()


def _spawn(home: Home, *, throwaway: bool) -> subprocess.Popen[bytes]:
    (home.run / "ready").unlink(missing_ok=True)
    command = [sys.executable, "-m", "vaultsite.runtime", "servers", "--home", os.fspath(home.path)]
    log_path = home.log / "servers.log"
    write_private(log_path, "")
    with log_path.open("ab") as log:
        return subprocess.Popen(  # noqa: S603
            [*command, "--throwaway"] if throwaway else command,
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _wait_until_ready(home: Home, spawned: subprocess.Popen[bytes] | None) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not (home.run / "ready").exists():
        if time.monotonic() > deadline or (spawned is not None and spawned.poll() is not None):
            said = (home.log / "servers.log").read_text(encoding="utf-8", errors="replace") if spawned else ""
            message = f"the servers under {home.path} do not get ready:\n{said}"
            raise StartError(message)
        time.sleep(0.05)


def _wait_for_end(home: Home, spawned: subprocess.Popen[bytes]) -> None:
    """Wait for servers of our own to end, unless somebody else borrows them still."""
    with locked_at_once(home.run / "borrowers.lock") as is_last:
        pass
    if is_last:
        spawned.wait(START_SECONDS)
