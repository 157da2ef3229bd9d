"""Exports of the audit over REST."""

from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.bodies import PAGING, paged
from audit.api.exports_serializers import AuditExportInput, AuditExportListOutput, AuditExportOutput
from audit.exports.request import (
    create_export,
    get_export,
    list_exports,
    name_of,
    open_download,
    stream_download,
    withdraw_export,
)
from audit.models import AuditExport, AuditExportFormat
from audit.selectors import EventFilter
from vaultsite.kernel.api.pagination import read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.tenancy.middleware import facts_of
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts


class AuditExportListView(VaultAPIView):
    resource_type = "audit_export"

    @extend_schema(operation_id="listAuditExports", parameters=PAGING, responses=AuditExportListOutput)
    def get(self, request: Request) -> Response:
        """The caller's own exports of the audit, newest first."""
        wanted = read_page(request, members=1)
        return paged(list_exports(self.principal, after=wanted.after, limit=wanted.limit + 1), wanted, _shown)

    @extend_schema(operation_id="createAuditExport", request=AuditExportInput, responses={202: AuditExportOutput})
    def post(self, request: Request) -> Response:
        """Queue an export of every sealed event that meets the filters."""
        asked = AuditExportInput(data=request.data)
        asked.is_valid(raise_exception=True)
        export = create_export(
            self.principal,
            format=AuditExportFormat(asked.validated_data["format"]),
            criteria=EventFilter(**asked.validated_data.get("filters", {})),
        )
        location = reverse("audit-export", args=[export.pk])
        return Response(_shown(export), status=202, headers={"Location": location})


class AuditExportView(VaultAPIView):
    resource_type = "audit_export"

    @extend_schema(operation_id="getAuditExport", responses=AuditExportOutput)
    def get(self, _: Request, audit_export_id: UUID) -> Response:
        """An export of the audit and how far it has come."""
        return Response(_shown(get_export(self.principal, audit_export_id)))

    @extend_schema(operation_id="withdrawAuditExport", responses={204: None})
    def delete(self, _: Request, audit_export_id: UUID) -> Response:
        """Cancel an unfinished export, or remove the file of a finished one."""
        withdraw_export(self.principal, audit_export_id)
        return Response(status=204)


class AuditExportFileView(VaultAPIView):
    resource_type = "audit_export"

    @extend_schema(
        operation_id="downloadAuditExport",
        responses={(200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, "The file.")},
    )
    def get(self, _: Request, audit_export_id: UUID) -> StreamingHttpResponse:
        """The file of a finished export."""
        export = open_download(self.principal, audit_export_id)
        return as_download(export, self.principal, facts_of(self.django_request))


def as_download(export: AuditExport, principal: Principal, facts: RequestFacts) -> StreamingHttpResponse:
    """The answer that streams a file which was decided on."""
    name, media_type = name_of(export)
    return StreamingHttpResponse(
        stream_download(export, principal, facts),
        content_type=media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(export.size),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _shown(export: AuditExport) -> dict[str, Any]:
    return dict(AuditExportOutput(export).data)
