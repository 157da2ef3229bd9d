"""Where alarms of other parts become alerts."""

from audit.alerts.open import About, raise_alert
from audit.alerts.selectors import last_of_cause
from vaultsite.kernel.alarms import Alarm


def take_alarm(alarm: Alarm) -> bool:
    """Raise an alert unless its cause had one, whatever became of it; whether it was raised."""
    if last_of_cause(alarm.kind, alarm.cause) is not None:
        return False
    raise_alert(
        kind=alarm.kind,
        cause=alarm.cause,
        severity=alarm.severity,
        facts=alarm.facts,
        summary=alarm.summary,
        about=About(principal_id=alarm.principal_id, dataset_id=alarm.dataset_id, since=alarm.since),
    )
    return True
