"""REST: requests for access, and the leases they become."""

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.bodies import PAGING, DecisionReasonInput, StrictInput, paged
from access.lease_selectors import find_lease, find_request, list_leases, list_requests
from access.leases.terms import LEVELS, MAX_EPSILON, MAX_TEXT, Terms, level_of
from access.models import AccessRequest, HolderKind, Lease, LeaseKind, RequestState, RequestVerdict, Shown
from access.selectors import may
from access.services.access_requests import (
    approve_request,
    refuse_request,
    request_access,
    request_extension,
    withdraw_request,
)
from access.services.authorize import authorize
from access.services.leases import revoke_lease
from vaultsite.kernel.api.pagination import read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

MINE = OpenApiParameter("mine", OpenApiTypes.STR, enum=["1"], description="Only the caller's own.")


class ExactField(serializers.DecimalField):
    """A decimal text without the zeros that the column fills up with."""

    def __init__(self) -> None:
        super().__init__(max_digits=None, decimal_places=None, read_only=True, allow_null=True)

    def to_representation(self, value: Any) -> str:
        return format(value.normalize(), "f")


class AccessRequestInput(StrictInput):
    """``level`` says what for, ``shown`` how records are shown, ``seconds`` for how long from the approval."""

    dataset_id = serializers.UUIDField()
    level = serializers.ChoiceField(choices=sorted(LEVELS), required=False, default="read")
    shown = serializers.ChoiceField(choices=Shown.choices, required=False, default=Shown.MASK)
    purpose = serializers.CharField(max_length=63)
    justification = serializers.CharField(max_length=MAX_TEXT)
    seconds = serializers.IntegerField()
    row_quota = serializers.IntegerField(required=False, allow_null=True, default=None)
    epsilon = serializers.DecimalField(
        max_digits=12, decimal_places=6, max_value=MAX_EPSILON, required=False, allow_null=True, default=None
    )


class ExtensionInput(StrictInput):
    seconds = serializers.IntegerField()
    row_quota = serializers.IntegerField(required=False, allow_null=True, default=None)
    justification = serializers.CharField(max_length=MAX_TEXT)


class ApproverOutput(serializers.ModelSerializer[RequestVerdict]):
    class Meta:
        model = RequestVerdict
        fields = ["approver", "is_approval", "reason", "decided_at"]


class AccessRequestOutput(serializers.ModelSerializer[AccessRequest]):
    level = serializers.SerializerMethodField()
    epsilon = ExactField()
    verdicts = ApproverOutput(many=True)
    lease = serializers.UUIDField(source="lease_id", allow_null=True)
    extends = serializers.UUIDField(source="extends_id", allow_null=True)
    requester_kind = serializers.ChoiceField(choices=HolderKind.choices)
    state = serializers.ChoiceField(choices=RequestState.choices)
    shown = serializers.ChoiceField(choices=Shown.choices)

    class Meta:
        model = AccessRequest
        fields = [
            *("id", "requester", "requester_kind", "dataset_id", "level", "shown", "purpose", "justification"),
            *("seconds", "row_quota", "epsilon", "approvals_needed", "state", "verdicts", "lease", "extends"),
            *("created_at", "decide_by", "closed_at"),
        ]

    def get_level(self, row: AccessRequest) -> str:
        return level_of(row.actions)


class LeaseOutput(serializers.ModelSerializer[Lease]):
    level = serializers.SerializerMethodField()
    state = serializers.ChoiceField(choices=["active", "suspended", "revoked", "expired", "exhausted"])
    rows_left = serializers.IntegerField(allow_null=True)
    epsilon = ExactField()
    epsilon_used = ExactField()
    kind = serializers.ChoiceField(choices=LeaseKind.choices)
    holder_kind = serializers.ChoiceField(choices=HolderKind.choices)
    shown = serializers.ChoiceField(choices=Shown.choices)
    granted_by = serializers.ListField(child=serializers.UUIDField())

    class Meta:
        model = Lease
        fields = [
            *("id", "kind", "holder", "holder_kind", "dataset_id", "level", "shown", "purpose", "state"),
            *("row_quota", "rows_used", "rows_left", "epsilon", "epsilon_used", "last_used_at", "granted_by"),
            *("starts_at", "expires_at", "suspended_at", "suspended_for", "revoked_at", "revoked_by", "revoke_reason"),
        ]

    def get_level(self, row: Lease) -> str:
        return level_of(row.actions)


def request_json(row: AccessRequest) -> dict[str, Any]:
    return dict(AccessRequestOutput(row).data)


def lease_json(row: Lease) -> dict[str, Any]:
    return dict(LeaseOutput(row).data)


def decided_list(principal: Principal, request: Request, resource_type: str) -> bool:
    """Decide on a list: one's own, or everybody's for who may read them; True for one's own. Raises AccessDenied."""
    mine = request.query_params.get("mine", "")
    if mine not in {"", "1"}:
        raise InvalidInput(errors=[FieldProblem("mine", "1, or left out")])
    is_own = mine == "1" or not may(principal, "access.read")
    authorize(principal, "access.own" if is_own else "access.read", ResourceRef(resource_type))
    return is_own


