"""Alerts in the browser: what somebody has to look at, and what they found."""

from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from access.pages.page import open_page, refusal_of, render_page
from access.ports import dataset_directory
from access.selectors import people_named
from access.services.authorize import may
from audit.alerts.kinds import KINDS
from audit.alerts.selectors import AlertFilter, find_alert, list_alerts
from audit.alerts.settle import MAX_REASON, VERDICTS, acknowledge_alert, may_settle, resolve_alert
from audit.models import ActivityWatch
from audit.models.alert import Alert, AlertSeverity, AlertState
from vaultsite.kernel.errors import InvalidCursor, InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

PAGE_SIZE: Final = 50
UNRESOLVED: Final = "unresolved"
_STATES: Final = ((UNRESOLVED, "not resolved"), *AlertState.choices, ("all", "all"))
#: As the audit's form reads times.
_MOMENT: Final = "%Y-%m-%d %H:%M:%S"


def alerts_page(request: HttpRequest) -> HttpResponse:
    """The alerts of the organization: not resolved ones unless others are asked for."""
    principal = open_page(request, "alert.read", ResourceRef("alert"))
    criteria, state = _criteria(request.GET)
    found = list_alerts(criteria, limit=PAGE_SIZE + 1, after=_after(request.GET))
    shown = found[:PAGE_SIZE]
    kept = {name: value for name, value in request.GET.items() if name != "after" and value}
    more = urlencode(kept | {"after": str(shown[-1].pk)}) if len(found) > PAGE_SIZE else ""
    context: dict[str, Any] = {
        "title": "Alerts",
        "rows": [{"alert": alert, "title": KINDS[alert.kind].title} for alert in shown],
        "names": people_named(principal, [alert.principal_id for alert in shown if alert.principal_id]),
        "states": _STATES,
        "state": state,
        "severities": AlertSeverity.choices,
        "kinds": [(name, kind.title) for name, kind in KINDS.items()],
        "criteria": criteria,
        "is_filtered": bool(criteria.severity or criteria.kind or state != UNRESOLVED),
        "next_query": more,
        "watch": ActivityWatch.objects.first(),
    }
    return render_page(request, "vault/alerts.html", context)


def _criteria(given: QueryDict) -> tuple[AlertFilter, str]:
    state = given.get("state") or UNRESOLVED
    severity, kind = given.get("severity", ""), given.get("kind", "")
    offered = (dict(_STATES), {"", *AlertSeverity.values}, {"", *KINDS})
    if any(value not in known for value, known in zip((state, severity, kind), offered, strict=True)):
        raise InvalidInput
    return AlertFilter(state="" if state == "all" else state, severity=severity, kind=kind), state


def _after(given: QueryDict) -> UUID | None:
    try:
        return UUID(str(given["after"])) if given.get("after") else None
    except ValueError as exc:
        raise InvalidCursor from exc


def alert_page(request: HttpRequest, alert_id: UUID) -> HttpResponse:
    """One alert: what explains it and what to do; posted, it is acknowledged or resolved."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: _act(request, principal, alert_id))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:alert", args=[alert_id]))
    else:
        open_page(request, "alert.read", ResourceRef("alert", str(alert_id)))
    alert = find_alert(alert_id)
    context = {
        "title": KINDS[alert.kind].title,
        "alert": alert,
        "kind": KINDS[alert.kind],
        "facts": [(name.replace("_", " "), _shown(value)) for name, value in alert.facts.items()],
        "events": _events_of(alert),
        "may_manage": may(principal, "alert.manage") and may_settle(principal, alert),
        "verdicts": [(one.value, one.label) for one in VERDICTS],
        "max_reason": MAX_REASON,
        **_who_and_what(principal, alert),
    }
    return render_page(request, "vault/alert.html", context, refusal=refusal)


def _shown(value: Any) -> Any:
    return "; ".join(map(str, value)) if isinstance(value, list) else value


def _who_and_what(principal: Principal, alert: Alert) -> dict[str, Any]:
    asked = {"who": alert.principal_id, "acknowledged_by": alert.acknowledged_by, "resolved_by": alert.resolved_by}
    people = {name: one for name, one in asked.items() if one}
    names = people_named(principal, list(people.values()))
    datasets = dataset_directory().describe([alert.dataset_id]) if alert.dataset_id else {}
    known = datasets.get(alert.dataset_id) if alert.dataset_id else None
    return {"dataset_name": known.name if known else "", **{name: names[one] for name, one in people.items()}}


def _events_of(alert: Alert) -> str:
    """The audit, narrowed to what is behind an alert; empty where nothing narrows it."""
    given = {
        "actor": str(alert.principal_id or ""),
        "dataset": str(alert.dataset_id or ""),
        "since": alert.since.strftime(_MOMENT) if alert.since else "",
        "until": alert.until.strftime(_MOMENT) if alert.until else "",
    }
    kept = {name: value for name, value in given.items() if value}
    return f"{reverse('admin:audit_auditevent_changelist')}?{urlencode(kept)}" if kept else ""


def _act(request: HttpRequest, principal: Principal, alert_id: UUID) -> None:
    given = request.POST
    if given.get("do") == "acknowledge":
        acknowledge_alert(principal, alert_id=alert_id)
        messages.success(request, "Acknowledged: others see that you look at it.")
    elif given.get("do") == "resolve":
        resolve_alert(principal, alert_id=alert_id, verdict=given.get("verdict", ""), reason=given.get("reason", ""))
        messages.success(request, "The alert is resolved.")
    else:
        raise InvalidInput
