"""Somebody looks at an alert, and says what it was."""

from typing import Final
from uuid import UUID

from django.db.models.functions import Now

from access.ports import dataset_directory
from access.selectors import hands_of
from access.services.assurance import require_step_up, sign_in_rules
from access.services.authorize import authorize
from audit.alerts.errors import AlertAboutYourself, AlertNotFound, AlertResolved
from audit.alerts.open import alert_event, end_alert
from audit.models.alert import Alert, AlertState, AlertVerdict
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

MAX_REASON: Final = 1000
#: What a person may say that an alert was.
VERDICTS: Final = tuple(one for one in AlertVerdict if one is not AlertVerdict.ENDED)


def acknowledge_alert(principal: Principal, *, alert_id: UUID) -> Alert:
    """Say that somebody looks at it; again changes nothing.

    Raises AccessDenied, AlertNotFound, AlertResolved, AlertAboutYourself.
    """
    alert = _unresolved(principal, alert_id)
    if alert.state == AlertState.ACKNOWLEDGED:
        return alert
    Alert.objects.filter(pk=alert.pk).update(
        state=AlertState.ACKNOWLEDGED, acknowledged_by=principal.id, acknowledged_at=Now()
    )
    alert.refresh_from_db()
    emit(alert_event(EventType.ALERT_ACKNOWLEDGED, alert))
    return alert


def resolve_alert(principal: Principal, *, alert_id: UUID, verdict: str, reason: str) -> Alert:
    """Say what it was and why nobody has to look any more.

    ``verdict`` is one of VERDICTS; unusual activity that was "expected" makes the vault ask for more before it tells
    of the same principal again. Raises AccessDenied, StepUpRequired, AlertNotFound, AlertResolved, AlertAboutYourself,
    InvalidInput, and the directory's refusal of personal data in the reason.
    """
    alert = _unresolved(principal, alert_id)
    require_step_up(principal, sign_in_rules().step_up)
    problems = []
    if verdict not in VERDICTS:
        problems.append(FieldProblem("verdict", f"one of {', '.join(VERDICTS)}"))
    if not 0 < len(reason.strip()) <= MAX_REASON:
        problems.append(FieldProblem("reason", f"1 to {MAX_REASON} characters"))
    if problems:
        raise InvalidInput(errors=problems)
    dataset_directory().refuse_personal_data(reason=reason)
    return end_alert(alert, verdict=AlertVerdict(verdict), reason=reason.strip(), by=principal.id)


def may_settle(principal: Principal, alert: Alert) -> bool:
    """Whether the alert is about somebody else than who asks, so that they may say what it was."""
    return alert.principal_id is None or hands_of(principal.id).isdisjoint(hands_of(alert.principal_id))


def _unresolved(principal: Principal, alert_id: UUID) -> Alert:
    authorize(principal, "alert.manage", ResourceRef("alert", str(alert_id)))
    alert = Alert.objects.select_for_update().filter(pk=alert_id).first()
    if alert is None:
        raise AlertNotFound
    if alert.state == AlertState.RESOLVED:
        raise AlertResolved
    if not may_settle(principal, alert):
        raise AlertAboutYourself
    return alert
