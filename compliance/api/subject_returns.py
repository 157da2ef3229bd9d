"""REST: records of erased people that came back."""

from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.bodies import PAGING, paged
from compliance.api.subject_returns_serializers import (
    ReturnDismissInput,
    ReturnEraseInput,
    SubjectReturnOutput,
    SubjectReturnPage,
)
from compliance.api.subjects_serializers import SubjectErasureOutput, SubjectSearchOutput
from compliance.models import LegalBasis
from compliance.subjects.returns import dismiss_returns, erase_again, list_returns, search_again
from datasets.models import ReturnState
from vaultsite.kernel.api.pagination import read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import FieldProblem, InvalidCursor, InvalidInput


class ReturnListView(VaultAPIView):
    resource_type = "subject_return"

    @extend_schema(
        operation_id="listSubjectReturns",
        parameters=[*PAGING, OpenApiParameter("state", OpenApiTypes.STR, enum=ReturnState.values)],
        responses=SubjectReturnPage,
    )
    def get(self, request: Request) -> Response:
        """Records with an identifier of somebody who was erased that came back, newest first."""
        wanted, state = read_page(request, members=1), request.query_params.get("state", "")
        if state not in {"", *ReturnState.values}:
            raise InvalidInput(errors=[FieldProblem("state", f"one of {', '.join(ReturnState.values)}")])
        try:
            after = UUID(wanted.after[0]) if wanted.after else None
        except ValueError as exc:
            raise InvalidCursor from exc
        rows = list_returns(self.principal, state=state, after=after, limit=wanted.limit + 1)
        return paged(rows, wanted, lambda row: dict(SubjectReturnOutput(row).data))


class ReturnSearchView(VaultAPIView):
    resource_type = "subject_return"

    @extend_schema(operation_id="searchForReturnedSubject", request=None, responses={202: SubjectSearchOutput})
    def post(self, _: Request, subject_return_id: UUID) -> Response:
        """Look for the person in everything stored, by what came back of them. Their identifiers are never shown."""
        search = search_again(self.principal, return_id=subject_return_id)
        address = f"/api/v1/subject-searches/{search.pk}"
        return Response(SubjectSearchOutput(search).data, status=202, headers={"Location": address})


class ReturnEraseView(VaultAPIView):
    resource_type = "subject_return"

    @extend_schema(operation_id="eraseReturnedSubject", request=ReturnEraseInput, responses={202: SubjectErasureOutput})
    def post(self, request: Request, subject_return_id: UUID) -> Response:
        """Erase what the search from the return found. It cannot be undone."""
        body = ReturnEraseInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data.get("legal_basis")
        basis = LegalBasis(given) if given else None
        erasure = erase_again(self.principal, return_id=subject_return_id, legal_basis=basis)
        address = f"/api/v1/subject-erasures/{erasure.pk}"
        return Response(SubjectErasureOutput(erasure).data, status=202, headers={"Location": address})


class ReturnDismissView(VaultAPIView):
    resource_type = "subject_return"

    @extend_schema(operation_id="dismissSubjectReturn", request=ReturnDismissInput, responses=SubjectReturnOutput)
    def post(self, request: Request, subject_return_id: UUID) -> Response:
        """Say why the record stays; it is not flagged again."""
        body = ReturnDismissInput(data=request.data)
        body.is_valid(raise_exception=True)
        (row,) = dismiss_returns(self.principal, return_ids=[subject_return_id], ground=body.validated_data["ground"])
        return Response(SubjectReturnOutput(row).data)
