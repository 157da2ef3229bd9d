"""Reports on incidents: the steps from suspicion to the end, and the breaches that people had to be told of."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Q

from compliance.incidents.assess import FACTORS, HIPAA_RESULTS
from compliance.incidents.clocks import HIPAA, Duty, Status, year_of
from compliance.incidents.standing import duties_of, latest_assessments
from compliance.models import BreachNotice, Incident, IncidentAssessment, IncidentState, IncidentTask
from compliance.reports.kind import Ask, Measure, Number, ReportKind, Row
from compliance.reports.pages import in_pages

_HOUR: Final = 3600
_STEPS: Final = (
    *("incident_id", "number", "title", "severity", "state", "laws", "opened_at", "discovered_at", "aware_at"),
    *("confirmed_at", "contained_at", "ended_at", "hours_to_confirm", "hours_to_contain", "hours_to_end", "persons"),
    *("from_alert", "tasks", "tasks_open", "notices_sent", "told_in_time", "told_late", "overdue"),
)
#: Audiences of HIPAA: the duty of each -> how its columns begin.
_TOLD: Final[Mapping[str, str]] = {
    "hipaa.persons": "persons",
    "hipaa.hhs": "hhs",
    "hipaa.media": "media",
    "hipaa.entity": "covered_entity",
}
_BREACHES: Final = (
    *("incident_id", "number", "title", "state", "discovered_at", "occurred_from", "occurred_until", "result"),
    *(f"factor_{name}" for name in FACTORS),
    *("persons_affected", "in_year_log", "log_of_year"),
    *(f"{name}_{what}" for name in _TOLD.values() for what in ("notice", "due_at", "told_at")),
)
_DISMISSED: Final = "dismissed: no breach"
_PRESUMED: Final = "presumed: not assessed"


def _within(ask: Ask, incident: Incident) -> bool:
    """Whether the incident is about one of the datasets and one of the people that the report is restricted to."""
    wanted = ((ask.datasets, incident.datasets), (ask.users, incident.principals))
    return all(not some or some & set(map(UUID, named)) for some, named in wanted)


def _rows(ask: Ask, criteria: Q, shown: Callable[[list[Incident]], list[Row]]) -> Iterator[Row]:
    found = Incident.objects.filter(criteria)
    return in_pages(ask, lambda: found, lambda page: shown([one for one in page if _within(ask, one)]))


def _incidents(ask: Ask) -> Iterator[Row]:
    return _rows(ask, Q(opened_at__gte=ask.since, opened_at__lt=ask.until), _steps)


def _breaches(ask: Ask) -> Iterator[Row]:
    period = Q(discovered_at__gte=ask.since, discovered_at__lt=ask.until)
    return _rows(ask, period & Q(laws__contains=[HIPAA]), _told)


def _steps(page: list[Incident]) -> list[Row]:
    tasks = _counted(IncidentTask.objects.filter(incident__in=page))
    unfinished = _counted(IncidentTask.objects.filter(incident__in=page, done_at=None))
    sent = _counted(BreachNotice.objects.filter(incident__in=page, sent_at__isnull=False))
    duties = duties_of(page)
    return [
        (
            *(str(one.pk), one.number, one.title, one.severity, one.state, " ".join(one.laws), one.opened_at),
            *(one.discovered_at, one.aware_at, one.confirmed_at, one.contained_at, one.ended_at),
            *(_hours(one, one.confirmed_at), _hours(one, one.contained_at), _hours(one, one.ended_at), one.persons),
            *("yes" if one.alert_id else "no", tasks[one.pk], unfinished[one.pk], sent[one.pk]),
            *_standings(duties[one.pk]),
        )
        for one in page
    ]


def _counted(rows: Any) -> Counter[UUID]:
    return Counter(dict(rows.values_list("incident_id").annotate(Count("pk"))))


def _hours(one: Incident, moment: datetime | None) -> int | None:
    return int((moment - one.opened_at).total_seconds() // _HOUR) if moment else None


def _standings(found: list[Duty]) -> tuple[int, int, int]:
    counted = Counter(duty.status for duty in found)
    return counted[Status.MET], counted[Status.LATE], counted[Status.OVERDUE]


def _told(page: list[Incident]) -> list[Row]:
    assessed = latest_assessments(page)
    duties: dict[UUID, dict[str, Duty]] = defaultdict(dict)
    for incident_id, found in duties_of(page).items():
        duties[incident_id] = {duty.code: duty for duty in found}
    return [_breach(one, assessed.get(one.pk), duties[one.pk]) for one in page]


def _breach(one: Incident, assessed: IncidentAssessment | None, duties: dict[str, Duty]) -> Row:
    factors = assessed.factors if assessed else {}
    is_logged = duties["hipaa.hhs"].is_yearly and duties["hipaa.hhs"].status is not Status.NOT_DUE
    return (
        *(str(one.pk), one.number, one.title, one.state, one.discovered_at, one.occurred_from, one.occurred_until),
        _result(one, assessed),
        *(factors.get(name, {}).get("level", "") for name in FACTORS),
        *(one.persons, "yes" if is_logged else "no", year_of(one.discovered_at, one.time_zone) if is_logged else None),
        *(cell for code in _TOLD for cell in _notice(duties[code])),
    )


def _result(one: Incident, assessed: IncidentAssessment | None) -> str:
    if one.state == IncidentState.DISMISSED:
        return _DISMISSED
    return HIPAA_RESULTS[assessed.hipaa] if assessed and assessed.hipaa else _PRESUMED


def _notice(duty: Duty) -> Row:
    """Where the duty to tell somebody stands, until when they have to be told, and when they were first."""
    standing = None if duty.status is Status.NOT_DUE else str(duty.status)
    return (standing, duty.due_at, duty.met_at)


def _figures_of_notices() -> Iterator[Measure]:
    said = {Status.MET: "in time", Status.LATE: "late", Status.OVERDUE: "not yet, and late"}
    for column, whom in (("persons_notice", "Persons"), ("hhs_notice", "HHS")):
        for status, words in said.items():
            query = "type=incident.due" if status is Status.OVERDUE else "type=incident.notified"
            yield Measure(f"{whom} told {words}", column, frozenset({str(status)}), query)


KINDS: Final = (
    ReportKind(
        code="soc2_incidents",
        title="Incidents",
        about=(
            "Every incident opened in the period: how grave it was, when it was confirmed, contained and ended, what "
            "was left to do, and whether those who had to be told were told in time."
        ),
        maps_to=("SOC 2 CC7.3", "SOC 2 CC7.4", "SOC 2 CC7.5", "GDPR Art. 33(5)", "HIPAA 164.308(a)(6)(ii)"),
        columns=_STEPS,
        rows=_incidents,
        breakdowns=("severity", "state", "laws", "from_alert"),
        measures=(
            Measure("Not contained yet", "state", frozenset({IncidentState.CONFIRMED}), "type=incident.changed"),
            Measure("Closed", "state", frozenset({IncidentState.CLOSED}), "type=incident.changed"),
            Measure("Dismissed", "state", frozenset({IncidentState.DISMISSED}), "type=incident.changed"),
        ),
        numbers=(
            Number("Hours to confirmation, median", "hours_to_confirm", "median", "type=incident.changed"),
            Number("Hours to containment, median", "hours_to_contain", "median", "type=incident.changed"),
            Number("Hours to containment, most", "hours_to_contain", "most", "type=incident.changed"),
            Number("Hours to the end, median", "hours_to_end", "median", "type=incident.changed"),
            Number("Tasks not done", "tasks_open", "total", "type=incident.recorded"),
            Number("Told in time", "told_in_time", "total", "type=incident.notified"),
            Number("Told late", "told_late", "total", "type=incident.notified"),
            Number("Overdue to be told", "overdue", "total", "type=incident.due"),
        ),
        tables=(("severity", "state"),),
        time="opened_at",
        query="type=incident.*",
        notes=(
            "Hours are whole ones since the incident was opened. States and clocks are those of the time of writing.",
            "Events of an incident have its incident_id as their resource.",
        ),
        needs=("incident.read",),
        page_columns=(
            *("number", "title", "severity", "state", "laws", "opened_at", "aware_at", "hours_to_confirm"),
            *("hours_to_contain", "hours_to_end", "persons", "tasks_open", "told_in_time", "told_late", "overdue"),
        ),
    ),
    ReportKind(
        code="hipaa_breach",
        title="Breaches of health data",
        about=(
            "Every incident under HIPAA discovered in the period: what the four factors showed, how many people it "
            "concerns, who had to be told until when and was, and what belongs into the log of the year for HHS."
        ),
        maps_to=("HIPAA 164.402", "HIPAA 164.404", "HIPAA 164.406", "HIPAA 164.408", "HIPAA 164.410"),
        columns=_BREACHES,
        rows=_breaches,
        breakdowns=("result", "persons_notice", "hhs_notice", "media_notice", "covered_entity_notice"),
        measures=(
            Measure("Breaches", "result", frozenset({HIPAA_RESULTS["breach"]}), "type=incident.recorded"),
            Measure("Presumed, not assessed yet", "result", frozenset({_PRESUMED}), "type=incident.opened"),
            Measure(
                "Low probability of compromise", "result", frozenset({HIPAA_RESULTS["low_probability"]}),
                "type=incident.recorded",
            ),
            Measure("In the log of the year", "in_year_log", frozenset({"yes"})),
            *_figures_of_notices(),
        ),
        numbers=(
            Number("Persons affected", "persons_affected", "total"),
            Number("Persons affected by one, most", "persons_affected", "most"),
        ),
        tables=(("log_of_year", "hhs_notice"), ("result", "persons_notice")),
        time="discovered_at",
        query="type=incident.*",
        notes=(
            "A breach is presumed until the four factors show a low probability of compromise (45 CFR 164.402(2)).",
            "Of fewer than 500 persons HHS is told by the log of the year, 60 days after its end (45 CFR 164.408(c)).",
            "Events of an incident have its incident_id as their resource.",
        ),
        needs=("incident.read",),
        page_columns=(
            *("number", "title", "state", "discovered_at", "result", *(f"factor_{name}" for name in FACTORS)),
            *("persons_affected", "log_of_year", "persons_notice", "persons_due_at", "persons_told_at"),
            *("hhs_notice", "hhs_due_at", "hhs_told_at", "media_notice"),
        ),
    ),
)  # fmt: skip
