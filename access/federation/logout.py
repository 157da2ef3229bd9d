"""A provider ends sessions that began at it."""

from collections import Counter

from access.models import FederatedSession, IdentityProvider, VaultSession
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef


def end_federated_sessions(
    provider: IdentityProvider, *, issuer: str = "", subject: str = "", session_index: str = ""
) -> int:
    """End sessions that began at the provider: all, or those that every name given belongs to; returns how many.

    They are over at their next use, streams under them within a second. Inside a scope.
    """
    begun = FederatedSession.objects.filter(identity__provider=provider)
    names = {"identity__issuer": issuer, "identity__subject": subject, "session_index": session_index}
    begun = begun.filter(**{name: value for name, value in names.items() if value})
    ended = list(begun.values_list("session_id", "identity__user_id"))
    VaultSession.objects.filter(pk__in=[session_id for session_id, _ in ended]).delete()
    for user_id, count in Counter(user_id for _, user_id in ended).items():
        facts = {"act": "provider", "count": count, "provider": provider.slug}
        emit(Event(EventType.SESSION_ENDED, "delete", ResourceRef("user", str(user_id)), metadata=facts))
    return len(ended)
