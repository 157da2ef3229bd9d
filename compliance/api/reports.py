"""Reports over REST."""

from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.bodies import PAGING, paged
from compliance.api.reports_serializers import ReportDetailOutput, ReportInput, ReportListOutput, ReportOutput
from compliance.models import Report, ReportFormat
from compliance.reports.registry import KINDS
from compliance.reports.request import (
    Wanted,
    create_report,
    get_report,
    link_to,
    list_reports,
    name_of,
    open_download,
    require_link,
    stream_download,
    withdraw_report,
)
from compliance.reports.summary import read_summary
from vaultsite.kernel.api.pagination import read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.tenancy.middleware import facts_of
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts


class ReportListView(VaultAPIView):
    resource_type = "report"

    @extend_schema(operation_id="listReports", parameters=PAGING, responses=ReportListOutput)
    def get(self, request: Request) -> Response:
        """The caller's own reports, newest first."""
        wanted = read_page(request, members=1)
        rows = list_reports(self.principal, after=wanted.after, limit=wanted.limit + 1)
        return paged(rows, wanted, lambda report: _shown(report, self.principal))

    @extend_schema(operation_id="createReport", request=ReportInput, responses={202: ReportOutput})
    def post(self, request: Request) -> Response:
        """Queue a report."""
        report = _asked_for(request, self.principal)
        location = reverse("compliance-report", args=[report.pk])
        return Response(_shown(report, self.principal), status=202, headers={"Location": location})


class ReportAliasView(ReportListView):
    """The same under the name that governance tools know."""

    http_method_names = ["post"]

    @extend_schema(operation_id="createReportByOtherName", request=ReportInput, responses={202: ReportOutput})
    def post(self, request: Request) -> Response:
        """Queue a report."""
        return super().post(request)


class ReportView(VaultAPIView):
    resource_type = "report"

    @extend_schema(operation_id="getReport", responses=ReportDetailOutput)
    def get(self, _: Request, report_id: UUID) -> Response:
        """A report and how far it has come; with a link to its file once there is one."""
        report = get_report(self.principal, report_id)
        said = _shown(report, self.principal) | {"summary": read_summary(self.principal, report)}
        return Response(dict(ReportDetailOutput(said).data))

    @extend_schema(operation_id="withdrawReport", responses={204: None})
    def delete(self, _: Request, report_id: UUID) -> Response:
        """Cancel an unfinished report, or remove the file of a finished one."""
        withdraw_report(self.principal, report_id)
        return Response(status=204)


class ReportFileView(VaultAPIView):
    resource_type = "report"

    @extend_schema(
        operation_id="downloadReport",
        parameters=[OpenApiParameter("token", OpenApiTypes.STR, required=True)],
        responses={(200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, "The file.")},
    )
    def get(self, request: Request, report_id: UUID) -> StreamingHttpResponse:
        """The file of a finished report, at the address that the report tells."""
        report = open_download(self.principal, report_id)
        require_link(self.principal, report_id, request.query_params.get("token", ""))
        return as_download(report, self.principal, facts_of(self.django_request))


def as_download(report: Report, principal: Principal, facts: RequestFacts) -> StreamingHttpResponse:
    """The answer that streams a file which was decided on."""
    name, media_type = name_of(report)
    return StreamingHttpResponse(
        stream_download(report, principal, facts),
        content_type=media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(report.size),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _asked_for(request: Request, principal: Principal) -> Report:
    asked = ReportInput(data=request.data)
    asked.is_valid(raise_exception=True)
    given = asked.validated_data
    scope = given.get("scope", {})
    wanted = Wanted(
        kind=given["report_type"],
        format=ReportFormat(given["format"]),
        since=given["time_range"]["start"],
        until=given["time_range"]["end"],
        datasets=scope.get("datasets", ()),
        users=scope.get("users", ()),
    )
    return create_report(principal, wanted)


def _shown(report: Report, principal: Principal) -> dict[str, Any]:
    kind, link = KINDS[report.kind], link_to(principal, report)
    said = {
        "id": report.pk,
        "report_id": report.pk,
        "report_type": report.kind,
        "title": kind.title,
        "maps_to": kind.maps_to,
        "format": report.format,
        "time_range": {"start": report.since, "end": report.until},
        "scope": report.scope,
        "status": report.status,
        "progress": report.progress,
        "rows": report.row_count,
        "bytes": report.size,
        "sha256": report.sha256,
        "rows_sha256": report.rows_sha256,
        "checkpoint_size": report.checkpoint_size,
        "checkpoint_root": report.checkpoint_root,
        "download_url": link[0] if link else None,
        "expires_at": link[1] if link else None,
        "removed_after": report.expires_at,
        "error": report.error,
        "created_at": report.created_at,
        "finished_at": report.finished_at,
    }
    return dict(ReportOutput(said).data)
