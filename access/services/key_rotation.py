"""Successors for keys, and the end of keys nobody needs: rotate, rewrap, destroy."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from access.errors import ActiveKey, KeyInUse, KeyNotFound, SamePerson
from access.models import EncryptionKey, KeyDestruction, KeyPurpose, KeyState
from access.selectors import hands_of
from access.services import keyring
from access.services.authorize import authorize
from vaultsite.kernel.crypto.envelope import unwrap_key, wrap_key
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

#: What can have a successor: the others name things, which would change their names.
ROTATABLE: Final = frozenset(
    {KeyPurpose.KEK, KeyPurpose.PLATFORM, KeyPurpose.DATASET}
    | {KeyPurpose.TOKEN, KeyPurpose.TOKEN_INDEX, KeyPurpose.FORMAT, KeyPurpose.ACCESS_TOKEN}
)
#: What keys of these purposes sealed or name is not counted key by key.
UNCOUNTED: Final = frozenset(
    {KeyPurpose.PLATFORM, KeyPurpose.TOKEN, KeyPurpose.TOKEN_INDEX, KeyPurpose.FORMAT, KeyPurpose.ACCESS_TOKEN}
)

_BATCH: Final = 200


def rotate_key(purpose: KeyPurpose, scope_id: UUID) -> EncryptionKey:
    """Make the successor of the active key of a scope, in the open transaction; the old one opens and no longer seals.

    The caller records why. Raises KeyUnavailable.
    """
    if purpose not in ROTATABLE:
        message = f"a {purpose} key has no successor"
        raise ValueError(message)
    rows = EncryptionKey.objects.select_for_update().filter(purpose=purpose, scope_id=scope_id, state=KeyState.ACTIVE)
    for old in rows:
        EncryptionKey.objects.filter(pk=old.pk).update(state=KeyState.DECRYPT_ONLY)
    new = keyring.create_key(purpose, scope_id)
    keyring.forget_tenant_on_commit()
    return new


def rewrap_keys(kek_id: UUID, *, limit: int) -> int:
    """Wrap up to ``limit`` keys anew that another KEK wraps, under the KEK ``kek_id``; returns how many there were.

    What the keys sealed does not change, and no reader notices. Keys that a destroyed KEK wraps are lost and stay as
    they are. Raises KeyUnavailable, IntegrityFailure.
    """
    kek = keyring.key_by_id(kek_id)
    others = EncryptionKey.objects.filter(wrapped_by__isnull=False).exclude(wrapped_by=kek_id)
    others = others.exclude(wrapped_by__state=KeyState.DESTROYED)
    rows = others.exclude(state=KeyState.DESTROYED).select_for_update(of=("self",)).order_by("pk")[:limit]
    count = 0
    for row in rows:
        assert row.wrapped_by_id is not None
        assert row.wrapped is not None
        context = keyring.place_of(row)
        old = keyring.key_by_id(row.wrapped_by_id)
        key = unwrap_key(old, wrapping_key_id=row.wrapped_by_id, context=context, wrapped=bytes(row.wrapped))
        row.wrapped = wrap_key(kek, wrapping_key_id=kek_id, context=context, key=key)
        row.wrapped_by_id = kek_id
        row.save(update_fields=["wrapped", "wrapped_by"])
        count += 1
    return count


def due_keys(now: datetime) -> list[EncryptionKey]:
    """The active keys of the scope's tenant whose successor is due, KEKs first."""
    due = EncryptionKey.objects.filter(state=KeyState.ACTIVE, expires_at__lte=now)
    return sorted(due, key=lambda key: (key.purpose != KeyPurpose.KEK, key.pk))


def get_key(principal: Principal, key_id: UUID, *, action: str) -> EncryptionKey:
    """One key of the tenant, decided on for ``action``. Raises KeyNotFound, AccessDenied."""
    key = EncryptionKey.objects.filter(pk=key_id).first()
    authorize(principal, action, ResourceRef("encryption_key", str(key_id)))
    if key is None:
        raise KeyNotFound
    return key


def request_destruction(principal: Principal, *, key_id: UUID, reason: str) -> KeyDestruction:
    """Ask for the end of a key that no longer seals; asking again gives the request there is.

    Raises KeyNotFound, AccessDenied, ActiveKey.
    """
    key = get_key(principal, key_id, action="key.destroy")
    _require_retired(key)
    request, _ = KeyDestruction.objects.get_or_create(
        key=key, defaults={"reason": reason, "requested_by": principal.id}
    )
    return request


