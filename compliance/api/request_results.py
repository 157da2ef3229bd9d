"""REST: what a request of a data subject ends in."""

from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from compliance.api.request_results_serializers import (
    ChangeListOutput,
    ChangeOutput,
    CorrectionInput,
    CorrectionListOutput,
    CorrectionOutput,
    RequestPackageOutput,
)
from compliance.models import Correction, RequestPackage
from compliance.requests.corrections import (
    begin_application,
    corrections_of,
    end_application,
    preview,
    propose,
    run_application,
)
from compliance.requests.packages import get_package, mail_link, name_of, open_package, request_package, stream_package
from compliance.requests.selectors import get_request
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.tenancy.middleware import facts_of
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts


class PackageView(VaultAPIView):
    resource_type = "subject_request"

    @extend_schema(operation_id="getSubjectPackage", responses=RequestPackageOutput)
    def get(self, _: Request, subject_request_id: UUID) -> Response:
        """The package that was asked for last, and how far it has come."""
        return Response(_shown(get_package(self.principal, request_id=subject_request_id)))

    @extend_schema(operation_id="createSubjectPackage", request=None, responses={202: RequestPackageOutput})
    def post(self, _: Request, subject_request_id: UUID) -> Response:
        """Collect the records that were entered as the subject's into one file: data.json, and a page to read."""
        package = request_package(self.principal, request_id=subject_request_id)
        location = reverse("subject-request-package", args=[subject_request_id])
        return Response(_shown(package), status=202, headers={"Location": location})


class PackageLinkView(VaultAPIView):
    resource_type = "subject_request"

    @extend_schema(operation_id="mailSubjectPackage", request=None, responses={202: RequestPackageOutput})
    def post(self, _: Request, subject_request_id: UUID) -> Response:
        """Mail the subject a link to the file; it holds 7 days, for 3 downloads."""
        link = mail_link(self.principal, request_id=subject_request_id)
        return Response(_shown(link.package) if link.package else None, status=202)


class PackageFileView(VaultAPIView):
    resource_type = "subject_request"

    @extend_schema(
        operation_id="downloadSubjectPackage",
        responses={(200, "application/zip"): OpenApiResponse(OpenApiTypes.BINARY, "The file.")},
    )
    def get(self, _: Request, subject_request_id: UUID) -> StreamingHttpResponse:
        """The file, for an officer."""
        package = open_package(self.principal, request_id=subject_request_id)
        return as_download(package, self.principal, facts_of(self.django_request))


def as_download(
    package: RequestPackage, principal: Principal, facts: RequestFacts, *, by_link: bool = False
) -> StreamingHttpResponse:
    """The answer that streams a file which was decided on."""
    return StreamingHttpResponse(
        stream_package(package, principal, facts, by_link=by_link),
        content_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="{name_of(package)}"',
            "Content-Length": str(package.size),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


class CorrectionListView(VaultAPIView):
    resource_type = "subject_request"

    @extend_schema(operation_id="listCorrections", responses=CorrectionListOutput)
    def get(self, _: Request, subject_request_id: UUID) -> Response:
        """What was proposed for the subject's records, in order; what it says shows its preview."""
        found = get_request(self.principal, subject_request_id)
        return Response({"data": [_shown_correction(one) for one in corrections_of(found)]})

    @extend_schema(operation_id="proposeCorrection", request=CorrectionInput, responses={201: CorrectionOutput})
    def post(self, request: Request, subject_request_id: UUID) -> Response:
        """Propose what records are to say instead."""
        body = CorrectionInput(data=request.data)
        body.is_valid(raise_exception=True)
        made = propose(self.principal, request_id=subject_request_id, **body.validated_data)
        return Response(_shown_correction(made), status=201)


class CorrectionPreviewView(VaultAPIView):
    resource_type = "subject_request"

    @extend_schema(operation_id="previewCorrection", responses=ChangeListOutput)
    def get(self, _: Request, subject_request_id: UUID, correction_id: UUID) -> Response:
        """The records before and after, for who is shown them as they are."""
        changes = preview(self.principal, request_id=subject_request_id, correction_id=correction_id)
        return Response({"data": [dict(ChangeOutput(one).data) for one in changes]})


class CorrectionApplicationView(VaultAPIView):
    resource_type = "subject_request"
    scope_per_request = False

    @extend_schema(operation_id="applyCorrection", request=None, responses=CorrectionOutput)
    def post(self, _: Request, subject_request_id: UUID, correction_id: UUID) -> Response:
        """Make it a new version of the dataset, as somebody who may write its records."""
        with self.open_scope():
            begun = begin_application(self.principal, request_id=subject_request_id, correction_id=correction_id)
        outcome = run_application(self.principal, begun, facts_of(self.django_request))
        with self.silent_scope():
            return Response(_shown_correction(end_application(self.principal, begun, outcome)))


def _shown(package: RequestPackage) -> dict[str, Any]:
    return dict(RequestPackageOutput(package).data)


def _shown_correction(correction: Correction) -> dict[str, Any]:
    return dict(CorrectionOutput(correction).data)
