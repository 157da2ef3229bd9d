import os
import re
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis

from vaultsite.runtime.environment import PROJECT
from vaultsite.runtime.errors import StartError
from vaultsite.runtime.home import Home
from vaultsite.runtime.postgres import admin_url
from vaultsite.runtime.roles import ROLES, create_roles
from vaultsite.runtime.servers import borrowed_servers, is_running

CANARY = "canary-7f3a91"


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """Servers of our own: this module kills them. pytest's folders are closed to the account that root drops to."""
    with borrowed_servers(tmp_path_factory.mktemp("closed") / "home") as environment:
        yield environment


@pytest.fixture
def home(servers):
    return Home(Path(servers["VAULT_HOME"]))


def server_pid(home: Home, name: str) -> int:
    return int((home.run / f"{name}.pid").read_text().split()[0])


def wait_until(answers, seconds=60.0):
    deadline = time.monotonic() + seconds
    while True:
        try:
            return answers()
        except (psycopg.OperationalError, redis.RedisError, OSError, ValueError):
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.05)


def test_nobody_else_can_look_below_home(home):
    open_files = [
        path for path in home.path.rglob("*") if not path.is_symlink() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    assert open_files == []
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o711


def test_postgres_never_runs_as_root(home):
    status = Path(f"/proc/{server_pid(home, 'postgres')}/status").read_text()
    user, group = (int(re.search(rf"^{field}:\t(\d+)", status, re.MULTILINE)[1]) for field in ("Uid", "Gid"))
    assert 0 not in (user, group)
    assert home.cluster.stat().st_uid == user


def test_servers_listen_on_no_network(home):
    sockets = (home.socket_dir() / "postgres" / ".s.PGSQL.5432", home.socket_dir() / "redis.sock")
    assert all(stat.S_ISSOCK(path.stat().st_mode) for path in sockets)
    for name in ("postgres", "redis"):
        inodes = {os.fspath(path.readlink()) for path in Path(f"/proc/{server_pid(home, name)}/fd").iterdir()}
        listening = {
            f"socket:[{line.split()[9]}]"
            for table in ("tcp", "tcp6")
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        }
        assert not inodes & listening


@pytest.mark.parametrize("url", ["VAULT_DATABASE_URL", "VAULT_SYSTEM_DATABASE_URL"])
def test_serving_roles_can_make_nothing_and_see_past_nothing(servers, url):
    with psycopg.connect(servers[url]) as connection:
        rights = connection.execute(
            "SELECT has_schema_privilege('public', 'CREATE'), has_database_privilege(current_database(), 'TEMP'),"
            " has_database_privilege(current_database(), 'CREATE'), rolsuper, rolbypassrls, rolcreaterole, rolcreatedb"
            " FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert rights == (False,) * 7
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TEMP TABLE sneaky (text text)")


def test_a_wrong_password_is_refused(servers):
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(re.sub(r":[^:@]+@", ":wrong@", servers["VAULT_DATABASE_URL"]))


def test_failing_statements_leave_no_value_in_the_logs(servers, home):
    with psycopg.connect(servers["VAULT_OWNER_DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS guests (name text PRIMARY KEY)")
        connection.execute("INSERT INTO guests VALUES (%s) ON CONFLICT DO NOTHING", [CANARY])
        for statement in (
            "INSERT INTO guests VALUES (%s)",
            "SELECT %s::text::uuid",
            f"SELECT '{CANARY}'::int, %s",
            "DO $$ BEGIN RAISE WARNING '" + CANARY + "'; END $$",
        ):
            parameters = [CANARY] if "%s" in statement else None
            try:
                connection.execute(statement, parameters)
            except psycopg.Error:
                continue
    os.kill(server_pid(home, "postgres"), 0)
    assert [path.name for path in home.log.iterdir() if CANARY in path.read_text()] == []


def test_postgres_comes_back_with_its_data_after_kill_9(servers, home):
    with psycopg.connect(servers["VAULT_OWNER_DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
        connection.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
        killed = server_pid(home, "postgres")
        os.kill(killed, signal.SIGKILL)

    def count() -> int:
        with psycopg.connect(servers["VAULT_OWNER_DATABASE_URL"]) as connection:
            return connection.execute("SELECT count(*) FROM kept").fetchone()[0]

    assert wait_until(count) == 1000
    assert server_pid(home, "postgres") != killed


def test_redis_comes_back_with_its_data_after_kill_9(servers, home):
    client = redis.Redis.from_url(servers["VAULT_REDIS_URL"])
    client.set("kept", "yes")
    time.sleep(1.2)  # appendfsync everysec
    os.kill(server_pid(home, "redis"), signal.SIGKILL)
    assert wait_until(lambda: client.get("kept")) == b"yes"
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_a_second_vault_is_refused_with_the_first_ones_process_id(home):
    refused = subprocess.run(
        [sys.executable, "-m", "vaultsite.runtime"],
        cwd=PROJECT,
        env={**os.environ, "VAULT_HOME": str(home.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    assert (
        f"already running under {home.path} (process {(home.run / 'instance').read_text().strip()})" in refused.stderr
    )
    assert "Traceback" not in refused.stderr


def test_a_second_borrower_shares_the_servers_and_leaves_them_running(servers, home):
    with borrowed_servers(home.path) as environment:
        assert environment == servers
    assert is_running(home)
    assert redis.Redis.from_url(servers["VAULT_REDIS_URL"]).ping()


def test_exec_gives_a_command_the_environment_and_returns_its_status(servers, home):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "vaultsite.runtime",
            "exec",
            "--",
            "/bin/sh",
            "-c",
            'echo "$VAULT_DATABASE_URL"; exit 7',
        ],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], "VAULT_HOME": str(home.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (7, servers["VAULT_DATABASE_URL"])


def test_making_the_roles_again_changes_passwords_and_nothing_else(servers, home):
    passwords = dict.fromkeys(ROLES, "another-password")
    url = admin_url(home)
    create_roles(url, database="elsewhere", passwords=passwords)
    create_roles(url, database="elsewhere", passwords=passwords)
    renewed = re.sub(r"vault_app:[^@]+@/vault", "vault_app:another-password@/elsewhere", servers["VAULT_DATABASE_URL"])
    with psycopg.connect(renewed) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("vault_app",)


def test_a_serving_role_that_bypasses_row_security_is_refused(home):
    url = admin_url(home)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER ROLE vault_app BYPASSRLS")
        try:
            with pytest.raises(StartError, match=r"rights above their station.*vault_app"):
                create_roles(url, database="elsewhere", passwords=dict.fromkeys(ROLES, "x"))
        finally:
            connection.execute("ALTER ROLE vault_app NOBYPASSRLS")


def test_servers_end_with_their_last_borrower_and_start_again_with_their_data(tmp_path):
    path = tmp_path / ("long" * 30)
    with borrowed_servers(path, throwaway=True) as environment:
        home = Home(path)
        with psycopg.connect(environment["VAULT_OWNER_DATABASE_URL"], autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (number int)")
        pids = [server_pid(home, name) for name in ("postgres", "redis")]
    assert not is_running(home)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    sockets = home.socket_dir()
    assert list(sockets.rglob("*sock*")) == []
    with borrowed_servers(path, throwaway=True) as environment:
        with psycopg.connect(environment["VAULT_OWNER_DATABASE_URL"]) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
        os.kill(int((home.run / "instance").read_text()), signal.SIGKILL)  # what it started ends with it
        wait_until(lambda: [_gone(server_pid(home, name)) for name in ("postgres", "redis")])
    with borrowed_servers(path, throwaway=True) as environment:
        assert redis.Redis.from_url(environment["VAULT_REDIS_URL"]).ping()
    (sockets / "postgres").rmdir()
    sockets.rmdir()


def _gone(pid: int) -> None:
    if Path(f"/proc/{pid}").exists():
        raise OSError("still there")