def withdraw_destruction(principal: Principal, *, key_id: UUID) -> None:
    """Take a request back that nobody has confirmed. Raises KeyNotFound, AccessDenied."""
    key = get_key(principal, key_id, action="key.destroy")
    KeyDestruction.objects.filter(key=key, confirmed_at=None).delete()


def confirm_destruction(
    principal: Principal, *, key_id: UUID, count_uses: Callable[[EncryptionKey], int], accepts_loss: bool = False
) -> EncryptionKey:
    """Destroy the key as the second person: what only it opens is unreadable once the open transaction commits.

    ``count_uses`` says how many stored objects the key still opens; only with ``accepts_loss`` may there be any,
    or a platform key end, whose columns nobody counts. Raises KeyNotFound, AccessDenied, ActiveKey, SamePerson,
    KeyInUse.
    """
    key = get_key(principal, key_id, action="key.destroy")
    key = EncryptionKey.objects.select_for_update().get(pk=key.pk)
    _require_retired(key)
    request = KeyDestruction.objects.select_for_update().filter(key=key).first()
    if request is None:
        raise KeyNotFound("Nobody has asked for the end of this key")
    if hands_of(request.requested_by) & hands_of(principal.id):
        raise SamePerson
    # What was sealed under a platform key stays under it, column by column; generations of tokens name keys by id.
    is_counted = key.purpose not in UNCOUNTED
    uses = count_uses(key) + EncryptionKey.objects.filter(wrapped_by=key).exclude(state=KeyState.DESTROYED).count()
    if (uses or not is_counted) and not accepts_loss:
        raise KeyInUse(uses=uses)
    EncryptionKey.objects.filter(pk=key.pk).update(state=KeyState.DESTROYED, wrapped=None)
    request.confirmed_by, request.confirmed_at = principal.id, timezone.now()
    request.save(update_fields=["confirmed_by", "confirmed_at"])
    keyring.forget_tenant_on_commit()
    emit(_destroyed(key, request, uses))
    key.refresh_from_db()
    return key


def _require_retired(key: EncryptionKey) -> None:
    if key.state == KeyState.ACTIVE:
        raise ActiveKey
    if key.state == KeyState.DESTROYED:
        raise KeyNotFound("The key is destroyed")


def _destroyed(key: EncryptionKey, request: KeyDestruction, uses: int) -> Event:
    return Event(
        type=EventType.KEY_DESTROYED,
        operation="delete",
        severity="critical",
        resource=ResourceRef("encryption_key", str(key.pk), dataset_id=keyring.dataset_of(key)),
        metadata={
            "purpose": key.purpose,
            "version": key.version,
            "requested_by": str(request.requested_by),
            "objects_lost": uses,
        },
    )


def destroy_again(key_ids: Collection[UUID]) -> int:
    """Destroy keys that a database brought back from a backup holds again, in an open scope; returns how many.

    That they may go was decided when they went. What they sealed is unreadable, whatever else the backup holds. What
    a KEK among them still wraps goes only if it is named itself: the other keys had a KEK that lives when theirs went,
    and get one here. Raises KeyUnavailable, IntegrityFailure.
    """
    alive = EncryptionKey.objects.filter(pk__in=key_ids).exclude(state=KeyState.DESTROYED)
    destroyed = alive.exclude(purpose=KeyPurpose.KEK).update(state=KeyState.DESTROYED, wrapped=None)
    _leave_keks(alive.filter(purpose=KeyPurpose.KEK))
    destroyed += alive.update(state=KeyState.DESTROYED, wrapped=None)
    keyring.forget_tenant_on_commit()
    return destroyed


def _leave_keks(leaving: "QuerySet[EncryptionKey]") -> None:
    """Nothing that lives is wrapped by these KEKs any more."""
    if not EncryptionKey.objects.filter(wrapped_by__in=leaving).exclude(state=KeyState.DESTROYED).exists():
        return
    active = leaving.filter(state=KeyState.ACTIVE).first()
    if active is not None:
        rotate_key(KeyPurpose.KEK, active.scope_id)
    kek = keyring.current_key(KeyPurpose.KEK)
    while rewrap_keys(kek.id, limit=_BATCH):
        continue
