"""The keyring: KMS -> tenant KEK -> one key a purpose and scope; keys are made at their first use."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from types import MappingProxyType
from typing import Final
from uuid import UUID

from django.db import IntegrityError, connections, transaction
from django.db.models import Max
from django.utils import timezone

from access.models import EncryptionKey, KeyPurpose, KeyState
from access.services.key_cache import KeyCache
from vaultsite.kernel.crypto.aead import Context, Sealed, open_sealed, read_key_id, seal
from vaultsite.kernel.crypto.envelope import generate_key, unwrap_key, unwrap_with_kms, wrap_key, wrap_with_kms
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.crypto.kms.base import KMS
from vaultsite.kernel.crypto.kms.breaker import Breaker
from vaultsite.kernel.errors import IntegrityFailure, KeyDestroyed, KeyUnavailable
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.providers import load_provider
from vaultsite.kernel.tenancy.scope import active_alias, current_tenant_id

__all__ = [
    "KeyHandle",
    "KeyPurpose",
    "current_key",
    "destroy_keys",
    "drop_tenant",
    "key_by_id",
    "open_column",
    "seal_column",
]

#: After which time a successor is due. Keys behind digests, boundaries and pseudonyms would change what they name.
LIFETIMES: Final[Mapping[KeyPurpose, timedelta]] = MappingProxyType(
    {
        KeyPurpose.KEK: timedelta(days=90),
        KeyPurpose.PLATFORM: timedelta(days=30),
        KeyPurpose.DATASET: timedelta(days=30),
    }
)
_ATTEMPTS: Final = 3
# Nearly every act asks for it: by the ORM the same question takes four times as long, nearly all of it Python.
_ACTIVE_ID: Final = """
    SELECT id FROM access_encryptionkey WHERE tenant_id = %s AND purpose = %s AND scope_id = %s AND state = 'active'
