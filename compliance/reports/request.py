"""Ask for a report, look at it, download it, take it back."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.core import signing
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from access.errors import AccessDenied
from access.selectors import may, still_holds
from access.services.authorize import authorize
from compliance.errors.reports import (
    ReportExpired,
    ReportLinkRefused,
    ReportNotFound,
    ReportNotReady,
    TooManyReports,
)
from compliance.models import Report, ReportFormat
from compliance.reports.encode import MEDIA
from compliance.reports.file import read_part, remove_file
from compliance.reports.kind import SCOPES, ReportKind
from compliance.reports.registry import KINDS
from vaultsite.kernel.errors import FieldProblem, InvalidCursor, InvalidInput
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, Outcome, ResourceRef
from vaultsite.kernel.jobs import FINAL, JobStatus, enqueue, new_lease
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts
from vaultsite.kernel.tenancy.scope import tenant_scope
from vaultsite.kernel.upkeep import add_up, first_of_each

ACTION: Final = "report.create"
#: Unfinished reports of one person.
MOST_UNFINISHED: Final = 5
#: How long a link to a file holds.
LINK_LIFETIME: Final = timedelta(minutes=10)
#: The longest time a report covers.
LONGEST: Final = timedelta(days=366 * 7)
_SALT: Final = "llm-data-vault/report/v1"
_BATCH: Final = 200


@dataclass(frozen=True)
class Wanted:
    """What a report is to be of: times from ``since`` until before ``until``; empty scopes do not restrict."""

    kind: str
    format: ReportFormat
    since: datetime
    until: datetime
    datasets: Collection[UUID] = ()
    users: Collection[UUID] = ()


def create_report(principal: Principal, wanted: Wanted) -> Report:
    """Queue the writing of a report, in the open scope. Raises AccessDenied, InvalidInput, TooManyReports."""
    facts = {"report_type": wanted.kind, "format": wanted.format.value}
    authorize(principal, ACTION, _resource(), facts=facts)
    for need in KINDS[wanted.kind].needs:
        authorize(principal, need, _resource(), facts=facts)
    _refuse_odd_times(wanted)
    _refuse_idle_scopes(wanted)
    if Report.objects.filter(requested_by=principal.id).exclude(status__in=FINAL).count() >= MOST_UNFINISHED:
        raise TooManyReports
    report = Report.objects.create(
        kind=wanted.kind,
        format=wanted.format,
        since=wanted.since,
        until=min(wanted.until, timezone.now()),
        scope={"datasets": sorted(map(str, wanted.datasets)), "users": sorted(map(str, wanted.users))},
        requested_by=principal.id,
        lease_until=new_lease(),
        created_at=timezone.now(),
        progress={"stage": "queued", "rows": 0},
    )
    enqueue(report)
    return report


def _refuse_odd_times(wanted: Wanted) -> None:
    if wanted.since >= min(wanted.until, timezone.now()):
        raise InvalidInput(errors=[FieldProblem("time_range.start", "has to be before the end, and past")])
    if wanted.until - wanted.since > LONGEST:
        raise InvalidInput(errors=[FieldProblem("time_range", f"is {LONGEST.days} days at most")])


def _refuse_idle_scopes(wanted: Wanted) -> None:
    """A report is never wider than what was asked for."""
    given = {"datasets": wanted.datasets, "users": wanted.users}
    idle = [name for name in SCOPES if given[name] and name not in KINDS[wanted.kind].scopes]
    if idle:
        raise InvalidInput(
            errors=[FieldProblem(f"scope.{name}", f"{name} do not restrict this report") for name in idle]
        )


def kinds_for(principal: Principal) -> list[ReportKind]:
    """What the principal may ask a report of, by title; what is done is decided when it is asked for."""
    found = (kind for kind in KINDS.values() if all(may(principal, action) for action in (ACTION, *kind.needs)))
    return sorted(found, key=lambda kind: kind.title)


def list_reports(principal: Principal, *, after: tuple[str, ...] | None = None, limit: int) -> list[Report]:
    """The principal's own reports, newest first. Raises AccessDenied, InvalidCursor."""
    authorize(principal, ACTION, _resource())
    rows = Report.objects.filter(requested_by=principal.id).order_by("-id")
    if after:
        try:
            rows = rows.filter(id__lt=UUID(after[0]))
        except ValueError:
            raise InvalidCursor from None
    return list(rows[:limit])


def get_report(principal: Principal, report_id: UUID) -> Report:
    """The principal's own report. Raises AccessDenied, ReportNotFound."""
    authorize(principal, ACTION, _resource(report_id))
    report = Report.objects.filter(pk=report_id, requested_by=principal.id).first()
    if report is None:
        raise ReportNotFound
    return report


