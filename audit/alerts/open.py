"""Alerts are raised and end here, for every part of the vault."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Least, Now

from audit.alerts.kinds import KINDS
from audit.models.alert import Alert, AlertSeverity, AlertState, AlertVerdict
from vaultsite.kernel.events.bus import emit, emit_as_vault
from vaultsite.kernel.events.event import Event, EventType, ResourceRef, Severity
from vaultsite.kernel.tenancy.scope import current_scope

_RANK: Final[Mapping[str, int]] = {AlertSeverity.INFO: 0, AlertSeverity.WARNING: 1, AlertSeverity.CRITICAL: 2}
#: A count beyond this says no more.
_MOST: Final = 10**9


@dataclass(frozen=True)
class About:
    """Whom and what an alert is about, and when the events behind it happened; what is None is not bounded."""

    principal_id: UUID | None = None
    dataset_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


def raise_alert(
    *,
    kind: str,
    cause: str,
    severity: Severity,
    facts: Mapping[str, Any],
    summary: str = "",
    about: About | None = None,
    occurrences: int = 1,
) -> Alert:
    """Say that a condition holds, in the open tenant scope: a new alert, or ``occurrences`` more of the open one.

    ``kind`` is one of KINDS (KeyError else), ``cause`` tells one condition from another in at most 200 characters.
    ``facts`` and ``summary`` (the kind's title where empty) hold ids, counts and words of the vault's own, never data.
    A severity never falls while the alert is open. When it opens or its severity rises, ``alert.raised`` is emitted,
    for a critical one that suspects a breach ``data.breach.suspected`` too; what is seen again is only counted.
    """
    named = {
        "kind": kind,
        "cause": cause[:200],
        "severity": severity,
        "facts": dict(facts),
        "summary": (summary or KINDS[kind].title)[:500],
        "count": min(occurrences, _MOST),
        **vars(about or About()),
    }
    while True:
        if (alert := _open_one(kind, named["cause"])) is not None:
            return _seen_again(alert, named)
        try:
            with transaction.atomic():
                alert = Alert.objects.create(**named)
        except IntegrityError:  # another raised it meanwhile
            continue
        alert.refresh_from_db()
        _tell(alert)
        return alert


def _open_one(kind: str, cause: str) -> Alert | None:
    unresolved = Alert.objects.exclude(state=AlertState.RESOLVED)
    return unresolved.select_for_update().filter(kind=kind, cause=cause).first()


def _seen_again(alert: Alert, named: Mapping[str, Any]) -> Alert:
    rises = _RANK[named["severity"]] > _RANK[alert.severity]
    changes: dict[str, Any] = {name: named[name] for name in ("facts", "summary", "until")}
    if rises:  # whoever acknowledged it has not seen it like this
        changes |= {"severity": named["severity"], "state": AlertState.OPEN}
    if alert.dataset_id != named["dataset_id"]:
        changes["dataset_id"] = None
    Alert.objects.filter(pk=alert.pk).update(
        **changes, count=Least(F("count") + named["count"], _MOST), last_seen_at=Now()
    )
    alert.refresh_from_db()
    if rises:
        _tell(alert)
    return alert


def _tell(alert: Alert) -> None:
    """As the vault's own: in the scope of whom it is about, the event would be theirs, and shown to them."""
    emit_as_vault(alert_event(EventType.ALERT_RAISED, alert))
    if alert.severity == AlertSeverity.CRITICAL and KINDS[alert.kind].suspects_breach:
        emit_as_vault(alert_event(EventType.BREACH_SUSPECTED, alert))


def alert_event(kind: EventType, alert: Alert) -> Event:
    """What happened to an alert, with whom and what it is about."""
    about = {"principal_id": alert.principal_id, "since": alert.since, "until": alert.until}
    return Event(
        kind,
        operation="update" if alert.state != AlertState.OPEN else "write",
        resource=ResourceRef("alert", str(alert.pk), dataset_id=alert.dataset_id),
        severity=_severity(alert),
        metadata={
            "kind": alert.kind,
            "cause": alert.cause,
            "alert_severity": alert.severity,
            "count": alert.count,
            **({"verdict": alert.verdict} if alert.verdict else {}),
            **{
                name: value.isoformat() if isinstance(value, datetime) else value
                for name, value in about.items()
                if value
            },
        },
    )


def _severity(alert: Alert) -> Severity:
    if alert.severity == AlertSeverity.CRITICAL and alert.state == AlertState.OPEN:
        return "critical"
    return "warning" if alert.state == AlertState.OPEN else "info"


def resolve_cause(kind: str, cause: str) -> bool:
    """Say that a condition does not hold any more, in the open tenant scope; False when none was open."""
    alert = _open_one(kind, cause[:200])
    if alert is None:
        return False
    end_alert(alert, verdict=AlertVerdict.ENDED, reason="", by=current_scope().principal.id)
    return True


def end_alert(alert: Alert, *, verdict: AlertVerdict, reason: str, by: UUID) -> Alert:
    """Resolve an alert whose row is locked."""
    Alert.objects.filter(pk=alert.pk).update(
        state=AlertState.RESOLVED, verdict=verdict, reason=reason, resolved_by=by, resolved_at=Now()
    )
    alert.refresh_from_db()
    emit(alert_event(EventType.ALERT_RESOLVED, alert))
    return alert
