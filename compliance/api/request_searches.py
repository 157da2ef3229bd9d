"""REST: the search for the subject of a request, their erasure, and the restriction of their records."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from compliance.api.request_searches_serializers import (
    RequestErasureInput,
    RequestErasureOutput,
    RequestSearchInput,
    RequestSearchOutput,
    RestrictionEndInput,
    RestrictionInput,
    RestrictionListOutput,
    RestrictionOutput,
)
from compliance.models import LegalBasis
from compliance.requests.erasures import ErasureStanding, get_erasure_of, start_erasure
from compliance.requests.restrictions import get_restrictions, impose, lift
from compliance.requests.searches import SearchStanding, get_search_of, start_search
from datasets.models import ProcessingRestriction
from vaultsite.kernel.api.views import VaultAPIView


class RequestSearchView(VaultAPIView):
    resource_type = "subject_request"

    @extend_schema(operation_id="getRequestSearch", responses=RequestSearchOutput)
    def get(self, _: Request, subject_request_id: UUID) -> Response:
        """The search that was started last for the subject: its matches are at /subject-searches/{id}/matches."""
        return Response(_search_shown(get_search_of(self.principal, request_id=subject_request_id)))

    @extend_schema(operation_id="startRequestSearch", request=RequestSearchInput, responses={202: RequestSearchOutput})
    def post(self, request: Request, subject_request_id: UUID) -> Response:
        """Look for the subject in everything stored, by what the request says of them."""
        body = RequestSearchInput(data=request.data)
        body.is_valid(raise_exception=True)
        begun = start_search(self.principal, request_id=subject_request_id, identifiers=body.given())
        location = f"/api/v1/subject-searches/{begun.search.pk}"
        return Response(_search_shown(begun), status=202, headers={"Location": location})


def _search_shown(standing: SearchStanding) -> dict[str, Any]:
    return dict(RequestSearchOutput(standing).data)


class RequestErasureView(VaultAPIView):
    resource_type = "subject_request"

    @extend_schema(operation_id="getRequestErasure", responses=RequestErasureOutput)
    def get(self, _: Request, subject_request_id: UUID) -> Response:
        """How far the erasure of the subject is, what is kept and why, and how many recipients are to be told."""
        return Response(_erasure_shown(get_erasure_of(self.principal, request_id=subject_request_id)))

    @extend_schema(
        operation_id="startRequestErasure", request=RequestErasureInput, responses={202: RequestErasureOutput}
    )
    def post(self, request: Request, subject_request_id: UUID) -> Response:
        """Erase what is the subject's from every store: found and reviewed, or entered. It cannot be undone."""
        body = RequestErasureInput(data=request.data)
        body.is_valid(raise_exception=True)
        basis = LegalBasis(body.validated_data["legal_basis"])
        begun = start_erasure(self.principal, request_id=subject_request_id, legal_basis=basis)
        location = f"/api/v1/subject-erasures/{begun.erasure.pk}"
        return Response(_erasure_shown(begun), status=202, headers={"Location": location})


def _erasure_shown(standing: ErasureStanding) -> dict[str, Any]:
    return dict(RequestErasureOutput(standing).data)


class RequestRestrictionView(VaultAPIView):
    resource_type = "subject_request"

    @extend_schema(operation_id="listRequestRestrictions", responses=RestrictionListOutput)
    def get(self, _: Request, subject_request_id: UUID) -> Response:
        """For which purposes the subject's records are left out of reads now."""
        return Response(_restrictions_shown(get_restrictions(self.principal, request_id=subject_request_id)))

    @extend_schema(operation_id="imposeRestriction", request=RestrictionInput, responses=RestrictionListOutput)
    def post(self, request: Request, subject_request_id: UUID) -> Response:
        """Leave the subject's records out of reads: for all purposes, or those that were objected to."""
        body = RestrictionInput(data=request.data)
        body.is_valid(raise_exception=True)
        purposes = body.validated_data.get("purposes", ())
        return Response(_restrictions_shown(impose(self.principal, request_id=subject_request_id, purposes=purposes)))


class RestrictionEndView(VaultAPIView):
    resource_type = "subject_request"

    @extend_schema(
        operation_id="liftRestriction", request=RestrictionEndInput, responses={204: OpenApiResponse(description="")}
    )
    def post(self, request: Request, subject_request_id: UUID) -> Response:
        """Let the subject's records be read again; the subject is told."""
        body = RestrictionEndInput(data=request.data)
        body.is_valid(raise_exception=True)
        lift(self.principal, request_id=subject_request_id, message=body.validated_data["message"])
        return Response(status=204)


def _restrictions_shown(rows: list[ProcessingRestriction]) -> dict[str, Any]:
    return {"data": [dict(RestrictionOutput(row).data) for row in rows]}
