"""Everything that lets a person in, ended at once: sessions, programs, keys, leases, delegations."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.db.models.functions import Now

from access.leases.errors import LeaseOver
from access.models import ApiKey, Delegation, Lease, VaultSession
from access.selectors import people_without_role
from access.services.leases import end_lease, resource_of_lease
from access.services.tokens import end_families
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.scope import current_scope

#: Why, for the event: a person was disabled, or holds no role any more.
DISABLED: Final = "disabled"
LAST_ROLE: Final = "last_role"
_LEASE_ENDED: Final = "The holder was let go."


def end_access(user_id: UUID, *, reason: str) -> None:
    """End what a person could still act by, in the open scope: from its commit on nothing of it opens anything.

    Sessions, refresh tokens and their access tokens, the API keys that the person made (who makes a key knows it),
    leases and delegations. Streams under any of them stop at their next look, within a second. ``reason`` is a code.
    """
    counts = {
        "sessions": VaultSession.objects.filter(user_id=user_id).delete()[0],
        "programs": end_families(user_id),
        "keys": ApiKey.objects.filter(created_by=user_id, revoked_at=None).update(revoked_at=Now()),
        "leases": sum(map(_is_ended, Lease.objects.filter(holder=user_id, revoked_at=None, expires_at__gt=Now()))),
        "delegations": Delegation.objects.filter(user_id=user_id).delete()[0],
    }
    resource = ResourceRef("user", str(user_id))
    emit(Event(EventType.DEPROVISIONED, "update", resource, severity="warning", metadata={"reason": reason, **counts}))


def end_access_without_role(user_ids: Iterable[UUID]) -> None:
    """``end_access`` for those who hold no live role any more, directly or by a group."""
    for user_id in people_without_role(user_ids):
        end_access(user_id, reason=LAST_ROLE)


def _is_ended(lease: Lease) -> bool:
    try:
        end_lease(lease, resource_of_lease(lease), by=current_scope().principal.id, reason=_LEASE_ENDED)
    except LeaseOver:  # its time came meanwhile
        return False
    return True
