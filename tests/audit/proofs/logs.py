"""Logs to be verified, and hands that tamper with them as only an owner of the database can."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connections, transaction

from audit.log.checkpoints import sign_checkpoint
from audit.log.sealer import seal_tenant
from audit.log.witnessing import witness_checkpoints
from audit.models import AuditCheckpoint, AuditEvent, AuditLeaf, AuditMonthDrop
from tests.factories.audit import make_event, make_principal, record
from vaultsite.kernel.tenancy.scope import tenant_scope

TABLES = ("audit_event", "audit_leaf", "audit_tile", "audit_checkpoint", "audit_witness_receipt", "audit_month_drop")


def grow(tenant_id: UUID, events: int = 5, *, sign: bool = True, witness: bool = True) -> int:
    """Record and seal events, sign and witness the log; returns its size."""
    record(tenant_id, *(make_event() for _ in range(events)))
    seal_tenant(tenant_id)
    if sign:
        sign_checkpoint(tenant_id)
    if witness:
        witness_checkpoints(tenant_id)
    return AuditLeaf.objects.using("system").filter(tenant_id=tenant_id).count()


@contextmanager
def fences_down() -> Iterator[object]:
    """A cursor of the owner with every trigger off, which only the owner can switch."""
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield cursor
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def tamper(statement: str, *values: object) -> int:
    """Change rows past the fences; returns how many."""
    with fences_down() as cursor:
        cursor.execute(statement, values)
        return cursor.rowcount


def copy_event(cursor: Any, event_id: UUID, time: datetime) -> None:
    """The row of an event once more, at another time: the key of the table is (tenant, id, time)."""
    columns = [field.column for field in AuditEvent._meta.concrete_fields]
    chosen = ", ".join("%(time)s" if name == "time" else name for name in columns)
    statement = f"INSERT INTO audit_event ({', '.join(columns)}) SELECT {chosen} FROM audit_event WHERE id = %(id)s"
    cursor.execute(statement, {"time": time, "id": event_id})


def insert_drop(tenant_id: UUID, event_id: UUID, **facts: Any) -> None:
    """A row that says that retention dropped a month, as only the owner can write it."""
    row = AuditMonthDrop(
        tenant_id=tenant_id,
        event_id=event_id,
        checkpoint_size=facts["last_seq"] + 1,
        witness="folder",
        dropped_at=datetime.now(UTC),
        **facts,
    )
    row.save(using="owner", force_insert=True)


def event_at(tenant_id: UUID, seq: int) -> UUID:
    with tenant_scope(tenant_id, make_principal(tenant_id)):
        return AuditLeaf.objects.get(tenant_id=tenant_id, seq=seq).event_id


def seq_of(tenant_id: UUID, event_id: UUID) -> int:
    with tenant_scope(tenant_id, make_principal(tenant_id)):
        return AuditLeaf.objects.get(tenant_id=tenant_id, event_id=event_id).seq


def sizes(tenant_id: UUID) -> list[int]:
    with tenant_scope(tenant_id, make_principal(tenant_id)):
        return list(AuditCheckpoint.objects.order_by("size").values_list("size", flat=True))
