"""The report on requests of data subjects: whether they were answered in time, and how."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date
from typing import Final
from uuid import UUID

from django.db.models import Count, Q, Sum

from compliance.models import MatchState, RequestMatch, SubjectMatch, SubjectRequest, SubjectSearch, SubjectStore
from compliance.reports.events import Names
from compliance.reports.kind import Ask, Measure, Number, ReportKind, Row
from compliance.reports.pages import in_pages
from compliance.requests.intake import READ
from compliance.requests.selectors import today
from vaultsite.kernel.jobs import JobStatus

MET: Final = "met"
MISSED: Final = "missed"
OVERDUE: Final = "overdue"
STANDING: Final = "standing still"
RUNNING: Final = "running"
UNANSWERED: Final = "closed unanswered"
_DONE: Final = JobStatus.SUCCEEDED
_COLUMNS: Final = (
    *("request_id", "reference", "received_at", "type", "law", "state", "clock", "due_on", "extended_at"),
    *("paused_days", "identity_method", "identity_verified_at", "legal_basis", "refusal_ground", "answered_at"),
    *("days_to_answer", "closed_at", "is_repeated", "records_searched", "records_entered", "assignee_id"),
    *("assignee", "is_extended", "is_refused"),
)


def _requests(ask: Ask) -> Iterator[Row]:
    found = SubjectRequest.objects.filter(received_at__gte=ask.since, received_at__lt=ask.until).defer("facts")
    if ask.users:
        found = found.filter(assignee__in=ask.users)
    if ask.datasets:
        found = found.filter(_of_datasets(ask.datasets))
    names, now = Names(), today()

    def shown(page: list[SubjectRequest]) -> list[Row]:
        names.learn({one.assignee for one in page if one.assignee}, set())
        searched, entered = _searched(page), _entered(page)
        return [_row(one, (searched[one.pk], entered[one.pk]), names, now) for one in page]

    return in_pages(ask, lambda: found, shown)


def _of_datasets(datasets: frozenset[UUID]) -> Q:
    """Requests whose subject has records in one of them, as they were entered, or found and accepted."""
    entered = RequestMatch.objects.filter(dataset__in=datasets).values("request")
    found = SubjectMatch.objects.filter(dataset_id__in=datasets, state=MatchState.ACCEPTED, search__case__isnull=False)
    return Q(pk__in=entered) | Q(pk__in=found.values("search__case"))


def _searched(page: list[SubjectRequest]) -> Counter[UUID]:
    """Records that the newest search of each request found and somebody accepted."""
    searches = SubjectSearch.objects.filter(case__in=[one.pk for one in page]).order_by("case", "-id").distinct("case")
    cases = {pk: case for pk, case, status in searches.values_list("pk", "case", "status") if status == _DONE}
    accepted = SubjectMatch.objects.filter(search__in=cases, state=MatchState.ACCEPTED, store=SubjectStore.RECORD)
    counted = accepted.values_list("search_id").annotate(Count("pk"))
    return Counter({case: count for search_id, count in counted if (case := cases[search_id]) is not None})


def _entered(page: list[SubjectRequest]) -> Counter[UUID]:
    """Records that somebody entered by hand."""
    rows = RequestMatch.objects.filter(request__in=page).values_list("request_id")
    return Counter(dict(rows.annotate(Sum("record_count"))))


def _row(one: SubjectRequest, matched: tuple[int, int], names: Names, now: date) -> Row:
    received = one.received_at.astimezone(UTC).date()
    answered = one.answered_at.astimezone(UTC).date() if one.answered_at else None
    return (
        *(str(one.pk), one.reference, one.received_at, one.type, one.law, one.state, clock_of_case(one, now)),
        *(one.due_on.isoformat(), one.extended_at, one.paused_days, one.identity_method, one.verified_at),
        *(
            one.legal_basis,
            one.refusal_ground or None,
            one.answered_at,
            (answered - received).days if answered else None,
        ),
        *(one.closed_at, "yes" if one.duplicate_of_id else "no", *matched, str(one.assignee or "")),
        *(names.actor(one.assignee) if one.assignee else "", "yes" if one.extended_at else "no"),
        "yes" if one.refusal_ground else "no",
    )


def clock_of_case(one: SubjectRequest, now: date) -> str:
    """What became of the time that the law gives, as of a day in UTC."""
    if one.answered_at:
        return MET if one.answered_at.astimezone(UTC).date() <= one.due_on else MISSED
    if one.closed_at:
        return UNANSWERED
    if one.paused_at:
        return STANDING
    return OVERDUE if one.due_on < now else RUNNING


KINDS: Final = (
    ReportKind(
        code="gdpr_dsar",
        title="Requests of data subjects",
        about=(
            "Every request received in the period: what was asked for under which law, whether the answer came in the "
            "time the law gives, and why it did not where it did not. It names no subject."
        ),
        maps_to=("GDPR Art. 12(3)", "GDPR Art. 15 to 22", "CCPA 1798.130", "HIPAA 164.524"),
        columns=_COLUMNS,
        rows=_requests,
        breakdowns=("type", "law", "state", "clock", "refusal_ground", "identity_method", "assignee"),
        measures=(
            Measure("Answered in time", "clock", frozenset({MET}), "type=subject.request.moved"),
            Measure("Answered late", "clock", frozenset({MISSED}), "type=subject.request.moved"),
            Measure("Overdue now", "clock", frozenset({OVERDUE}), "type=subject.request.due"),
            Measure("Time still running", "clock", frozenset({RUNNING, STANDING})),
            Measure("Extended", "is_extended", frozenset({"yes"}), "type=subject.request.extended"),
            Measure("Refused", "is_refused", frozenset({"yes"}), "type=subject.request.moved"),
        ),
        numbers=(
            Number("Days to an answer, median", "days_to_answer", "median", "type=subject.request.moved"),
            Number("Days to an answer, most", "days_to_answer", "most", "type=subject.request.moved"),
        ),
        tables=(("type", "state"), ("law", "clock")),
        time="received_at",
        query="type=subject.request.*",
        notes=(
            "States and clocks are those of the time of writing. Days are those of UTC.",
            "Days to an answer are those from receipt, also where the clock stood still.",
            "Events of a request have its request_id as their resource.",
        ),
        needs=(READ,),
        page_columns=(
            *("reference", "received_at", "type", "law", "state", "clock", "due_on", "extended_at"),
            *("refusal_ground", "answered_at", "days_to_answer", "records_searched", "records_entered", "assignee"),
        ),
    ),
)
