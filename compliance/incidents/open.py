"""Incidents are opened by hand or from an alert, and what is known of them changes."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max

from access.services.authorize import authorize
from audit.alerts.kinds import KINDS as ALERT_KINDS
from audit.alerts.selectors import find_alert
from compliance.errors.incidents import AlertHasIncident, WrongIncidentState
from compliance.incidents.clocks import GDPR
from compliance.incidents.facts import IncidentFacts, as_columns, check_facts
from compliance.incidents.selectors import incident_of_alert, open_incident_for, resource_of
from compliance.incidents.standing import duties_of_one, wind_clocks
from compliance.incidents.telling import tell_managers
from compliance.incidents.timeline import record
from compliance.models import Incident, IncidentSeverity, IncidentState
from datasets.services.descriptions import refuse_personal_data
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

#: From these the clocks of the law are counted: whoever moves them says why.
_CLOCKED: Final = ("aware_at", "discovered_at")
_GRAVE: Final = (IncidentSeverity.HIGH, IncidentSeverity.CRITICAL)
_TRIES: Final = 5


def open_incident(principal: Principal, *, facts: IncidentFacts, alert_id: UUID | None = None) -> Incident:
    """Open an incident, suspected until somebody confirms or dismisses it; those who manage incidents are told.

    Of an alert, what the alert is about is added to what was said; where nothing was, its title and severity are the
    alert's. Raises AccessDenied, AlertNotFound, AlertHasIncident, InvalidInput, PersonalDataInText.
    """
    if alert_id is not None:
        authorize(principal, "alert.read", ResourceRef("alert", str(alert_id)))
    authorize(principal, "incident.manage", resource_of())
    if alert_id is not None:
        facts = _with_alert(facts, alert_id)
    check_facts(facts)
    incident = _create(principal, as_columns(facts), alert_id)
    told = {"severity": incident.severity, "laws": incident.laws, **({"alert": str(alert_id)} if alert_id else {})}
    record(incident, "opened", facts=told, severity="critical" if incident.severity in _GRAVE else "warning")
    wind_clocks(incident)
    tell_managers(incident, cause="opened", subject="An incident was opened", but=principal.id)
    return incident


def _create(principal: Principal, columns: dict[str, Any], alert_id: UUID | None) -> Incident:
    for left in reversed(range(_TRIES)):
        if alert_id is not None and (known := incident_of_alert(alert_id)) is not None:
            raise AlertHasIncident(incident=str(known.pk))
        last = Incident.objects.aggregate(last=Max("number"))["last"] or 0
        try:
            with transaction.atomic():
                made = Incident.objects.create(**columns, number=last + 1, alert_id=alert_id, opened_by=principal.id)
        except IntegrityError:  # another took the number, or the alert, meanwhile
            if not left:
                raise
            continue
        break
    made.refresh_from_db()
    return made


def facts_of_alert(alert_id: UUID) -> IncidentFacts:
    """What an alert says already, for the form that opens an incident of it. Raises AlertNotFound."""
    alert = find_alert(alert_id)
    severity = {"critical": IncidentSeverity.CRITICAL, "warning": IncidentSeverity.HIGH}
    return IncidentFacts(
        title=ALERT_KINDS[alert.kind].title,
        severity=severity.get(alert.severity, IncidentSeverity.MEDIUM),
        laws=(GDPR,),
        discovered_at=alert.first_seen_at,
        occurred_from=alert.since,
        occurred_until=alert.until if alert.until and (alert.since is None or alert.until > alert.since) else None,
        principals=(alert.principal_id,) if alert.principal_id else (),
        datasets=(alert.dataset_id,) if alert.dataset_id else (),
    )


def _with_alert(facts: IncidentFacts, alert_id: UUID) -> IncidentFacts:
    """What was said comes first; whom and what the alert is about is always among it."""
    known = facts_of_alert(alert_id)
    if not facts.title.strip():
        facts = replace(facts, title=known.title, severity=known.severity)
    return replace(
        facts,
        discovered_at=facts.discovered_at or known.discovered_at,
        occurred_from=facts.occurred_from or known.occurred_from,
        occurred_until=facts.occurred_until or known.occurred_until,
        principals=tuple(dict.fromkeys((*known.principals, *facts.principals))),
        datasets=tuple(dict.fromkeys((*known.datasets, *facts.datasets))),
    )


def change_incident(principal: Principal, *, incident_id: UUID, changes: dict[str, Any], reason: str = "") -> Incident:
    """Change facts (members of IncidentFacts); the timeline keeps which, and of times and counts what they were.

    Who moves ``aware_at`` or ``discovered_at``, or says that a law does not apply after all, says why: its clocks stop,
    and the timeline keeps which. Raises AccessDenied, IncidentNotFound, IncidentAboutYourself,
    WrongIncidentState, InvalidInput, PersonalDataInText.
    """
    incident = open_incident_for(principal, "incident.manage", incident_id)
    if incident.state in (IncidentState.DISMISSED, IncidentState.CLOSED):
        raise WrongIncidentState(is_now=incident.state)
    now = facts_of(incident)
    wanted = replace(now, **changes)
    check_facts(wanted)
    before, after = as_columns(now), as_columns(wanted)
    changed = [name for name in after if after[name] != before[name]]
    dropped = set(before["laws"]) - set(after["laws"])
    is_moved = any(before[name] and name in changed for name in _CLOCKED)
    if (is_moved or dropped) and not reason.strip():
        raise InvalidInput(errors=[FieldProblem("reason", "Say why a clock of the law is moved or stopped")])
    refuse_personal_data(reason=reason)
    if not changed:
        return incident
    stopped = [duty.code for duty in duties_of_one(incident) if duty.law in dropped and duty.is_unmet]
    Incident.objects.filter(pk=incident.pk).update(**{name: after[name] for name in changed})
    incident.refresh_from_db()
    told = {name: [_said(before[name]), _said(after[name])] for name in changed if name not in ("title", "summary")}
    facts = {"members": changed, "changes": told} | ({"stopped": stopped} if stopped else {})
    record(incident, "changed", text=reason.strip(), facts=facts)
    wind_clocks(incident)
    return incident


def facts_of(incident: Incident) -> IncidentFacts:
    """The facts as they are stored."""
    kept = {name: getattr(incident, name) for name in IncidentFacts.__dataclass_fields__}
    return IncidentFacts(
        **kept
        | {
            "laws": tuple(incident.laws),
            "principals": tuple(map(UUID, incident.principals)),
            "datasets": tuple(map(UUID, incident.datasets)),
        }
    )


def _said(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
