"""Somebody has events sent again that a message broker refused."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.db.models.functions import Now

from access.services.authorize import authorize
from audit.alerts.open import resolve_cause
from audit.models import DeadLetter
from audit.relay.dead_letters import cause_of, restore
from audit.relay.errors import DeadLetterNotFound, DeadLetterReplayed
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

#: Dead letters that one call replays at most.
AT_ONCE: Final = 1000


def replay_dead_letter(principal: Principal, *, dead_letter_id: UUID) -> DeadLetter:
    """Put one among what waits for the broker. Raises AccessDenied, DeadLetterNotFound, DeadLetterReplayed."""
    authorize(principal, "delivery.manage", ResourceRef("dead_letter", str(dead_letter_id)))
    if (letter := DeadLetter.objects.filter(pk=dead_letter_id).first()) is None:
        raise DeadLetterNotFound
    if not _replay(principal, [letter]):
        raise DeadLetterReplayed
    letter.refresh_from_db()
    return letter


def replay_all(principal: Principal) -> int:
    """Replay the oldest AT_ONCE dead letters in their order; returns how many it were. Raises AccessDenied."""
    authorize(principal, "delivery.manage", ResourceRef("dead_letter"))
    waiting = DeadLetter.objects.filter(replayed_at__isnull=True).order_by("id")
    return _replay(principal, list(waiting[:AT_ONCE]))


def _replay(principal: Principal, letters: Sequence[DeadLetter]) -> int:
    """How many were replayed: those that nobody replayed meanwhile."""
    replayed = []
    for letter in letters:
        taken = DeadLetter.objects.filter(pk=letter.pk, replayed_at__isnull=True)
        if taken.update(replayed_at=Now(), replayed_by=principal.id):
            restore(letter)
            replayed.append(letter)
    if replayed:
        emit(
            Event(
                EventType.DELIVERY_REPLAYED,
                operation="update",
                resource=ResourceRef("dead_letter", str(replayed[0].pk) if len(replayed) == 1 else ""),
                metadata={"destination": "broker", "count": len(replayed)},
            )
        )
    _end_alerts(replayed)
    return len(replayed)


def _end_alerts(replayed: Sequence[DeadLetter]) -> None:
    """An alert ends with the last dead letter of its cause; what is refused again raises it anew."""
    waiting = DeadLetter.objects.filter(replayed_at__isnull=True)
    for topics, reason in {(tuple(letter.topics), letter.reason) for letter in replayed}:
        if not waiting.filter(topics=list(topics), reason=reason).exists():
            resolve_cause("delivery.dead", cause_of(topics[0], reason))
