"""What the tests of the log share: its rows, and what must hold of them."""

from uuid import UUID

from django.db import connections

from audit.log.stored import StoredTree
from audit.log.tree import leaf_hash, verify_inclusion
from audit.models import AuditCheckpoint, AuditEvent, AuditLeaf
from tests.factories.audit import make_event, record


def leaves_of(tenant_id: UUID) -> list[AuditLeaf]:
    return list(AuditLeaf.objects.using("system").filter(tenant_id=tenant_id).order_by("seq"))


def events_of(tenant_id: UUID) -> dict[UUID, AuditEvent]:
    return {event.pk: event for event in AuditEvent.objects.using("system").filter(tenant_id=tenant_id)}


def checkpoints_of(tenant_id: UUID) -> list[AuditCheckpoint]:
    return list(AuditCheckpoint.objects.using("system").filter(tenant_id=tenant_id).order_by("size"))


def happen(tenant_id: UUID, count: int) -> None:
    """``count`` events of this tenant, committed."""
    record(tenant_id, *(make_event() for _ in range(count)))


def as_owner(*statements: str) -> None:
    """What somebody does who holds the database: fences down, change, fences up."""
    with connections["owner"].cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def tamper(table: str, statement: str) -> None:
    fence = f"ALTER TABLE {table} {{}} TRIGGER append_only"
    as_owner(fence.format("DISABLE"), statement, fence.format("ENABLE"))


def require_sealed(tenant_id: UUID) -> None:
    """Every event has one leaf, of its body; the sequence has no gap; proofs verify."""
    leaves, events = leaves_of(tenant_id), events_of(tenant_id)
    assert [leaf.seq for leaf in leaves] == list(range(len(events)))
    assert {leaf.event_id for leaf in leaves} == set(events)
    stored = StoredTree(tenant_id, using="system")
    root = stored.root(len(leaves))
    for leaf in leaves:
        event = events[leaf.event_id]
        assert (bytes(leaf.leaf), leaf.event_time) == (leaf_hash(bytes(event.body)), event.time)
    for leaf in leaves[:: max(1, len(leaves) // 20)]:
        proof = stored.inclusion_proof(leaf.seq, len(leaves))
        verify_inclusion(leaf=bytes(leaf.leaf), seq=leaf.seq, size=len(leaves), proof=proof, root=root)
