"""The database as one stream: pg_dump of an exported snapshot, and pg_restore in one transaction.

Both work as vault_owner, who owns every table and whom a policy of every table shows every row; that this is so is
checked before a dump. No superuser is needed, so it works on managed servers too.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import psycopg
from django.db import connections, transaction
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from compliance.errors.backup import DatabaseProgramFailed, DumpFiltered
from vaultsite.kernel.blobs.removal import REMOVAL_LOCK
from vaultsite.runtime.binaries import client_program
from vaultsite.runtime.errors import StartError

_PIECE_BYTES: Final = 1 << 20
_LOCK: Final = "SELECT pg_advisory_lock(%s)"
_UNLOCK: Final = "SELECT pg_advisory_unlock(%s)"
_REPEATABLE: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
_SNAPSHOT: Final = "SELECT pg_export_snapshot(), now()"
#: Tables under row-level security of which the role we are has no policy that shows every row.
_HIDDEN: Final = """
    SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND c.relrowsecurity
      AND NOT (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user)
      AND (c.relforcerowsecurity OR c.relowner <> current_user::regrole::oid)
      AND NOT EXISTS (
        SELECT 1 FROM pg_policies p
        WHERE p.schemaname = n.nspname AND p.tablename = c.relname AND p.qual = 'true'
          AND p.cmd IN ('ALL', 'SELECT') AND current_user = ANY (p.roles))
"""
#: What readiness asks for: a comment is what an owner who is no superuser can leave on a database without tables.
_CLOSE: Final = "COMMENT ON DATABASE {} IS 'vault: restoring'"
_OPEN: Final = "COMMENT ON DATABASE {} IS NULL"
_TABLES: Final = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
#: What libpq reads from the environment: no password on a command line.
_VARIABLES: Final = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}


@dataclass(frozen=True)
class Snapshot:
    """A state of the database that other sessions can see, for as long as the block that made it is open."""

    name: str
    taken_at: datetime

    def dump(self) -> Iterator[bytes]:
        """The dump in pieces. Raises DatabaseProgramFailed."""
        command = [
            *(_program("pg_dump"), "--format=custom", "--compress=gzip:1", "--enable-row-security", "--no-comments"),
            *("--no-publications", "--no-subscriptions", f"--snapshot={self.name}"),
        ]
        with tempfile.TemporaryFile() as told:
            process = subprocess.Popen(  # noqa: S603
                command, env=libpq_environment(owner_parameters()), stdout=subprocess.PIPE, stderr=told
            )
            assert process.stdout is not None
            try:
                while piece := process.stdout.read(_PIECE_BYTES):
                    yield piece
            except BaseException:
                process.kill()
                raise
            finally:
                process.stdout.close()
                status = process.wait()
            _refuse_failure("pg_dump", status, told)


@contextmanager
def objects_kept() -> Iterator[None]:
    """No object of the store is removed inside, by whichever process of the vault."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(_LOCK, [REMOVAL_LOCK])
        try:
            yield
        finally:
            cursor.execute(_UNLOCK, [REMOVAL_LOCK])


@contextmanager
def open_snapshot() -> Iterator[Snapshot]:
    """One state of the whole database, which ``owner`` reads inside the block. Raises DumpFiltered."""
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute(_REPEATABLE)
        cursor.execute(_HIDDEN)
        if cursor.fetchone()[0]:
            raise DumpFiltered("a table under row-level security has no policy that shows its owner every row")
        cursor.execute(_SNAPSHOT)
        name, taken_at = cursor.fetchone()
        yield Snapshot(name, taken_at)


def owner_parameters() -> dict[str, Any]:
    """How libpq reaches the database of the settings as its owner."""
    given = connections["owner"].get_connection_params()
    return {name: given[name] for name in _VARIABLES if given.get(name)}


def is_empty(url: str) -> bool:
    """Whether a database has no table of ours yet."""
    with psycopg.connect(url) as connection:
        row = connection.execute(_TABLES).fetchone()
    return row is not None and row[0] == 0


def close_database(url: str) -> None:
    """Whoever serves from this database says that it is not ready, on whatever machine, until ``open_database``."""
    _set(url, _CLOSE)


def open_database(url: str) -> None:
    _set(url, _OPEN)


def _set(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(connection.info.dbname)))


def load(url: str, pieces: Iterable[bytes]) -> None:
    """Bring the whole dump into an empty database, or nothing of it: one transaction.

    Raises DatabaseProgramFailed, and whatever ``pieces`` raises; then nothing was changed.
    """
    command = [_program("pg_restore"), "--single-transaction", "--exit-on-error", "--dbname="]
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(  # noqa: S603
            command, env=libpq_environment(conninfo_to_dict(url)), stdin=subprocess.PIPE, stdout=told, stderr=told
        )
        assert process.stdin is not None
        try:
            for piece in pieces:
                process.stdin.write(piece)
            process.stdin.close()
        except BrokenPipeError:
            process.wait()
        except BaseException:
            process.kill()  # its transaction is rolled back
            process.wait()
            raise
        _refuse_failure("pg_restore", process.wait(), told)


def _program(name: str) -> str:
    try:
        return os.fspath(client_program(name))
    except StartError as missing:
        raise DatabaseProgramFailed(str(missing)) from missing


def libpq_environment(parameters: Mapping[str, Any]) -> dict[str, str]:
    """What a client program is given to connect with: nothing of it is on a command line."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "VAULT_"))}
    return kept | {_VARIABLES[name]: str(value) for name, value in parameters.items() if name in _VARIABLES}


def _refuse_failure(name: str, status: int, told: Any) -> None:
    if status != 0:
        told.seek(0)
        lines = told.read().decode(errors="replace").splitlines()
        said = [line for line in lines if " error: " in line]  # the lines below them quote rows
        raise DatabaseProgramFailed(f"{name} ended with status {status}: {' '.join(said[:1])[:300]}")


def folder_is_empty(folder: Path) -> bool:
    """Whether there is nothing in a folder, or no folder."""
    return not folder.exists() or not any(folder.iterdir())
