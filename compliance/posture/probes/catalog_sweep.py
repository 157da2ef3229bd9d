"""Catalog sweep: no table of a tenant, view, partition, function or role is outside of row-level security."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from uuid import UUID

from django.db import connection

from compliance.posture.outcome import Outcome, judged
from compliance.posture.sandbox import sandbox

_COUNT: Final = """
    SELECT count(*) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
     WHERE c.relkind IN ('r', 'p')
"""
#: What must not be there: the sentence that names it -> the statement that finds it.
_SWEEPS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "a table without forced row-level security": """
            SELECT c.relname::text FROM pg_class c
              JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
             WHERE c.relkind IN ('r', 'p') AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
        """,
        "a view that reads as its owner": """
            SELECT c.relname::text FROM pg_class c
             WHERE c.relkind = 'v' AND c.relnamespace = 'public'::regnamespace
               AND NOT coalesce('security_invoker=true' = ANY (c.reloptions), false)
        """,
        "a materialized view": """
            SELECT c.relname::text FROM pg_class c WHERE c.relkind = 'm' AND c.relnamespace = 'public'::regnamespace
        """,
        "a partition that can be read directly": """
            SELECT c.relname::text FROM pg_class c WHERE c.relispartition AND has_table_privilege(c.oid, 'SELECT')
        """,
        "a function that runs with its owner's rights": """
            SELECT p.proname::text FROM pg_proc p
             WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace AND has_function_privilege(p.oid, 'EXECUTE')
        """,
        "a serving role that passes by row-level security": """
            SELECT r.rolname::text FROM pg_roles r WHERE r.rolname = current_user
               AND (r.rolsuper OR r.rolbypassrls OR EXISTS (SELECT 1 FROM pg_class c WHERE c.relowner = r.oid))
        """,
    }
)


def probe(tenant_id: UUID) -> Outcome:
    with sandbox(tenant_id):
        breaches = [f"{what}: {name}" for what, statement in _SWEEPS.items() for name in _names(statement)]
        with connection.cursor() as cursor:
            cursor.execute(_COUNT)
            tables = int(cursor.fetchone()[0])
    return judged(breaches, tables=tables, sweeps=len(_SWEEPS))


def _names(statement: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return [str(name) for (name,) in cursor.fetchall()]
