"""REST: merge requests and their reviews."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.services.authorize import authorize
from datasets.api.merges import MergeJobView, MergeOutput
from datasets.api.views import PAGING
from datasets.models import MergeRequest, RequestState, Verdict
from datasets.selectors import get_dataset, resource_of
from datasets.services.commit import is_label
from datasets.services.merges.lookup import get_merge_request, list_merge_requests
from datasets.services.merges.requests import (
    Standing,
    close_request,
    merge_request,
    open_merge_request,
    review_request,
    standing_of,
)
from vaultsite.kernel.api.inputs import StrictInput
from vaultsite.kernel.api.pagination import encode_cursor, page, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import FieldProblem, InvalidInput


class RequestInput(StrictInput):
    title = serializers.CharField(max_length=200)
    description = serializers.CharField(max_length=4000, allow_blank=True, required=False, default="")
    source = serializers.CharField(max_length=100)  # type: ignore[assignment]  # the framework's own attribute
    target = serializers.CharField(max_length=100, required=False, default="main")


class ReviewInput(StrictInput):
    verdict = serializers.ChoiceField(choices=Verdict.choices)
    comment = serializers.CharField(max_length=4000, allow_blank=True, required=False, default="")


class RequestMergeInput(StrictInput):
    message = serializers.CharField(max_length=1000, allow_blank=True, required=False, default="")
    label = serializers.CharField(max_length=32, required=False, default="")  # type: ignore[assignment]

    def validate_label(self, value: str) -> str:
        if value and not is_label(value):
            raise serializers.ValidationError("a version label reads vX.Y.Z")
        return value


class ReviewOutput(serializers.Serializer[Any]):
    reviewer = serializers.UUIDField()
    verdict = serializers.ChoiceField(choices=Verdict.choices)
    comment = serializers.CharField()
    version_id = serializers.CharField()
    counts = serializers.BooleanField(help_text="Whether it was given on the source as it is now.")
    created_at = serializers.DateTimeField()


class RequestOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    dataset_id = serializers.UUIDField()
    title = serializers.CharField()
    description = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # the framework's own attribute
    target = serializers.CharField()
    author = serializers.UUIDField()
    state = serializers.ChoiceField(choices=["open", "approved", "changes_requested", "merged", "closed"])
    source_version = serializers.CharField(allow_null=True)
    target_version = serializers.CharField(allow_null=True)
    base_version = serializers.CharField(allow_null=True)
    version = serializers.CharField(allow_null=True)
    reviews = ReviewOutput(many=True)
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


def request_json(standing: Standing) -> dict[str, Any]:
    """A merge request as RequestOutput describes it."""
    request = standing.request
    versions = {"source": standing.source, "target": standing.target, "base": standing.base}
    return {
        **{name: getattr(request, name) for name in ("id", "dataset_id", "title", "description", "source", "target")},
        "author": request.author,
        "state": standing.state,
        **{f"{name}_version": version.label if version else None for name, version in versions.items()},
        "version": request.version.label if request.version else None,
        "reviews": [
            {
                "reviewer": review.reviewer,
                "verdict": review.verdict,
                "comment": review.comment,
                "version_id": bytes(review.head).hex(),
                "counts": counts,
                "created_at": review.created_at,
            }
            for review, counts in standing.reviews
        ],
        "created_at": request.created_at,
        "ended_at": request.ended_at,
    }


class MergeRequestListView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(parameters=[*PAGING, OpenApiParameter("state")], responses=RequestOutput(many=True))
    def get(self, request: Request, dataset_id: UUID) -> Response:
        """Merge requests of a dataset, newest first. ``state`` is open, merged or closed."""
        dataset = get_dataset(self.principal, dataset_id, action="version.read")
        authorize(self.principal, "version.read", resource_of(dataset))
        wanted = read_page(request, members=1)
        state = request.query_params.get("state", "")
        if state and state not in RequestState.values:
            raise InvalidInput(errors=[FieldProblem(field="state", detail=f"one of {', '.join(RequestState.values)}")])
        states = [state] if state else []
        rows = list_merge_requests(dataset, states=states, after=wanted.after, limit=wanted.limit + 1)
        more = encode_cursor([str(rows[wanted.limit - 1].pk)]) if len(rows) > wanted.limit else None
        data = [request_json(standing_of(row)) for row in rows[: wanted.limit]]
        return Response(page(data, limit=wanted.limit, next_cursor=more))

    @extend_schema(request=RequestInput, responses={201: RequestOutput})
    def post(self, request: Request, dataset_id: UUID) -> Response:
        """Ask for a branch to be merged into another once somebody else has approved it."""
        get_dataset(self.principal, dataset_id, action="merge.write")
        body = RequestInput(data=request.data)
        body.is_valid(raise_exception=True)
        opened = open_merge_request(self.principal, dataset_id=dataset_id, **body.validated_data)
        response = Response(request_json(standing_of(_reloaded(opened))), status=201)
        response["Location"] = f"/api/v1/merge-requests/{opened.pk}"
        return response


def _reloaded(request: MergeRequest) -> MergeRequest:
    return MergeRequest.objects.select_related("dataset", "version").get(pk=request.pk)


class MergeRequestView(VaultAPIView):
    resource_type = "merge_request"

    @extend_schema(responses=RequestOutput)
    def get(self, _: Request, request_id: UUID) -> Response:
        """One merge request with its reviews."""
        found = get_merge_request(self.principal, request_id, action="version.read")
        authorize(self.principal, "version.read", resource_of(found.dataset))
        return Response(request_json(standing_of(found)))


class ReviewView(VaultAPIView):
    resource_type = "merge_request"

    @extend_schema(request=ReviewInput, responses={201: RequestOutput})
    def post(self, request: Request, request_id: UUID) -> Response:
        """Approve the source as it is now, or ask for changes; nobody reviews their own work."""
        found = get_merge_request(self.principal, request_id, action="merge.review")
        body = ReviewInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        review_request(
            self.principal, request_id=request_id, verdict=Verdict(given["verdict"]), comment=given["comment"]
        )
        return Response(request_json(standing_of(found)), status=201)


class RequestMergeView(MergeJobView):
    resource_type = "merge_request"

    @extend_schema(request=RequestMergeInput, responses={200: MergeOutput, 202: MergeOutput})
    def post(self, request: Request, request_id: UUID) -> Response:
        """Merge an approved request, exactly as it was approved."""
        with self.open_scope():
            get_merge_request(self.principal, request_id, action="merge.write")
            body = RequestMergeInput(data=request.data)
            body.is_valid(raise_exception=True)
            merge = merge_request(self.principal, request_id=request_id, **body.validated_data)
        return self.worked_on(merge)


class RequestCloseView(VaultAPIView):
    resource_type = "merge_request"

    @extend_schema(request=None, responses=RequestOutput)
    def post(self, _: Request, request_id: UUID) -> Response:
        """Close a request without merging it."""
        closed = close_request(self.principal, request_id=request_id)
        return Response(request_json(standing_of(closed)))
