"""The library of reports: asked for, watched, downloaded, taken back."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET

from access.pages.page import refusal_of, render_page
from compliance.api.reports import as_download
from compliance.holds.selectors import people_offered
from compliance.models import ReportFormat
from compliance.pages.report import report_page
from compliance.reports.kind import SCOPES
from compliance.reports.registry import KINDS
from compliance.reports.request import Wanted, create_report, kinds_for, list_reports, open_download, withdraw_report
from datasets.selectors import list_datasets
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.tenancy.middleware import facts_of
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

_LISTED: Final = 50
#: Datasets, and people, that a report can be narrowed to here; the API takes any.
_OFFERED: Final = 500


def reports_page(request: HttpRequest) -> HttpResponse:
    """The reader's reports; posted, one is asked for or taken back."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: _act(request, principal))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:reports"))
    reports = list_reports(principal, limit=_LISTED)
    today = timezone.now().date()
    context: dict[str, Any] = {
        "title": "Reports",
        "rows": [{"report": report, "kind": KINDS[report.kind]} for report in reports],
        "is_waiting": any(not report.is_final for report in reports),
        "kinds": kinds_for(principal),
        "formats": ReportFormat.choices,
        "given": request.POST,
        **_scopes(request, principal),
        "first_day": (today - timedelta(days=30)).isoformat(),
        "last_day": today.isoformat(),
    }
    return render_page(request, "vault/reports.html", context, refusal=refusal)


def _scopes(request: HttpRequest, principal: Principal) -> dict[str, Any]:
    """What a report can be narrowed to, each with whether it was chosen."""
    chosen = {name: set(request.POST.getlist(name)) for name in SCOPES}
    datasets = sorted(list_datasets(principal, after=None, limit=_OFFERED), key=lambda one: one.name)
    people = people_offered(limit=_OFFERED)
    return {
        "datasets": [(one.pk, one.name, str(one.pk) in chosen["datasets"]) for one in datasets],
        "people": [(pk, name, str(pk) in chosen["users"]) for pk, name in people],
        "is_narrowed": any(chosen.values()),
    }


def _act(request: HttpRequest, principal: Principal) -> None:
    if request.POST.get("do") == "remove":
        withdraw_report(principal, _uuid(request.POST.get("report", "")))
        messages.success(request, "The report is removed.")
        return
    create_report(principal, _wanted(request.POST))
    messages.success(request, "The report is being written.")


def _wanted(given: QueryDict) -> Wanted:
    kind, form, problems = str(given.get("kind", "")), str(given.get("format", "")), []
    if kind not in KINDS:
        problems.append(FieldProblem("kind", "Choose what is to be reported."))
    if form not in ReportFormat.values:
        problems.append(FieldProblem("format", "Choose PDF, CSV or JSON."))
    days = {name: _day(str(given.get(name, ""))) for name in ("first_day", "last_day")}
    problems += [FieldProblem(name, "Give a day, as in 2026-11-23.") for name, day in days.items() if day is None]
    first, last = days["first_day"], days["last_day"]
    if problems or first is None or last is None:
        raise InvalidInput(errors=problems)
    until = last + timedelta(days=1)
    datasets, users = ([_uuid(one) for one in given.getlist(name)] for name in SCOPES)
    return Wanted(kind, ReportFormat(form), since=first, until=until, datasets=datasets, users=users)


def _day(text: str) -> datetime | None:
    """The day's beginning, UTC; None for what is no day."""
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return datetime.combine(day, time(), UTC) if day else None


@require_GET
def report_file(request: HttpRequest, report_id: UUID) -> StreamingHttpResponse:
    """The file of a finished report."""
    principal = resolve_principal(request)
    return as_download(open_download(principal, report_id), principal, facts_of(request))


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput from None


PATHS: Final[tuple[tuple[str, Callable[..., HttpResponseBase], str], ...]] = (
    ("reports/", reports_page, "reports"),
    ("reports/<uuid:report_id>/", report_page, "report"),
    ("reports/<uuid:report_id>/file/", report_file, "report_file"),
)