"""

_cache: Final = KeyCache()
_breaker: Final = Breaker()
os.register_at_fork(after_in_child=_cache.restart)
os.register_at_fork(after_in_child=_breaker.reset)


@dataclass(frozen=True)
class KeyHandle:
    """A key and the id under which it is found again."""

    id: UUID
    key: SecretKey


def current_key(purpose: KeyPurpose, scope_id: UUID | None = None) -> KeyHandle:
    """The key that seals now for the scope's tenant; made, with its KEK, when there is none.

    ``scope_id`` is the dataset it belongs to, None for a key of the whole tenant. A key made here lives and dies with
    the open transaction, like what it seals. Raises KeyUnavailable when the KMS does not answer, IntegrityFailure when
    it answers with another key.
    """
    scope_id = scope_id or current_tenant_id()
    if known := _known(purpose, scope_id):
        return known
    row = _active(purpose, scope_id)
    # A key just made is unwrapped like any other: nothing is sealed under a key that would not come back.
    return KeyHandle(row.pk, _material(row))


def key_by_id(key_id: UUID) -> SecretKey:
    """The key of that id, if it is the scope's tenant's. For opening only: it may no longer be current.

    Raises KeyDestroyed, KeyUnavailable (also when the tenant has no such key), IntegrityFailure.
    """
    cached = _cache.get(current_tenant_id(), key_id)
    if cached is not None:
        return cached
    row = EncryptionKey.objects.filter(pk=key_id).first()
    if row is None:
        raise KeyUnavailable("This tenant has no such key")
    return _material(row)


def column_key() -> KeyHandle:
    """The platform key that columns are sealed under now, for who seals many at once; made on first use."""
    return current_key(KeyPurpose.PLATFORM)


def seal_column(kind: str, object_id: bytes, plaintext: bytes, key: KeyHandle | None = None) -> bytes:
    """A small value sealed under the tenant's platform key, bound to ``kind`` ("access.session") and ``object_id``.

    ``key`` is what ``column_key`` gave, where it was asked for already.
    """
    handle = key or column_key()
    return seal(handle.key, key_id=handle.id, context=_column(kind, object_id), plaintext=plaintext)


def open_column(kind: str, object_id: bytes, sealed: Sealed) -> bytes:
    """What seal_column sealed for the same tenant, kind and object; raises as key_by_id, and IntegrityFailure."""
    key = key_by_id(read_key_id(sealed))
    return open_sealed(key, context=_column(kind, object_id), sealed=sealed)


def destroy_keys(scope_id: UUID) -> int:
    """Destroy every key of a scope: what they sealed is unreadable once the open transaction commits.

    Returns how many. Plaintext copies in other processes die with their age (``key_cache.MAX_AGE_SECONDS``).
    """
    keys = EncryptionKey.objects.filter(scope_id=scope_id).exclude(state=KeyState.DESTROYED)
    destroyed = keys.update(state=KeyState.DESTROYED, wrapped=None)
    forget_tenant_on_commit()
    return destroyed


def forget_tenant_on_commit() -> None:
    """Forget the tenant's plaintext keys now, and again once the open transaction has committed.

    Until then another thread may still read the old rows and keep the key.
    """
    transaction.on_commit(partial(drop_tenant, current_tenant_id()), using=active_alias())
    drop_tenant(current_tenant_id())


def drop_tenant(tenant_id: UUID) -> None:
    """Forget the plaintext keys of a tenant in this process."""
    _cache.drop_tenant(tenant_id)


def _column(kind: str, object_id: bytes) -> Context:
    tenant_id = current_tenant_id()
    return Context(tenant_id, tenant_id, kind, object_id)


def _known(purpose: KeyPurpose, scope_id: UUID) -> KeyHandle | None:
    """The active key, if its plaintext is in this process."""
    tenant_id = current_tenant_id()
    with connections[active_alias()].cursor() as cursor:
        cursor.execute(_ACTIVE_ID, [tenant_id, purpose.value, scope_id])
        row = cursor.fetchone()
    key = _cache.get(tenant_id, row[0]) if row else None
    return KeyHandle(row[0], key) if row and key else None


def _active(purpose: KeyPurpose, scope_id: UUID) -> EncryptionKey:
    """The active row. Who loses the race to make it takes what the winner committed."""
    for _ in range(_ATTEMPTS):
        found = EncryptionKey.objects.filter(purpose=purpose, scope_id=scope_id, state=KeyState.ACTIVE).first()
        if found is not None:
            return found
        try:
            with transaction.atomic(using=active_alias()):
                return create_key(purpose, scope_id)
        except IntegrityError:
            continue
    raise KeyUnavailable("The key could not be made")


def create_key(purpose: KeyPurpose, scope_id: UUID) -> EncryptionKey:
    """A new active key of a scope that has none. Raises KeyUnavailable; IntegrityError when there is one."""
    earlier = EncryptionKey.objects.filter(purpose=purpose, scope_id=scope_id).aggregate(Max("version"))["version__max"]
    lifetime = LIFETIMES.get(purpose)
    row = EncryptionKey(
        id=uuid7(),
        purpose=purpose,
        scope_id=scope_id,
        version=(earlier or 0) + 1,
        expires_at=timezone.now() + lifetime if lifetime else None,
    )
    _wrap(row, generate_key())
    row.save(force_insert=True)
    emit(
        Event(
            type=EventType.KEY_CREATED,
            operation="write",
            resource=ResourceRef("encryption_key", str(row.pk), dataset_id=dataset_of(row)),
            metadata={"purpose": str(purpose), "version": row.version},
        )
    )
    return row


def _wrap(row: EncryptionKey, key: SecretKey) -> None:
    context = place_of(row)
    if row.purpose == KeyPurpose.KEK:
        kms = _kms()
        wrap = partial(wrap_with_kms, kms, key_id=row.pk, context=context, key=key)
        row.wrapped = _breaker.call((current_tenant_id(), "wrap"), wrap)
        facts = kms.describe()
        row.kms_provider, row.kms_key_id, row.kms_key_version = facts.provider, facts.key_id, facts.key_version
        return
    kek = current_key(KeyPurpose.KEK)
    row.wrapped_by_id = kek.id
    row.wrapped = wrap_key(kek.key, wrapping_key_id=kek.id, context=context, key=key)


def _material(row: EncryptionKey) -> SecretKey:
    cached = _cache.get(current_tenant_id(), row.pk)
    if cached is not None:
        return cached
    key = _unwrap(row)
    _cache.put(current_tenant_id(), row.pk, key)
    return key


def _unwrap(row: EncryptionKey) -> SecretKey:
    if row.state == KeyState.DESTROYED or row.wrapped is None:
        raise KeyDestroyed
    context, wrapped = place_of(row), bytes(row.wrapped)
    if row.purpose == KeyPurpose.KEK:
        unwrap = partial(unwrap_with_kms, _kms(), key_id=row.pk, context=context, wrapped=wrapped)
        return _breaker.call((current_tenant_id(), row.pk), unwrap)
    if row.wrapped_by_id is None:
        raise IntegrityFailure("A key without its KEK")
    kek = key_by_id(row.wrapped_by_id)
    return unwrap_key(kek, wrapping_key_id=row.wrapped_by_id, context=context, wrapped=wrapped)


def place_of(row: EncryptionKey) -> Context:
    """What the wrapping of a key is bound to."""
    return Context(current_tenant_id(), row.scope_id, f"key.{row.purpose}", row.pk.bytes)


def dataset_of(row: EncryptionKey) -> UUID | None:
    """The dataset a key belongs to; None for a key of the whole tenant."""
    return row.scope_id if row.scope_id != row.tenant_id else None


def _kms() -> KMS:
    kms: KMS = load_provider("KMS")
    return kms
