"""Checkpoints: signed statements of the log's size and root, never two that contradict each other."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Now

from access.models import Tenant
from audit.log.errors import InconsistentLog, SigningKeyUnavailable
from audit.log.keys import KeyRing, create_keys, key_path, load_keys, origin_of
from audit.log.note import CheckpointText, InvalidNote, UnknownSigner, open_checkpoint, sign_note
from audit.log.stored import StoredTree
from audit.log.witnesses.enlisted import enlisted_witnesses
from audit.models import AuditCheckpoint, AuditLeaf

_LOCK: Final = "SELECT pg_try_advisory_xact_lock(hashtextextended('audit.checkpoint:' || %(tenant)s::text, 0))"


def latest_checkpoint(tenant_id: UUID, *, using: str = "default") -> AuditCheckpoint | None:
    """The newest checkpoint of the open scope's tenant; None before the first."""
    return AuditCheckpoint.objects.using(using).filter(tenant_id=tenant_id).order_by("-size").first()


def checkpoint_covering(tenant_id: UUID, seq: int) -> AuditCheckpoint | None:
    """The first checkpoint whose tree includes the leaf ``seq`` (size > seq), in the open scope; None if none does."""
    return AuditCheckpoint.objects.filter(tenant_id=tenant_id, size__gt=seq).order_by("size").first()


def due_tenants() -> list[UUID]:
    """Tenants whose log grew since their last checkpoint, when that is long enough ago."""
    checkpoints = AuditCheckpoint.objects.using("system").filter(tenant_id=OuterRef("pk")).order_by("-size")
    leaves = AuditLeaf.objects.using("system").filter(tenant_id=OuterRef("pk")).order_by("-seq")
    tenants = Tenant.objects.using("system").annotate(
        last_seq=Subquery(leaves.values("seq")[:1]),
        signed_size=Subquery(checkpoints.values("size")[:1]),
        signed_at=Subquery(checkpoints.values("time")[:1]),
    )
    pause = timedelta(seconds=settings.VAULT["AUDIT_CHECKPOINT_SECONDS"])
    is_first = Q(signed_size__isnull=True, last_seq__isnull=False)
    # A log that is shorter than its checkpoint is due as well, and refused.
    is_due = ~Q(last_seq=F("signed_size") - 1) & Q(signed_at__lte=Now() - pause)
    return list(tenants.filter(is_first | is_due).values_list("pk", flat=True))


def sign_checkpoint(tenant_id: UUID) -> AuditCheckpoint | None:
    """Sign the log as it is now, when it grew since the last checkpoint (else None). As vault_system, without a scope.

    What every readable witness holds is asked for first: when one does not answer, nothing is signed. Raises
    InconsistentLog when the log does not extend what was signed before, by the database's own checkpoint or by a
    witness's; SigningKeyUnavailable, WitnessUnavailable, MissingHashes.
    """
    held = _held_by_witnesses(origin_of(tenant_id))
    with transaction.atomic(using="system"):
        if not _take_turn(tenant_id):
            return None
        last = latest_checkpoint(tenant_id, using="system")
        ring = _keys(is_first=last is None and not held)
        stored = StoredTree(tenant_id, using="system")
        size = stored.size()
        if last is not None:
            _require_extension(stored, size, "the database", _own(tenant_id, last, ring))
        for witness, note in held.items():
            _require_extension(stored, size, witness, _opened(tenant_id, note, ring, witness))
        if (last is not None and last.size == size) or not size:
            return None
        return _sign(tenant_id, ring, CheckpointText(origin_of(tenant_id), size, stored.root(size)))


def _take_turn(tenant_id: UUID) -> bool:
    with connections["system"].cursor() as cursor:
        cursor.execute(_LOCK, {"tenant": str(tenant_id)})
        return bool(cursor.fetchone() == (True,))


def _held_by_witnesses(origin: str) -> dict[str, str]:
    """The newest note of each witness that can be read, by its name."""
    newest = {witness.name: witness.newest(origin) for witness in enlisted_witnesses() if witness.is_readable}
    return {name: note for name, note in newest.items() if note is not None}


def _keys(*, is_first: bool) -> KeyRing:
    """The keys. One is made for a vault that has never signed, not for one that has lost its key."""
    if is_first and not key_path().exists() and not AuditCheckpoint.objects.using("system").exists():
        return create_keys()
    return load_keys()


def _own(tenant_id: UUID, last: AuditCheckpoint, ring: KeyRing) -> CheckpointText:
    """What the stored checkpoint says, by its signature and by its columns alike."""
    opened = _opened(tenant_id, last.note, ring, "the database")
    if (opened.size, opened.root) != (last.size, bytes(last.root)):
        raise InconsistentLog("The stored checkpoint was changed", size=last.size)
    return opened


def _opened(tenant_id: UUID, note: str, ring: KeyRing, holder: str) -> CheckpointText:
    origin = origin_of(tenant_id)
    try:
        return open_checkpoint(note, origin, ring.verifiers(origin))
    except UnknownSigner as unknown:
        raise SigningKeyUnavailable("The keys did not sign the last checkpoint", holder=holder) from unknown
    except InvalidNote as invalid:
        raise InconsistentLog(f"The last checkpoint of {holder} is damaged: {invalid}", holder=holder) from invalid


def _require_extension(stored: StoredTree, size: int, holder: str, before: CheckpointText) -> None:
    if before.size > size:
        raise InconsistentLog(
            f"{holder} has a checkpoint of {before.size} events, the log has {size}: events were taken away",
            holder=holder, signed=before.size, size=size,
        )  # fmt: skip
    if stored.root(before.size) != before.root:
        raise InconsistentLog(
            f"The first {before.size} events are not those that {holder} has a checkpoint of",
            holder=holder, signed=before.size, size=size,
        )  # fmt: skip


def _sign(tenant_id: UUID, ring: KeyRing, text: CheckpointText) -> AuditCheckpoint:
    checkpoint = AuditCheckpoint(
        tenant_id=tenant_id,
        size=text.size,
        root=text.root,
        note=sign_note(str(text), text.origin, ring.signing),
        verifiers="\n".join(str(verifier) for verifier in ring.verifiers(text.origin)[: len(ring.signing)]),
    )
    checkpoint.save(using="system", force_insert=True)
    checkpoint.refresh_from_db(using="system")
    return checkpoint