def withdraw_report(principal: Principal, report_id: UUID) -> Report:
    """Cancel an unfinished report, or remove the file of a finished one. Raises AccessDenied, ReportNotFound."""
    report = get_report(principal, report_id)
    _take_back(report.pk)
    report.refresh_from_db()
    return report


def _take_back(report_id: UUID) -> bool:
    """In the open scope: end a report and remove its file; False when it had none left."""
    report = Report.objects.select_for_update().filter(pk=report_id, removed_at=None).first()
    if report is None or report.status in (JobStatus.FAILED, JobStatus.CANCELLED):
        return False
    rows = Report.objects.filter(pk=report_id)
    if report.status in FINAL:
        rows.update(removed_at=Now(), summary=None)
    else:
        # Its worker, if there is one, can write nothing more.
        rows.update(removed_at=Now(), status=JobStatus.CANCELLED, finished_at=Now(), fence=F("fence") + 1)
    transaction.on_commit(lambda: remove_file(report), robust=True)
    return True


def link_to(principal: Principal, report: Report) -> tuple[str, datetime] | None:
    """The path and query of the file, for this principal, and until when it holds; None where there is no file."""
    if not report.has_file:
        return None
    token = signing.dumps(_bound(principal, report.pk), salt=_SALT)
    path = reverse("compliance-report-file", args=[report.pk])
    return f"{path}?token={token}", timezone.now() + LINK_LIFETIME


def require_link(principal: Principal, report_id: UUID, token: str) -> None:
    """Raises ReportLinkRefused."""
    try:
        said = signing.loads(token, salt=_SALT, max_age=LINK_LIFETIME)
    except signing.SignatureExpired:
        raise ReportLinkRefused("The link has expired", reason="expired") from None
    except signing.BadSignature:
        raise ReportLinkRefused("The link is not one of ours", reason="signature") from None
    if said != _bound(principal, report_id):
        raise ReportLinkRefused("The link was made for another report or reader", reason="bound")


def _bound(principal: Principal, report_id: UUID) -> list[str]:
    return [str(principal.tenant_id), str(principal.id), str(report_id)]


def open_download(principal: Principal, report_id: UUID) -> Report:
    """Decide on handing out the file, in the open scope.

    Raises AccessDenied, ReportNotFound, ReportExpired, ReportNotReady.
    """
    report = get_report(principal, report_id)
    for need in KINDS[report.kind].needs:
        authorize(principal, need, _resource(report_id))
    if report.removed_at is not None:
        raise ReportExpired
    if not report.has_file:
        raise ReportNotReady(status_of_report=report.status)
    return report


def name_of(report: Report) -> tuple[str, str]:
    """The file's name and media type."""
    suffix, media_type = MEDIA[report.format]
    return f"{report.kind}-{report.created_at:%Y%m%d-%H%M%S}.{suffix}", media_type


def stream_download(report: Report, principal: Principal, request: RequestFacts) -> Iterator[bytes]:
    """The file part by part; its end is an event of its own. Needs no open scope: each part has a short one.

    Stops when the principal's credential ended or the file was taken back meanwhile.
    """
    sent = 0
    outcome: Outcome = "failure"
    try:
        for number, (name, _) in enumerate(report.parts):
            with tenant_scope(principal.tenant_id, principal, request):
                if not still_holds(principal):
                    outcome = "denied"
                    raise AccessDenied
                body = read_part(report.pk, number, name)
            yield body
            sent += len(body)
        outcome = "success"
    finally:
        with tenant_scope(principal.tenant_id, principal, request):
            emit(_released(report, outcome, sent))


def _released(report: Report, outcome: Outcome, sent: int) -> Event:
    return Event(
        type=EventType.REPORT_RELEASED,
        operation="export",
        status=outcome,
        resource=_resource(report.pk),
        metadata={
            "report_type": report.kind,
            "format": report.format,
            "rows": report.row_count,
            "bytes": sent,
            "sha256": report.sha256,
        },
    )


def expire_reports() -> int:
    """As vault_system, over all tenants: remove the files of reports past their time; returns of how many."""
    rows = Report.objects.using("system").filter(status=JobStatus.SUCCEEDED, removed_at=None, expires_at__lt=Now())
    return add_up(_expire, first_of_each(rows, by="expires_at", limit=_BATCH))


def _expire(tenant_id: UUID, report_id: UUID) -> bool:
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        return _take_back(report_id)


def _resource(report_id: UUID | str = "") -> ResourceRef:
    return ResourceRef("report", str(report_id))
