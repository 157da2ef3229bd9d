"""One incident in the browser: clocks, facts, scope, risk, tasks, notices, timeline, and what stops it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils import timezone

from access.pages.page import refusal_of, render_page
from access.ports import dataset_directory
from access.selectors import people_named
from access.services.authorize import may
from compliance.incidents.actions import end_access_of, quarantine_dataset, readable_versions
from compliance.incidents.assess import (
    EXCEPTIONS,
    FACTORS,
    GDPR_RISKS,
    HIPAA_RESULTS,
    LEVELS,
    Factor,
    Judgement,
    assess_risk,
    assessments_of,
)
from compliance.incidents.clocks import LAWS, Audience, Duty, Status
from compliance.incidents.notices import begin_notice, notices_of
from compliance.incidents.open import change_incident
from compliance.incidents.scope_request import request_scope, scopes_of
from compliance.incidents.selectors import find_incident, may_manage
from compliance.incidents.standing import duties_of_one
from compliance.incidents.states import (
    FROM,
    close_incident,
    confirm_incident,
    contain_incident,
    dismiss_incident,
    left_to_do,
)
from compliance.incidents.tasks import create_task, finish_task, may_be_asked, tasks_of
from compliance.incidents.timeline import add_note, entries_of
from compliance.models import Incident, IncidentScope, IncidentSeverity
from compliance.pages.incident_forms import read_facts, read_ids, read_moment
from compliance.pages.incident_lines import line_of
from compliance.pages.incident_reach import LINES, scope_context
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

_AUDIENCES: Final = {
    Audience.AUTHORITY: "the supervisory authority",
    Audience.PERSONS: "the persons",
    Audience.CONTROLLER: "the controller or covered entity",
    Audience.HHS: "HHS",
    Audience.MEDIA: "the media",
}


@dataclass(frozen=True)
class Clock:
    """A duty as a bar: ``percent`` of its time is over."""

    duty: Duty
    percent: int

    @property
    def mark(self) -> str:
        return str(self.duty.status)


def incident_page(request: HttpRequest, incident_id: UUID) -> HttpResponse:
    """One incident; posted, one of its forms is done."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: _act(request, principal, incident_id))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:incident", args=[incident_id]))
    incident = find_incident(principal, incident_id)
    is_other = may_manage(principal, incident)
    entries = entries_of(incident, limit=LINES)
    tasks = tasks_of(incident)
    scopes = scopes_of(incident)
    people = [*map(UUID, incident.principals), incident.opened_by, *(entry.by for entry in entries)]
    people += [task.assignee for task in tasks if task.assignee]
    askable = may_be_asked(incident)
    named = _names(principal, incident, scopes, [*people, *askable])
    context = {
        "title": f"{incident}: {incident.title}",
        "incident": incident,
        "clocks": [_clock(duty) for duty in duties_of_one(incident) if duty.status is not Status.NOT_DUE],
        "spared": [duty for duty in duties_of_one(incident) if duty.status is Status.NOT_DUE],
        "left": left_to_do(incident) if incident.state == "contained" else [],
        "moves": [state.value for state, before in FROM.items() if incident.state in before],
        "is_open": incident.state not in ("dismissed", "closed"),
        "may_manage": is_other and may(principal, "incident.manage"),
        "may_draft": is_other and may(principal, "incident.draft") and incident.state != "dismissed",
        "is_about_you": not is_other,
        "entries": [line_of(entry, named["dataset_names"]) for entry in entries],
        "tasks": tasks,
        "askable": [(one, named["names"][one]) for one in askable],
        "stoppable": _stoppable(incident, named["dataset_names"]),
        "may_review": may(principal, "quarantine.review"),
        "assessments": assessments_of(incident),
        "notices": [(_AUDIENCES[Audience(one.audience)], one) for one in notices_of(incident)],
        "audiences": [(one.value, words) for one, words in _AUDIENCES.items()],
        **scope_context(scopes),
        **_choices(),
        **named,
    }
    return render_page(request, "vault/incident.html", context, refusal=refusal)


def _choices() -> dict[str, Any]:
    return {
        "factors": FACTORS.items(),
        "levels": LEVELS,
        "hipaa_results": HIPAA_RESULTS.items(),
        "gdpr_risks": GDPR_RISKS.items(),
        "exceptions": EXCEPTIONS.items(),
        "severities": IncidentSeverity.choices,
        "laws": LAWS.items(),
    }


def _clock(duty: Duty) -> Clock:
    if duty.began_at is None or duty.due_at is None:
        return Clock(duty, 0)
    until = duty.met_at or timezone.now()
    whole = (duty.due_at - duty.began_at).total_seconds()
    gone = (until - duty.began_at).total_seconds()
    return Clock(duty, max(0, min(100, round(100 * gone / whole))))


