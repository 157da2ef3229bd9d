"""The embedded PostgreSQL: the server program of the wheel, run in the foreground on a private unix socket."""

import json
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg

from vaultsite.runtime.binaries import initdb_user, launch_command, postgres_bin, server_user
from vaultsite.runtime.errors import StartError
from vaultsite.runtime.home import Home, make_private, write_private
from vaultsite.runtime.roles import ROLES, create_roles
from vaultsite.runtime.service import Service

DATABASE: Final = "vault"
ADMIN: Final = "vault_admin"

#: Given on the command line at every start, so that they always match this code and not an old file.
SETTINGS: Final = {
    "max_connections": "100",
    "shared_buffers": "128MB",
    "unix_socket_permissions": "0700",
    # No data value may reach a log. Errors carry values in their message ("invalid input syntax for type uuid: ..") and
    # in their DETAIL ("Key (name)=(..) already exists"), so errors of statements stay with the client that made them.
    "log_min_messages": "log",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
    "debug_print_plan": "off",
    # Files of the write-ahead log that are done with are removed. Kept for use again they would keep their bytes.
    "wal_recycle": "off",
}
#: For throwaway clusters only: a crash of the machine loses them.
CARELESS: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def postgres_service(home: Home, *, durable: bool = True) -> Service:
    """The embedded server for ``home``, making its cluster at the first start (about a second); raise StartError."""
    user = server_user(home.cluster)
    binaries = postgres_bin(home, user)
    if not home.cluster.exists():
        _make_cluster(home, binaries, user)
    sockets = home.socket_dir() / "postgres"
    make_private(sockets)
    cluster, socket_path = os.fspath(home.cluster), os.fspath(sockets)
    descriptors: tuple[int, ...] = ()
    if user is not None:
        os.chown(sockets, user, user)
        cluster, socket_path, descriptors = _reachable(home.cluster, sockets)
    options = SETTINGS if durable else SETTINGS | CARELESS
    settings = [argument for name, value in options.items() for argument in ("-c", f"{name}={value}")]
    command = [os.fspath(binaries / "postgres"), "-D", cluster, "-k", socket_path, "-h", "", *settings]
    return Service(
        name="postgres",
        title="PostgreSQL",
        command=tuple(launch_command(*command, user=user, death_signal="INT")),
        environment={"TZ": "UTC", "LC_ALL": "C.UTF-8"},
        is_ready=lambda: _answers(home),
        stop_signal=signal.SIGINT,  # "fast": ends sessions, then writes a checkpoint
        stop_seconds=60.0,
        pass_fds=descriptors,
    )


def prepare_database(home: Home, *, creates_databases: bool = False) -> None:
    """Bring the roles and the database of a running embedded server to their wanted state; idempotent."""
    passwords = {role: _passwords(home)[role] for role in ROLES}
    create_roles(admin_url(home), database=DATABASE, passwords=passwords, creates_databases=creates_databases)
    with psycopg.connect(admin_url(home), autocommit=True) as connection:
        connection.execute("REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC")


def admin_url(home: Home) -> str:
    """The URL of the superuser of the embedded server: for the runtime and for tests, never for the application."""
    return database_url(home, ADMIN, "postgres")


def database_url(home: Home, role: str, database: str = DATABASE) -> str:
    """A ``postgres://role:password@/database?host=/socket/folder``: what libpq understands, and urllib parses."""
    host = quote(os.fspath(home.socket_dir() / "postgres"), safe="/")
    return f"postgres://{role}:{quote(_passwords(home)[role], safe='')}@/{database}?host={host}"


def _passwords(home: Home) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads((home.secrets / "postgresql.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        message = (
            f"{home.cluster} exists but its passwords ({home.secrets / 'postgresql.json'}) are gone: restore that file"
        )
        raise StartError(message) from None
    return found


def _answers(home: Home) -> bool:
    try:
        with psycopg.connect(admin_url(home), connect_timeout=2):
            return True
    except psycopg.OperationalError:
        return False


def _make_cluster(home: Home, binaries: Path, user: int | None) -> None:
    """Run initdb beside the final place and move the result there, so that a cluster exists whole or not at all."""
    unfinished = home.path / "postgres.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    make_private(unfinished)
    passwords = {role: secrets.token_urlsafe(32) for role in (ADMIN, *ROLES)}
    write_private(home.secrets / "postgresql.json", json.dumps(passwords, indent=2))
    write_private(unfinished / "password", passwords[ADMIN])
    make_private(unfinished / "data")
    maker = initdb_user()
    try:
        _run_initdb(unfinished, binaries, maker)
        (unfinished / "password").unlink()
        if user is not None:
            _give(unfinished / "data", user)
        (unfinished / "data").rename(home.cluster)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _run_initdb(folder: Path, binaries: Path, user: int | None) -> None:
    where = os.fspath(folder)
    descriptors: tuple[int, ...] = ()
    with _opened(folder) as descriptor:
        if user is not None:
            _give(folder, user)
            where, descriptors = f"/proc/self/fd/{descriptor}", (descriptor,)
        command = launch_command(
            binaries / "initdb", "-D", f"{where}/data", f"--pwfile={where}/password", f"--username={ADMIN}",
            "--auth=scram-sha-256", "--locale=C.UTF-8", "--encoding=UTF8", user=user, death_signal="TERM",
        )  # fmt: skip
        made = subprocess.run(  # noqa: S603
            command,
            cwd="/",
            env={"LC_ALL": "C.UTF-8"},
            pass_fds=descriptors,
            capture_output=True,
            text=True,
            check=False,
        )
    if made.returncode != 0:
        message = f"initdb failed: {made.stderr.strip() or made.stdout.strip()}"
        raise StartError(message)


def _reachable(cluster: Path, sockets: Path) -> tuple[str, str, tuple[int, ...]]:
    """Names for two folders that work for an account which may not pass the folders above them.

    Opening ``/proc/self/fd/N`` asks for no right on the path that led there. So a vault in root's closed home runs
    without opening that home to anybody. The descriptors stay open for restarts.
    """
    descriptors = tuple(os.open(folder, os.O_RDONLY | os.O_DIRECTORY) for folder in (cluster, sockets))
    first, second = (f"/proc/self/fd/{descriptor}" for descriptor in descriptors)
    return first, second, descriptors


def _give(folder: Path, user: int) -> None:
    os.chown(folder, user, user)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent, name), user, user, follow_symlinks=False)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
