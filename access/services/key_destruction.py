"""Crypto-shredding: destroy the keys of one scope, and with them every copy of what they sealed."""

from uuid import UUID

from access.models import EncryptionKey, KeyState
from access.services.keyring import drop_tenant
from vaultsite.kernel.tenancy.scope import current_tenant_id


def destroy_keys(scope_id: UUID) -> int:
    """Forget the wrapped material of every key of ``scope_id`` (a dataset); returns how many there were.

    This process drops its cached keys at once, others within the cache's five minutes.
    """
    keys = EncryptionKey.objects.filter(scope_id=scope_id).exclude(state=KeyState.DESTROYED)
    count = keys.update(state=KeyState.DESTROYED, wrapped=None)
    drop_tenant(current_tenant_id())
    return count
