"""The three database roles and the database they share, made alike on the embedded and on real servers."""

from collections.abc import Mapping
from typing import Final

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from vaultsite.runtime.errors import StartError

OWNER: Final = "vault_owner"
APP: Final = "vault_app"
SYSTEM: Final = "vault_system"
#: Owns the schema and migrates; serves; runs the reaper and the relay.
ROLES: Final = (OWNER, APP, SYSTEM)
_IS_SUPERUSER: Final = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
#: What ends a file of the write-ahead log, so that what was erased does not stay in one that never fills.
_LOG_FILES: Final = ("GRANT pg_checkpoint TO {}", "GRANT EXECUTE ON FUNCTION pg_switch_wal() TO {}")


def create_roles(
    admin_url: str, *, database: str, passwords: Mapping[str, str], creates_databases: bool = False
) -> None:
    """Make or correct the three roles and the database, owned by ``vault_owner``; running it again changes nothing.

    ``admin_url`` names a role that may create roles and databases; it need not be a superuser (cloud services give
    none). ``passwords`` has one entry per role; the server is sent SCRAM verifiers, never a password.
    ``creates_databases`` lets the owner make further databases, which test runs need.

    Raises StartError when an existing role has a right that would undo row-level security.
    """
    with psycopg.connect(admin_url, autocommit=True) as connection:
        for role in ROLES:
            _create_role(connection, role, passwords[role])
        if creates_databases:
            connection.execute(sql.SQL("ALTER ROLE {} CREATEDB").format(sql.Identifier(OWNER)))
        _refuse_mighty_roles(connection)
    create_database(admin_url, database)


def create_database(admin_url: str, database: str) -> None:
    """Make or correct one database: owned by ``vault_owner``, without rights for PUBLIC; the others may only use it."""
    name = sql.Identifier(database)
    with psycopg.connect(admin_url, autocommit=True) as connection:
        is_superuser = connection.execute(_IS_SUPERUSER).fetchone() == (True,)
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
            if not is_superuser:
                _join_owner(connection)
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0").format(name, sql.Identifier(OWNER))
            )
        users = sql.SQL(", ").join(map(sql.Identifier, (APP, SYSTEM)))
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))  # PUBLIC has TEMP by default
        connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, users))
    with psycopg.connect(make_conninfo(admin_url, dbname=database), autocommit=True) as connection:
        connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(users))
        connection.execute(sql.SQL("GRANT USAGE, CREATE ON SCHEMA public TO {}").format(sql.Identifier(OWNER)))
        if is_superuser:  # who is none may not give these
            for statement in _LOG_FILES:
                connection.execute(sql.SQL(statement).format(sql.Identifier(OWNER)))


def _create_role(connection: psycopg.Connection[tuple[object, ...]], role: str, password: str) -> None:
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    # What is not named defaults to the weak side; naming NOSUPERUSER in ALTER ROLE would itself need a superuser.
    verb = sql.SQL("ALTER ROLE") if exists else sql.SQL("CREATE ROLE")
    connection.execute(
        sql.SQL("{} {} LOGIN PASSWORD {}").format(verb, sql.Identifier(role), sql.Literal(verifier)),
    )


def _refuse_mighty_roles(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    mighty = connection.execute(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)"
        " AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolreplication)",
        [list(ROLES)],
    ).fetchall()
    if mighty:
        names = ", ".join(str(name) for (name,) in mighty)
        message = f"roles with rights above their station (superuser, BYPASSRLS, CREATEROLE or REPLICATION): {names}"
        raise StartError(message)


def _join_owner(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Let an administrator who is no superuser give a database to the owner: only members of a role may give to it."""
    connection.execute(
        sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(OWNER)),
    )
