"""What was signed, read with suspicion: a root counts only when a trusted key of this log signed it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from audit.log.keys import load_keys, origin_of
from audit.log.note import CheckpointText, InvalidNote, Verifier, open_checkpoint, open_note
from audit.models import AuditCheckpoint
from audit.proofs.walk import SignedHead


@dataclass(frozen=True)
class Trust:
    """The name of an organization's log and the public keys that may speak for it; none of it from the database."""

    origin: str
    verifiers: tuple[Verifier, ...]

    @classmethod
    def of(cls, tenant_id: UUID) -> Self:
        """From the file of the keys. Raises SigningKeyUnavailable."""
        origin = origin_of(tenant_id)
        return cls(origin, tuple(load_keys().verifiers(origin)))

    def read(self, note: str) -> CheckpointText | None:
        """What a signed note says of this log; None unless one of the keys signed exactly this."""
        try:
            return open_checkpoint(note, self.origin, self.verifiers)
        except InvalidNote:
            return None

    def signers(self, note: str) -> set[str]:
        """The keys, of those that may speak for the log, that signed a note, as verifier keys; none for no note."""
        try:
            return {str(verifier) for verifier in open_note(note, self.verifiers)[1]}
        except InvalidNote:
            return set()


@dataclass(frozen=True)
class StoredHeads:
    """Checkpoints of a range of sizes: those that hold, and the sizes of those that do not."""

    good: tuple[SignedHead, ...]
    bad: tuple[int, ...]


def stored_heads(tenant_id: UUID, trust: Trust, *, above: int, up_to: int) -> StoredHeads:
    """The vault's own checkpoints with sizes in (above, up_to], inside the open scope.

    Good are those whose columns say what the note says: size, root, and the keys that signed it.
    """
    good, bad = [], []
    for size, root, note, verifiers in _rows(tenant_id, above, up_to):
        read = trust.read(note)
        if read is None or (read.size, read.root, trust.signers(note)) != (size, root, set(verifiers.splitlines())):
            bad.append(size)
        else:
            good.append(SignedHead(size, root))
    return StoredHeads(tuple(good), tuple(bad))


def _rows(tenant_id: UUID, above: int, up_to: int) -> Iterator[tuple[int, bytes, str, str]]:
    found = AuditCheckpoint.objects.filter(tenant_id=tenant_id, size__gt=above, size__lte=up_to).order_by("size")
    for size, root, note, verifiers in found.values_list("size", "root", "note", "verifiers").iterator():
        yield size, bytes(root), note, verifiers


def greatest_size(tenant_id: UUID) -> int:
    """The size of the greatest stored checkpoint, whether it holds or not; 0 for none."""
    found = AuditCheckpoint.objects.filter(tenant_id=tenant_id).order_by("-size")
    return found.values_list("size", flat=True).first() or 0
