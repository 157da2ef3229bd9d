"""Incidents in the browser: the list with its clocks, opening one, and the register of a year."""

from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from access.pages.page import open_page, refusal_of, render_page
from access.ports import dataset_directory
from access.selectors import people_named
from access.services.authorize import may
from compliance.incidents.clocks import LAWS, Duty
from compliance.incidents.facts import MAX_SUMMARY, MAX_TITLE, IncidentFacts
from compliance.incidents.open import facts_of_alert, open_incident
from compliance.incidents.register import as_csv, read_register
from compliance.incidents.selectors import IncidentFilter, incident_of_alert, list_incidents, resource_of
from compliance.incidents.standing import duties_of
from compliance.models import Incident, IncidentSeverity, IncidentState
from compliance.pages.incident_forms import read_facts
from vaultsite.kernel.errors import InvalidCursor, InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

PAGE_SIZE: Final = 50
OPEN: Final = "open"
_STATES: Final = ((OPEN, "not ended"), *IncidentState.choices, ("all", "all"))
_YEARS: Final = range(2000, 2200)


def incidents_page(request: HttpRequest) -> HttpResponse:
    """The incidents of the organization: those that have not ended unless others are asked for."""
    principal = resolve_principal(request)
    state = request.GET.get("state") or OPEN
    if state not in dict(_STATES):
        raise InvalidInput
    criteria = IncidentFilter(state="" if state == "all" else state)
    found = list_incidents(principal, criteria, limit=PAGE_SIZE + 1, after=_after(request.GET))
    shown = found[:PAGE_SIZE]
    standing = duties_of(shown)
    more = urlencode({"state": state, "after": str(shown[-1].pk)}) if len(found) > PAGE_SIZE else ""
    context: dict[str, Any] = {
        "title": "Incidents",
        "rows": [{"incident": row, "next": _first(standing[row.pk])} for row in shown],
        "states": _STATES,
        "state": state,
        "next_query": more,
        "may_manage": may(principal, "incident.manage"),
        "year": timezone.now().year,
    }
    return render_page(request, "vault/incidents.html", context)


def _after(given: QueryDict) -> UUID | None:
    try:
        return UUID(str(given["after"])) if given.get("after") else None
    except ValueError as exc:
        raise InvalidCursor from exc


def _first(found: list[Duty]) -> Duty | None:
    """The duty that is most pressing: the first that ends, else one without an end."""
    unmet = [duty for duty in found if duty.is_unmet]
    return min(
        unmet, key=lambda duty: (duty.due_at is None, duty.due_at or datetime.max.replace(tzinfo=UTC)), default=None
    )


def new_incident_page(request: HttpRequest) -> HttpResponse:
    """The form that opens an incident; of an alert, filled with what that says."""
    principal = resolve_principal(request)
    alert_id = _alert_id(request)
    made: list[Incident] = []
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: made.append(_opened(request, principal, alert_id)))
        if refusal is None:
            messages.success(request, f"{made[0]} is open. Confirm or dismiss it once that is known.")
            return HttpResponseRedirect(reverse("admin:incident", args=[made[0].pk]))
    else:
        open_page(request, "incident.manage", resource_of())
    if alert_id is not None:
        open_page(request, "alert.read", ResourceRef("alert", str(alert_id)))
    facts = facts_of_alert(alert_id) if alert_id else IncidentFacts(title="")
    known = dataset_directory().describe(facts.datasets)
    context = {
        "title": "Open an incident",
        "alert_id": alert_id,
        "already": incident_of_alert(alert_id) if alert_id else None,
        "given": request.POST if refusal else {"title": facts.title, "severity": str(facts.severity)},
        "discovered_at": facts.discovered_at or timezone.now(),
        "people": list(people_named(principal, facts.principals).values()),
        "about": [known[one].name if one in known else str(one) for one in facts.datasets],
        "severities": IncidentSeverity.choices,
        "laws": LAWS.items(),
        "max_title": MAX_TITLE,
        "max_summary": MAX_SUMMARY,
    }
    return render_page(request, "vault/incident_new.html", context, refusal=refusal)


def _alert_id(request: HttpRequest) -> UUID | None:
    given = request.POST.get("alert") or request.GET.get("alert")
    try:
        return UUID(given) if given else None
    except ValueError:
        raise InvalidInput from None


def _opened(request: HttpRequest, principal: Principal, alert_id: UUID | None) -> Incident:
    said: dict[str, Any] = {"title": ""} | read_facts(request.POST)
    return open_incident(principal, facts=IncidentFacts(**said), alert_id=alert_id)


def breach_log_page(request: HttpRequest) -> HttpResponse:
    """The register of a year."""
    principal = resolve_principal(request)
    year = _year(request.GET.get("year", str(timezone.now().year)))
    lines = read_register(principal, year=year)
    context = {
        "title": f"Breach log of {year}",
        "year": year,
        "before": year - 1,
        "after": year + 1,
        "lines": lines,
        "year_log": sum(line.is_of_year_log for line in lines),
    }
    return render_page(request, "vault/breach_log.html", context)


@require_GET
def breach_log_file(request: HttpRequest, year: int) -> HttpResponse:
    """The register of a year as CSV."""
    lines = read_register(resolve_principal(request), year=_year(str(year)))
    headers = {
        "Content-Disposition": f'attachment; filename="breach-log-{year}.csv"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(as_csv(lines), content_type="text/csv; charset=utf-8", headers=headers)


def _year(given: str) -> int:
    if not given.isascii() or not given.isdecimal() or int(given[:9]) not in _YEARS:
        raise InvalidInput
    return int(given)
