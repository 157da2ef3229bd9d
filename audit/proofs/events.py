"""Proofs of single events and between checkpoints, made from what is stored and checked before they are given out."""

from base64 import b64encode
from dataclasses import dataclass
from uuid import UUID

from audit.archive.read import Archive
from audit.log.checkpoints import checkpoint_covering, latest_checkpoint
from audit.log.errors import MissingHashes
from audit.log.stored import StoredTree
from audit.log.tree import InvalidProof, leaf_hash, verify_consistency, verify_inclusion
from audit.models import AuditCheckpoint, AuditEvent, AuditLeaf
from audit.proofs.errors import AuditEventNotFound, CheckpointNotFound, EventNotSealed, ProofBroken
from audit.proofs.heads import Trust


@dataclass(frozen=True)
class EventProof:
    """That an event is leaf ``seq`` of the log of ``checkpoint``: ``path`` leads from the leaf to its root.

    ``body`` is None for an event that retention dropped: its leaf still has a proof, for who kept the bytes.
    """

    event_id: UUID
    seq: int
    leaf: bytes
    body: bytes | None
    path: tuple[bytes, ...]
    checkpoint: AuditCheckpoint

    def as_file(self) -> str:
        """The C2SP tlog-proof with the event's bytes as its extra data (without, when they were dropped)."""
        extra = [f"extra {_text(self.body)}"] if self.body is not None else []
        lines = ["c2sp.org/tlog-proof@v1", *extra, f"index {self.seq}", *map(_text, self.path)]
        return "\n".join(lines) + "\n\n" + self.checkpoint.note


def _text(raw: bytes) -> str:
    return b64encode(raw).decode()


def find_event(tenant_id: UUID, event_id: UUID) -> AuditEvent | None:
    """One event of the open scope's tenant: the one that was sealed, or the first of those that wait for it.

    It is looked for in the archive too.
    """
    return _find_at(tenant_id, event_id, _leaf_of(tenant_id, event_id))


def _find_at(tenant_id: UUID, event_id: UUID, leaf: AuditLeaf | None) -> AuditEvent | None:
    """By its whole key: at another time the same id may stand in a row that was never sealed."""
    events = AuditEvent.objects.filter(tenant_id=tenant_id, pk=event_id).order_by("time")
    found = (events if leaf is None else events.filter(time=leaf.event_time)).first()
    return found if found is not None or leaf is None else Archive(tenant_id).event_of_leaf(leaf)


def _leaf_of(tenant_id: UUID, event_id: UUID) -> AuditLeaf | None:
    return AuditLeaf.objects.filter(tenant_id=tenant_id, event_id=event_id).first()


def prove_event(tenant_id: UUID, event_id: UUID) -> EventProof:
    """The proof of an event under the first checkpoint that covers it, checked once more, inside the open scope.

    Raises AuditEventNotFound, EventNotSealed, ProofBroken, SigningKeyUnavailable.
    """
    leaf = _leaf_of(tenant_id, event_id)
    event = _find_at(tenant_id, event_id, leaf)
    if leaf is None:
        raise EventNotSealed if event else AuditEventNotFound
    checkpoint = checkpoint_covering(tenant_id, leaf.seq)
    if checkpoint is None:
        raise EventNotSealed
    body = bytes(event.body) if event else None
    try:
        path = tuple(StoredTree(tenant_id).inclusion_proof(leaf.seq, checkpoint.size))
    except MissingHashes as fault:
        raise ProofBroken(seq=leaf.seq) from fault
    proof = EventProof(event_id, leaf.seq, bytes(leaf.leaf), body, path, checkpoint)
    _check(tenant_id, proof)
    return proof


def _check(tenant_id: UUID, proof: EventProof) -> None:
    """The event's bytes give the leaf, the leaf leads to the root, and the vault's key signed the root."""
    head = Trust.of(tenant_id).read(proof.checkpoint.note)
    leaf = proof.leaf if proof.body is None else leaf_hash(proof.body)
    if head is None or leaf != proof.leaf:
        raise ProofBroken(seq=proof.seq)
    try:
        verify_inclusion(leaf=leaf, seq=proof.seq, size=head.size, proof=proof.path, root=head.root)
    except InvalidProof as fault:
        raise ProofBroken(seq=proof.seq) from fault


def newest_checkpoint(tenant_id: UUID) -> AuditCheckpoint:
    """Raises CheckpointNotFound before the first."""
    found = latest_checkpoint(tenant_id)
    if found is None:
        raise CheckpointNotFound
    return found


def list_checkpoints(tenant_id: UUID, *, limit: int, below: int | None = None) -> list[AuditCheckpoint]:
    """At most ``limit`` checkpoints, the greatest first, smaller than ``below``."""
    found = AuditCheckpoint.objects.filter(tenant_id=tenant_id)
    if below is not None:
        found = found.filter(size__lt=below)
    return list(found.order_by("-size")[:limit])


@dataclass(frozen=True)
class Consistency:
    """That the log of ``later`` begins with that of ``earlier``."""

    earlier: AuditCheckpoint
    later: AuditCheckpoint
    path: tuple[bytes, ...]

    def as_file(self) -> str:
        """A file of ``checkpoints/`` in a bundle."""
        return "\n".join(["vault-audit-consistency@v1", *map(_text, self.path)]) + "\n\n" + self.earlier.note


def prove_consistency(tenant_id: UUID, earlier_size: int, later_size: int) -> Consistency:
    """The proof between two checkpoints of these sizes, checked once more, inside the open scope.

    Raises CheckpointNotFound (also when ``earlier_size`` is not the smaller), ProofBroken.
    """
    found = AuditCheckpoint.objects.filter(tenant_id=tenant_id, size__in=(earlier_size, later_size))
    by_size = {checkpoint.size: checkpoint for checkpoint in found}
    if earlier_size > later_size or len(by_size) != len({earlier_size, later_size}):
        raise CheckpointNotFound
    earlier, later = by_size[earlier_size], by_size[later_size]
    try:
        path = tuple(StoredTree(tenant_id).consistency_proof(earlier_size, later_size))
        verify_consistency(
            old=earlier_size, new=later_size, old_root=bytes(earlier.root), new_root=bytes(later.root), proof=path
        )
    except (MissingHashes, InvalidProof) as fault:
        raise ProofBroken(seq=earlier_size) from fault
    return Consistency(earlier, later, path)
