"""The audit explorer: what happened, found by every member of an event, drawn over time and counted by kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from access.pages.page import open_page, render_page
from access.ports import dataset_directory
from access.selectors import people_named
from access.services.authorize import may
from audit.archive.read import archived_before
from audit.models import AuditEvent, AuditExportFormat
from audit.pages.timeline import draw_timeline
from audit.rollups.periods import DAY, Period, ceil_hour, floor_hour, is_far, period_of
from audit.rollups.selectors import counted_until, facet_counts, timeline
from audit.selectors import EventFilter, EventPosition, list_events, open_actor
from audit.services.criteria import OPERATIONS, OUTCOMES, SEVERITIES, countable, read_criteria
from audit.services.saved_views import list_views
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.events.event import EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

PAGE_SIZE: Final = 50
#: Values shown of a facet; the form knows the others.
_SHOWN_VALUES: Final = 8
_LONGEST: Final = timedelta(days=366)
_POSITION: Final = "before"
#: Name in the query -> what people read.
LABELS: Final[Mapping[str, str]] = {
    "type": "Type",
    "status": "Outcome",
    "severity": "Severity",
    "operation": "Operation",
    "classification": "Classification",
    "purpose": "Purpose",
    "actor": "Actor",
    "dataset": "Dataset",
    "policy": "Policy",
    "request_id": "Request",
    "since": "From",
    "until": "Until",
}
_FACETS: Final = ("type", "status", "severity", "operation", "classification", "purpose")
_CHOICES: Final = {"status": OUTCOMES, "severity": SEVERITIES, "operation": OPERATIONS}


@dataclass(frozen=True)
class Field:
    """A field of the search form: as it was filled in, and what was wrong with it."""

    name: str
    label: str
    value: str
    choices: tuple[str, ...]
    problem: str

    @property
    def kind(self) -> str:
        if self.choices:
            return "select"
        return "datetime-local" if self.name in ("since", "until") else "text"


@dataclass(frozen=True)
class Value:
    """A value of a facet: how many events, and the search narrowed to it (or widened again, when it is chosen)."""

    text: str
    events: int
    query: str
    is_chosen: bool


def explorer_page(request: HttpRequest) -> HttpResponse:
    """Newest first, a page at a time, never counted by scanning; reading it is itself an event."""
    principal = open_page(request, "audit.read", ResourceRef("audit"))
    asked = {name: str(request.GET.get(name, "")).strip() for name in LABELS}
    given = {name: value for name, value in asked.items() if value}
    problems: dict[str, str] = {}
    criteria = EventFilter()
    try:
        criteria = read_criteria(given)
    except InvalidInput as refusal:
        problems = {problem.field: problem.detail for problem in refusal.errors}
    found = [] if problems else _events(principal, criteria, request.GET.get(_POSITION, ""))
    context = {
        "title": "Audit",
        "fields": [_field(name, given, problems) for name in LABELS],
        "problems": problems,
        "chips": _chips(given),
        "query": urlencode(given),
        "rows": [(event, open_actor(event)) for event in found[:PAGE_SIZE]],
        "next_query": _next_query(given, found),
        "is_first_page": _POSITION not in request.GET,
        "types": [kind.value for kind in EventType],
        "views": list_views(principal),
        "archived_before": _archived_before(principal, criteria),
        "may_export": may(principal, "audit.export"),
        "formats": AuditExportFormat.choices,
        "owner": principal.id,
        **_named(principal, criteria),
        **({} if problems else _counted(criteria, given)),
    }
    page = render_page(request, "vault/audit.html", context)
    page.status_code = 400 if problems else 200
    return page


def _events(principal: Principal, criteria: EventFilter, position: str) -> list[AuditEvent]:
    return list_events(tenant_id=principal.tenant_id, criteria=criteria, limit=PAGE_SIZE + 1, after=_position(position))


def _archived_before(principal: Principal, criteria: EventFilter) -> date | None:
    """Before which day events are in the archive, when the search is about such days."""
    day = archived_before(principal.tenant_id)
    return day if day and (criteria.since is None or criteria.since.date() < day) else None


def _position(text: str) -> EventPosition | None:
    """Where a page begins; what is no position begins at the newest."""
    time, _, event_id = text.partition("/")
    try:
        position = EventPosition(time=datetime.fromisoformat(time), id=UUID(event_id))
    except ValueError:
        return None
    return position if position.time.tzinfo and not is_far(position.time) else None


def _next_query(given: Mapping[str, str], found: list[AuditEvent]) -> str:
    if len(found) <= PAGE_SIZE:
        return ""
    last = found[PAGE_SIZE - 1]
    return urlencode({**given, _POSITION: f"{last.time.isoformat()}/{last.pk}"})


def _field(name: str, given: Mapping[str, str], problems: Mapping[str, str]) -> Field:
    return Field(name, LABELS[name], given.get(name, ""), _CHOICES.get(name, ()), problems.get(name, ""))


def _chips(given: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """What restricts the search: label, value, and the query without it."""
    return [
        (LABELS[name], value, urlencode({other: kept for other, kept in given.items() if other != name}))
        for name, value in given.items()
    ]


def _named(principal: Principal, criteria: EventFilter) -> dict[str, Any]:
    """The names behind the ids that were asked for."""
    people = people_named(principal, [criteria.actor_id]) if criteria.actor_id else {}
    directory, wanted = dataset_directory(), [criteria.dataset_id] if criteria.dataset_id else []
    known = directory.describe(directory.visible(principal, wanted)) if wanted else {}
    return {
        "actor_name": "".join(people.values()),
        "dataset_name": "".join(dataset.name for dataset in known.values()),
    }


def _counted(criteria: EventFilter, given: Mapping[str, str]) -> dict[str, Any]:
    """Timeline and facets, from the counts; they know neither policies nor requests."""
    if criteria.policy or criteria.request_id:
        return {"is_counted": False}
    period, filters = _period(criteria), countable(criteria)
    bars = draw_timeline(period, timeline(period=period, filters=filters), given)
    return {
        "is_counted": True,
        "as_of": counted_until(),
        "timeline": bars,
        "facets": _facets(facet_counts(period=period, filters=filters), given),
    }


def _facets(counted: Mapping[str, Mapping[str, int]], given: Mapping[str, str]) -> list[tuple[str, list[Value], int]]:
    """Label, the values of most events, and how many more there are."""
    shown = []
    for name in _FACETS:
        ordered = sorted(counted[name].items(), key=lambda one: (-one[1], one[0]))
        # What has no classification or purpose cannot be searched for, and is no choice.
        values = [_value(name, text, events, given) for text, events in ordered if text]
        if values:
            shown.append((LABELS[name], values[:_SHOWN_VALUES], max(len(values) - _SHOWN_VALUES, 0)))
    return shown


def _value(name: str, text: str, events: int, given: Mapping[str, str]) -> Value:
    is_chosen = given.get(name) == text
    rest = {other: value for other, value in given.items() if other != name}
    return Value(text, events, urlencode(rest if is_chosen else rest | {name: text}), is_chosen)


def _period(criteria: EventFilter) -> Period:
    """What is drawn: the period asked for, else the last thirty days; at most a year of it."""
    usual = period_of("last_30d", now=timezone.now())
    end = ceil_hour(criteria.until) if criteria.until else usual.end
    start = floor_hour(criteria.since) if criteria.since else min(usual.start, end - 30 * DAY)
    return Period(min(max(start, end - _LONGEST), end), end)