class RequestListView(VaultAPIView):
    resource_type = "access_request"

    @extend_schema(
        parameters=[*PAGING, MINE, OpenApiParameter("state", OpenApiTypes.STR, enum=RequestState.values)],
        responses=AccessRequestOutput(many=True),
    )
    def get(self, request: Request) -> Response:
        """Requests for access, newest first: everybody's for who may read them, else the caller's own."""
        is_own = decided_list(self.principal, request, self.resource_type)
        wanted = read_page(request, members=1)
        state = request.query_params.get("state", "")
        if state not in {"", *RequestState.values}:
            raise InvalidInput(errors=[FieldProblem("state", f"one of {', '.join(RequestState.values)}")])
        rows = list_requests(self.principal, is_own=is_own, state=state, after=wanted.after, limit=wanted.limit + 1)
        return paged(rows, wanted, request_json)

    @extend_schema(request=AccessRequestInput, responses={201: AccessRequestOutput})
    def post(self, request: Request) -> Response:
        """Ask for a lease on a dataset; somebody else approves it, or two people for some classifications."""
        body = AccessRequestInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        dataset_id, justification = given.pop("dataset_id"), given.pop("justification")
        terms = Terms(**(given | {"shown": Shown(given["shown"])}))
        made = request_access(self.principal, dataset_id=dataset_id, terms=terms, justification=justification)
        response = Response(request_json(made), status=201)
        response["Location"] = f"/api/v1/access-requests/{made.pk}"
        return response


class RequestView(VaultAPIView):
    resource_type = "access_request"

    @extend_schema(responses=AccessRequestOutput)
    def get(self, _: Request, access_request_id: UUID) -> Response:
        """One request, and what its approvers said."""
        row = find_request(self.principal, access_request_id)
        action = "access.own" if row.requester == self.principal.id else "access.read"
        authorize(self.principal, action, ResourceRef("access_request", str(row.pk)))
        return Response(request_json(row))

    @extend_schema(responses={204: None})
    def delete(self, _: Request, access_request_id: UUID) -> Response:
        """Take one's own request back."""
        withdraw_request(self.principal, request_id=access_request_id)
        return Response(status=204)


class ApprovalView(VaultAPIView):
    resource_type = "access_request"

    @extend_schema(request=DecisionReasonInput, responses=AccessRequestOutput)
    def post(self, request: Request, access_request_id: UUID) -> Response:
        """Approve what somebody else asked for; with the last approval needed the lease begins."""
        row = approve_request(self.principal, request_id=access_request_id, reason=_reason(request))
        return Response(request_json(row))


class RefusalView(VaultAPIView):
    resource_type = "access_request"

    @extend_schema(request=DecisionReasonInput, responses=AccessRequestOutput)
    def post(self, request: Request, access_request_id: UUID) -> Response:
        """Refuse what somebody else asked for: one refusal is enough."""
        row = refuse_request(self.principal, request_id=access_request_id, reason=_reason(request))
        return Response(request_json(row))


class LeaseListView(VaultAPIView):
    resource_type = "lease"

    @extend_schema(parameters=[*PAGING, MINE], responses=LeaseOutput(many=True))
    def get(self, request: Request) -> Response:
        """Leases, newest first, ended ones among them: everybody's for who may read them, else the caller's own."""
        is_own = decided_list(self.principal, request, self.resource_type)
        wanted = read_page(request, members=1)
        rows = list_leases(self.principal, is_own=is_own, after=wanted.after, limit=wanted.limit + 1)
        return paged(rows, wanted, lease_json)


class LeaseView(VaultAPIView):
    resource_type = "lease"

    @extend_schema(responses=LeaseOutput)
    def get(self, _: Request, lease_id: UUID) -> Response:
        """One lease: what it is for, and what is left of it."""
        row = find_lease(self.principal, lease_id)
        action = "access.own" if row.holder == self.principal.id else "access.read"
        authorize(self.principal, action, ResourceRef("lease", str(row.pk)))
        return Response(lease_json(row))


class RevocationView(VaultAPIView):
    resource_type = "lease"

    @extend_schema(request=DecisionReasonInput, responses=LeaseOutput)
    def post(self, request: Request, lease_id: UUID) -> Response:
        """End a lease now: one's own, or as an approver anybody's. Streams under it stop."""
        return Response(lease_json(revoke_lease(self.principal, lease_id=lease_id, reason=_reason(request))))


class ExtensionView(VaultAPIView):
    resource_type = "lease"

    @extend_schema(request=ExtensionInput, responses={201: AccessRequestOutput})
    def post(self, request: Request, lease_id: UUID) -> Response:
        """Ask for a later end of one's own lease, or for more records; approved as the lease was."""
        find_lease(self.principal, lease_id)
        body = ExtensionInput(data=request.data)
        body.is_valid(raise_exception=True)
        made = request_extension(self.principal, lease_id=lease_id, **body.validated_data)
        return Response(request_json(made), status=201)


def _reason(request: Request) -> str:
    body = DecisionReasonInput(data=request.data)
    body.is_valid(raise_exception=True)
    reason: str = body.validated_data["reason"]
    return reason
