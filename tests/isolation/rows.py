"""One row in every tenant table for one tenant, made from the catalog so that no new table is forgotten."""

import os
import secrets
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from tests.architecture.catalog import TENANT
from vaultsite.kernel.identifiers import uuid7

#: Values that a table's own checks ask for, where anything of the right type would not do.
SPECIAL: Final[dict[str, dict[str, Any]]] = {
    "compliance_subjectmatch": {"score": 0.5},
    "audit_alert": {"kind": "policy.violation"},
    "audit_eventsubscription": {"endpoint_id": None, "format": "cloudevents", "vocabulary": "canonical"},
    "audit_brokerdelivery": {"topics": Jsonb(["a"])},
    "audit_deadletter": {"topics": Jsonb(["a"]), "reason": "rejected"},
    "access_signinpolicy": {"step_up_minutes": 15, "max_sessions": 10},
    "access_encryptionkey": {"state": "active", "wrapped": b"wrapped", "purpose": "dataset"},
    "access_rolebinding": {"api_key_id": None, "service_account_id": None, "group_id": None},
    "access_delegation": {"role_id": None},
    "access_groupmapping": {"role_id": None},
    "access_identityprovider": {"kind": "oidc", "slug": "idp"},
    "anonymization_thresholdentry": {"score": 0.5},
    "access_breakglass": {"lease_id": None, "confirmed_by": uuid7()},
    "datasets_datasetgrouppermission": {"permission_id": 1},
    "datasets_datasetuserpermission": {"permission_id": 1},
    "datasets_holdmark": {"kind": "version", "query": None},
    "compliance_holdnotice": {"recorded_by": None, "note": None, "acknowledged_at": None},
    "compliance_legalhold": {"confirmed_by": uuid7(), "released_by": None},
    "compliance_control_evidence": {"sealed": b"sealed"},
    "datasets_stagedrecord": {"kind": "added"},
    "datasets_versionquarantine": {"released_at": "now"},
}

#: Columns of which a row has exactly one.
ONE_OF: Final = {
    "access_rolebinding": frozenset({"user_id", "api_key_id", "service_account_id", "group_id"}),
    "access_delegation": frozenset({"role_id", "group_id"}),
    "access_groupmapping": frozenset({"role_id", "group_id"}),
}

#: Columns that name a row made for it alone: no role inherits itself, and a session is of one sign-in.
OWN: Final = {"access_roleinheritance": "inherited_id", "access_federatedsession": "session_id"}

#: Tables of one row a tenant, which is made with the tenant.
MADE_WITH_TENANT: Final = frozenset({"access_signinpolicy"})

_COLUMNS: Final = """
    SELECT a.attname, t.typname, a.attnotnull, a.atthasdef OR a.attidentity <> '',
           CASE WHEN t.typname = 'varchar' THEN a.atttypmod - 4 END
      FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
     WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_REFERENCES: Final = """
    SELECT a.attname, k.confrelid::regclass::text
      FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[2]
     WHERE k.contype = 'f' AND k.conrelid = %s::regclass AND cardinality(k.conkey) = 2
"""


def connect(role: str) -> psycopg.Connection:
    """A connection of its own as ``vault_app``, ``vault_system`` or ``vault_owner``, past Django and its guard."""
    variable = {"vault_app": "VAULT_DATABASE_URL"}.get(role, f"{role.upper()}_DATABASE_URL")
    return psycopg.connect(os.environ[variable])


def columns_of(connection: psycopg.Connection, table: str) -> list[tuple[Any, ...]]:
    return connection.execute(_COLUMNS, [table]).fetchall()


def references_of(connection: psycopg.Connection, table: str) -> dict[str, str]:
    """Column -> the tenant table it points into, for each composite foreign key."""
    return dict(connection.execute(_REFERENCES, [table]).fetchall())


def make_row(connection: psycopg.Connection, table: str, tenant_id: UUID, made: dict[str, Any]) -> dict[str, Any]:
    """Values of a row of ``table`` that its constraints accept; ``made`` has the ids of the tenant's other rows."""
    references = references_of(connection, table)
    row: dict[str, Any] = {}
    for name, kind, is_required, has_default, length in columns_of(connection, table):
        if name in SPECIAL.get(table, {}):
            row[name] = SPECIAL[table][name]
        elif name == "tenant_id":
            row[name] = tenant_id
        elif name == OWN.get(table):
            row[name] = insert(connection, references[name], make_row(connection, references[name], tenant_id, made))
        elif references.get(name) in made:
            row[name] = made[references[name]]
        elif is_required and not has_default:
            row[name] = make_value(kind, length)
    return row


def make_value(kind: str, length: int | None) -> Any:
    makers = {
        "uuid": uuid7,
        "int2": lambda: secrets.randbelow(1 << 15),
        "int4": lambda: secrets.randbelow(1 << 31),
        "int8": lambda: secrets.randbelow(1 << 40),
        "bool": lambda: False,
        "numeric": lambda: 1,
        "bytea": lambda: secrets.token_bytes(32),
        "jsonb": lambda: Jsonb({}),
        "timestamptz": lambda: "now",
        "date": lambda: "now",
        "text": lambda: uuid4().hex,
        "varchar": lambda: uuid4().hex[:length],
    }
    return makers[kind]()


def insert(connection: psycopg.Connection, table: str, row: dict[str, Any]) -> Any:
    """Insert ``row``; returns its id where the role may read it (None else)."""
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join([sql.Placeholder()] * len(row)),
    )
    connection.execute(statement, list(row.values()))
    return row.get("id")


def fill(connection: psycopg.Connection, tenant_id: UUID) -> dict[str, Any]:
    """A row in every tenant table, parents first. Returns table -> id (for the outbox, the event's id)."""
    made: dict[str, Any] = {}
    waiting = sorted(TENANT)
    while waiting:
        ready = [table for table in waiting if not set(references_of(connection, table).values()) - {table} - set(made)]
        assert ready, f"tables that need each other: {waiting}"
        for table in ready:
            if table in MADE_WITH_TENANT:
                made[table] = _only_row(connection, table, tenant_id)
            else:
                row = make_row(connection, table, tenant_id, made)
                insert(connection, table, row)
                made[table] = row.get("id", row.get("event_id"))
            waiting.remove(table)
    return made


def _only_row(connection: psycopg.Connection, table: str, tenant_id: UUID) -> Any:
    query = sql.SQL("SELECT id FROM {} WHERE tenant_id = %s").format(sql.Identifier(table))
    ((row_id,),) = connection.execute(query, [tenant_id]).fetchall()
    return row_id
