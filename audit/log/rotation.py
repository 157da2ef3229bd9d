"""A new key for the checkpoints: at the change both sign, so that who trusted the old one can trust the new one."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.log.checkpoints import latest_checkpoint, sign_checkpoint
from audit.log.errors import TAMPERED, SigningKeyUnavailable
from audit.log.keys import KeyRing, load_keys, origin_of, save_keys
from audit.log.sealer import seal_tenant
from audit.log.witnessing import witness_checkpoints
from audit.models import AuditCheckpoint
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: How often a tenant's checkpoint is tried while other workers sign it.
_TRIES: Final = 50


@dataclass(frozen=True)
class Rotation:
    """The public key that signs from now on, in hex, how many logs were told, and which ones cannot be signed.

    ``broken`` are tenants whose log contradicts what was signed before, or was signed by keys that are not ours: they
    have no checkpoint of the new key.
    """

    public_key: str
    logs: int
    broken: tuple[UUID, ...]


def rotate_keys(*, lost: Sequence[bytes] = ()) -> Rotation:
    """Put a new key in the place of the one that signs; run by the operator, without a scope.

    Both keys sign until every log that has checkpoints has one with both signatures, then the old private key is gone
    from the file; its public key stays. Killed in the middle, both go on signing, and the next call ends it. ``lost``
    are the public keys (32 bytes each) of private ones that are gone, as somebody kept them outside the database: the
    new key signs alone. Each log gets the event ``audit.key.rotated``. Raises SigningKeyUnavailable,
    WitnessUnavailable.
    """
    ring = _instead_of(lost) if lost else load_keys()
    if len(ring.signing) == 1 and not lost:
        ring = ring.with_new_key()
        save_keys(ring)
    tenants = list(AuditCheckpoint.objects.using("system").order_by().values_list("tenant_id", flat=True).distinct())
    broken = []
    for tenant_id in tenants:
        try:
            _change(tenant_id, ring, is_lost=bool(lost))
        except (*TAMPERED, SigningKeyUnavailable) as fault:
            broken.append(tenant_id)
            if len(broken) == len(tenants):  # it is not the logs
                raise fault from None
    save_keys(ring.with_newest_only())
    return Rotation(ring.signing[-1].public_key().public_bytes_raw().hex(), len(tenants), tuple(broken))


def _instead_of(lost: Sequence[bytes]) -> KeyRing:
    # What the database says of keys is not asked: whoever could change it would have a key of theirs trusted for good.
    ring = KeyRing((Ed25519PrivateKey.generate(),), tuple(dict.fromkeys(lost)))
    save_keys(ring)
    return ring


def _change(tenant_id: UUID, ring: KeyRing, *, is_lost: bool) -> None:
    wanted = {str(verifier) for verifier in ring.verifiers(origin_of(tenant_id))[: len(ring.signing)]}
    if _is_signed_by(tenant_id, wanted):
        return
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        public = ring.signing[-1].public_key().public_bytes_raw().hex()
        emit(
            Event(
                EventType.AUDIT_KEY_ROTATED,
                operation="update",
                resource=ResourceRef("audit_log", origin_of(tenant_id)),
                severity="warning" if is_lost else "info",
                metadata={"public_key": public, "old_key_lost": is_lost},
            )
        )
    for _ in range(_TRIES):
        seal_tenant(tenant_id)
        sign_checkpoint(tenant_id)
        if _is_signed_by(tenant_id, wanted):
            witness_checkpoints(tenant_id)
            return
        time.sleep(0.1)
    raise SigningKeyUnavailable("Another process keeps signing with the old key alone", tenant_id=str(tenant_id))


def _is_signed_by(tenant_id: UUID, wanted: set[str]) -> bool:
    newest = latest_checkpoint(tenant_id, using="system")
    return newest is not None and wanted <= set(newest.verifiers.splitlines())
