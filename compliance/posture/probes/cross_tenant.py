"""Cross-tenant read: rows of a stranger are planted in the open transaction, and tried from the caller's tenant."""

from typing import Any, Final
from uuid import UUID, uuid4

from django.db import connection, models
from django.utils import timezone
from psycopg import sql

from access.models import HolderKind, Lease, Shown
from audit.models import Alert
from compliance.posture.attempt import tried
from compliance.posture.outcome import Outcome, Untried, judged
from compliance.posture.sandbox import sandbox
from datasets.models import Dataset

_ENTER: Final = "SELECT set_config('vault.tenant_id', %s, true)"
_TABLES: Final = """
    SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace
       AND has_table_privilege(c.oid, 'SELECT') ORDER BY c.relname
"""
_ANY_ROW: Final = sql.SQL("SELECT EXISTS (SELECT FROM {table})")


def probe(tenant_id: UUID) -> Outcome:
    stranger, nobody, breaches = uuid4(), uuid4(), list[str]()
    with sandbox(tenant_id):
        _enter(stranger)
        planted = _plant(stranger)
        if not all(_sees(row) for row in planted):
            raise Untried("a planted row could not be seen by its own tenant")
        _enter(tenant_id)
        for row in planted:
            breaches += _tried(row, tenant_id)
        tables = _tables()
        for place, who in ((str(nobody), "a tenant that does not exist"), ("", "no tenant at all")):
            _enter(place)
            breaches += [f"{who} saw a row of {table}" for table in tables if _has_row(table)]
        _enter(tenant_id)
    return judged(breaches, tables=len(tables), planted=len(planted))


def _plant(stranger: UUID) -> list[models.Model]:
    return [
        Dataset.objects.create(tenant_id=stranger, name=f"probe {stranger.hex}", created_by=stranger),
        Lease.objects.create(
            tenant_id=stranger,
            holder=stranger,
            holder_kind=HolderKind.USER,
            dataset_id=stranger,
            actions=[],
            shown=Shown.REDACT,
            purpose="probe",
            granted_by=[],
            expires_at=timezone.now(),
        ),
        Alert.objects.create(
            tenant_id=stranger,
            kind="policy.violation",
            cause=f"probe {stranger.hex}",
            severity="info",
            summary="probe",
        ),
    ]


def _tried(row: models.Model, tenant_id: UUID) -> list[str]:
    """What worked of reading, changing, removing and taking over a stranger's row, and of writing one for it."""
    kind, found = type(row).__name__, list[str]()
    rows = type(row)._default_manager.filter(pk=row.pk)  # noqa: SLF001 - the public alias of a model's manager
    if _sees(row):
        found.append(f"a stranger's {kind} was read")
    attempts: dict[str, Any] = {
        "changed": lambda: rows.update(tenant_id=row.tenant_id),  # type: ignore[attr-defined]
        "taken over": lambda: rows.update(tenant_id=tenant_id),
        "removed": lambda: rows._raw_delete("default"),  # noqa: SLF001 - no cascade in Python: the database judges
        "written": lambda: _write_again(row),
    }
    return found + [f"a stranger's {kind} was {done}" for done, attempt in attempts.items() if tried(attempt)]


def _write_again(row: models.Model) -> int:
    """A row like it, unlike it in what must be unique: no constraint may refuse in the place of the policy.

    Nothing is read back of it: that would be refused for what may be read.
    """
    fields = row._meta.concrete_fields  # noqa: SLF001 - Django's documented API
    values = {field.attname: getattr(row, field.attname) for field in fields}
    fresh = {name: f"probe {uuid4().hex}" for name in ("name", "cause") if name in values}
    again = type(row)(**(values | fresh | {"id": uuid4()}))
    type(row)._default_manager._insert([again], fields=fields, using="default")  # type: ignore[attr-defined] # noqa: SLF001
    return 1


def _sees(row: models.Model) -> bool:
    return type(row)._default_manager.filter(pk=row.pk).exists()  # noqa: SLF001


def _enter(place: UUID | str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_ENTER, [str(place)])


def _tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        return [str(name) for (name,) in cursor.fetchall()]


def _has_row(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_ANY_ROW.format(table=sql.Identifier(table)))
        return bool(cursor.fetchone()[0])
