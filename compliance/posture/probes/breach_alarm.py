"""Breach alarm: a canary that is released raises a critical alert and the event that a breach is suspected."""

from typing import Final
from uuid import UUID, uuid4

from audit.models import Alert
from compliance.posture.outcome import Outcome, judged
from compliance.posture.sandbox import sandbox
from vaultsite.kernel.alarms import Alarm, sound_once
from vaultsite.kernel.events.event import EventType

_KIND: Final = "canary.released"


def probe(tenant_id: UUID) -> Outcome:
    cause, breaches = f"probe {uuid4().hex}", list[str]()
    with sandbox(tenant_id) as scope:
        sound_once(Alarm(kind=_KIND, cause=cause, severity="critical", summary="A probe's own alarm"))
        if not Alert.objects.filter(kind=_KIND, cause=cause, severity="critical").exists():
            breaches.append("no alert was raised")
        told = {one.event.type for one in scope.events.surviving()}
        breaches += [
            f"{kind.value} was not emitted"
            for kind in (EventType.ALERT_RAISED, EventType.BREACH_SUSPECTED)
            if kind not in told
        ]
    return judged(breaches, events=2)