def _names(principal: Principal, incident: Incident, scopes: list[IncidentScope], people: list[UUID]) -> dict[str, Any]:
    found = [one for scope in scopes for one in scope.result.get("accesses", ())[:LINES]]
    ids = {UUID(one["dataset"]) for one in found if one["dataset"]} | set(map(UUID, incident.datasets))
    ids |= {UUID(one["dataset"]) for scope in scopes for one in scope.result.get("exports", ())[:LINES]}
    actors = [*people, *(UUID(one["principal"]) for one in found)]
    known = dataset_directory().describe(ids)
    return {
        "names": people_named(principal, actors),
        "dataset_names": {str(one): known[one].name if one in known else str(one) for one in ids},
        "about": [UUID(one) for one in incident.principals],
    }


def _stoppable(incident: Incident, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """The datasets an incident names, with what a quarantine of each would reach."""
    counted = readable_versions(map(UUID, incident.datasets))
    return [{"id": UUID(one), "name": names[one], "versions": counted.get(UUID(one))} for one in incident.datasets]


_Do = Callable[[Principal, UUID, QueryDict], str]


def _act(request: HttpRequest, principal: Principal, incident_id: UUID) -> None:
    do = _DOING.get(request.POST.get("do", ""))
    if do is None:
        raise InvalidInput
    messages.success(request, do(principal, incident_id, request.POST))


def _confirm(principal: Principal, incident_id: UUID, given: QueryDict) -> str:
    aware_at = read_moment(given.get("aware_at", ""), "aware_at")
    confirm_incident(principal, incident_id=incident_id, reason=given.get("reason", ""), aware_at=aware_at)
    return "Confirmed: the clocks run from when the organization was aware."


def _moved(move: Callable[..., Incident], words: str) -> _Do:
    def do(principal: Principal, incident_id: UUID, given: QueryDict) -> str:
        move(principal, incident_id=incident_id, reason=given.get("reason", ""))
        return words

    return do


def _change(principal: Principal, incident_id: UUID, given: QueryDict) -> str:
    changes, reason = read_facts(given), given.get("reason", "")
    change_incident(principal, incident_id=incident_id, changes=changes, reason=reason)
    return "Saved. The timeline keeps what was said before."


def _note(principal: Principal, incident_id: UUID, given: QueryDict) -> str:
    add_note(principal, incident_id=incident_id, text=given.get("text", ""))
    return "The note stands in the timeline."


def _scope(principal: Principal, incident_id: UUID, given: QueryDict) -> str:
    request_scope(
        principal,
        incident_id=incident_id,
        since=read_moment(given.get("since", ""), "since"),
        until=read_moment(given.get("until", ""), "until"),
    )
    return "The scope is being computed."


def _assess(principal: Principal, incident_id: UUID, given: QueryDict) -> str:
    factors = {
        name: Factor(given.get(f"{name}_level", ""), given.get(f"{name}_text", ""))
        for name in FACTORS
        if given.get(f"{name}_level")
    }
    kept = {name: given.get(name, "") for name in ("hipaa", "gdpr_risk", "exception", "grounds")}
    assess_risk(principal, incident_id=incident_id, judgement=Judgement(factors=factors, **kept))
    return "The judgement is kept."


def _task(principal: Principal, incident_id: UUID, given: QueryDict) -> str:
    assignee = next(iter(read_ids([given.get("assignee", "").strip()], "assignee")), None)
    due_at = read_moment(given.get("due_at", ""), "due_at")
    create_task(principal, incident_id=incident_id, title=given.get("title", ""), assignee=assignee, due_at=due_at)
    return "The task is made."


def _done(principal: Principal, incident_id: UUID, given: QueryDict) -> str:
    finish_task(principal, incident_id=incident_id, task_id=_id(given, "task"), proof=given.get("proof", ""))
    return "The task is done."


def _begin_notice(principal: Principal, incident_id: UUID, given: QueryDict) -> str:
    begin_notice(principal, incident_id=incident_id, audience=given.get("audience", ""))
    return "The notice is filled with what is known: complete it."


def _quarantine(principal: Principal, incident_id: UUID, given: QueryDict) -> str:
    entry = quarantine_dataset(
        principal, incident_id=incident_id, dataset_id=_id(given, "dataset"), reason=given.get("reason", "")
    )
    return f"{entry.facts['versions']} versions are in quarantine."


def _revoke(principal: Principal, incident_id: UUID, given: QueryDict) -> str:
    end_access_of(principal, incident_id=incident_id, principal_id=_id(given, "principal"))
    return "Their sessions and keys have ended."


def _id(given: QueryDict, name: str) -> UUID:
    found = read_ids([given.get(name, "")], name)
    if not found:
        raise InvalidInput
    return found[0]


_DOING: Final[Mapping[str, _Do]] = {
    "confirm": _confirm,
    "dismiss": _moved(dismiss_incident, "Dismissed. The register keeps it."),
    "contain": _moved(contain_incident, "Contained."),
    "close": _moved(close_incident, "Closed."),
    "change": _change,
    "note": _note,
    "scope": _scope,
    "assess": _assess,
    "task": _task,
    "done": _done,
    "notice": _begin_notice,
    "quarantine": _quarantine,
    "revoke": _revoke,
}
