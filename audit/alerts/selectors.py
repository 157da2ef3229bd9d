"""Reading alerts: row-level security shows a tenant its own."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from audit.alerts.errors import AlertNotFound
from audit.models.alert import Alert, AlertState


@dataclass(frozen=True)
class AlertFilter:
    """What to look for; empty does not restrict. ``state`` "unresolved": open or acknowledged."""

    state: str = ""
    severity: str = ""
    kind: str = ""


def list_alerts(criteria: AlertFilter, *, limit: int, after: UUID | None = None) -> list[Alert]:
    """At most ``limit`` alerts, those opened last first, following the one of id ``after``."""
    rows = _matching(criteria)
    if after is not None:
        rows = rows.filter(pk__lt=after)
    return list(rows.order_by("-id")[:limit])


def _matching(criteria: AlertFilter) -> QuerySet[Alert]:
    rows = Alert.objects.all()
    if criteria.state == "unresolved":
        rows = rows.exclude(state=AlertState.RESOLVED)
    elif criteria.state:
        rows = rows.filter(state=criteria.state)
    given = {name: value for name in ("severity", "kind") if (value := getattr(criteria, name))}
    return rows.filter(**given)


def find_alert(alert_id: UUID) -> Alert:
    """Raises AlertNotFound."""
    found = Alert.objects.filter(pk=alert_id).first()
    if found is None:
        raise AlertNotFound
    return found


def count_unresolved(*, most: int = 1000) -> int:
    """How many alerts are not resolved, counted up to ``most``."""
    return Alert.objects.exclude(state=AlertState.RESOLVED)[:most].count()


def last_of_cause(kind: str, cause: str) -> Alert | None:
    """The newest alert of a cause, in whatever state."""
    return Alert.objects.filter(kind=kind, cause=cause[:200]).order_by("-id").first()
