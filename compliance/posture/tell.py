"""What is told after a run: controls that turned red or recovered, and one alert for each probe that fails."""

from typing import Final

from audit.alerts.open import raise_alert, resolve_cause
from compliance.models.posture import ProbeState
from compliance.posture.catalog import PROBES
from compliance.posture.controls import all_controls
from compliance.posture.standing import ControlStanding, ControlState, Latest, Standing
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef

#: The kind of alert; its cause is the probe.
ALERT: Final = "posture.failed"


def tell_changes(before: Standing, after: Standing) -> None:
    """Inside a scope: events of controls that changed into red or out of it, and the alerts of their probes."""
    for control_id, now in after.controls.items():
        was, is_red = before.controls[control_id].state, now.state == ControlState.FAILED
        if is_red and was != ControlState.FAILED:
            emit(_event(EventType.CONTROL_FAILED, now))
        elif was == ControlState.FAILED and now.state == ControlState.PROVEN:
            emit(_event(EventType.CONTROL_RECOVERED, now))
    for name, latest in after.latest.items():
        _alert(name, latest)


def _event(kind: EventType, now: ControlStanding) -> Event:
    is_red = kind == EventType.CONTROL_FAILED
    return Event(
        kind,
        "update",
        ResourceRef("control", now.control.id),
        severity="critical" if is_red else "info",
        status="failure" if is_red else "success",
        failure_reason=now.why,
        metadata={"framework": now.control.framework, "probes": list(now.control.probes)},
    )


def _alert(name: str, latest: Latest) -> None:
    """An error leaves the alert as it is: it says nothing about the defence."""
    if latest.result.state == ProbeState.PASSED:
        resolve_cause(ALERT, name)
    elif latest.result.state == ProbeState.FAILED and name in PROBES:
        mapped = [control.id for control in all_controls() if name in control.probes]
        raise_alert(
            kind=ALERT,
            cause=name,
            severity="critical",
            facts={"controls": mapped, **latest.result.facts},
            summary=f"{PROBES[name].title} failed: {len(mapped)} controls are red",
        )
