"""REST: access review campaigns."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.bodies import PAGING, StrictInput, paged
from access.leases.terms import MAX_TEXT
from access.models import AccessReview, GrantKind, ReviewItem, Verdict
from access.services.authorize import authorize
from access.services.review_report import CSV_TYPE, report_of
from access.services.reviews import (
    MAX_NAME,
    MAX_REVIEWERS,
    Campaign,
    close_review,
    count_verdicts,
    decide_item,
    find_review,
    list_items,
    list_reviews,
    start_review,
)
from vaultsite.kernel.api.pagination import read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import ResourceRef


class AccessReviewInput(StrictInput):
    """``reviewers`` are users' ids; ``datasets`` left out: all of them."""

    name = serializers.CharField(max_length=MAX_NAME)
    kinds = serializers.ListField(child=serializers.ChoiceField(choices=GrantKind.choices), min_length=1, max_length=3)
    datasets = serializers.ListField(child=serializers.UUIDField(), max_length=1000, required=False, default=list)
    reviewers = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=MAX_REVIEWERS)
    deadline = serializers.DateTimeField()


class ItemDecisionInput(StrictInput):
    verdict = serializers.ChoiceField(choices=[Verdict.KEEP.value, Verdict.REVOKE.value])
    reason = serializers.CharField(max_length=MAX_TEXT)


class VerdictCountsOutput(serializers.Serializer[Any]):
    open = serializers.IntegerField()
    keep = serializers.IntegerField()
    revoke = serializers.IntegerField()
    lapsed = serializers.IntegerField()
    gone = serializers.IntegerField()


class AccessReviewOutput(serializers.ModelSerializer[AccessReview]):
    counts = VerdictCountsOutput()
    kinds = serializers.ListField(child=serializers.ChoiceField(choices=GrantKind.choices))
    datasets = serializers.ListField(child=serializers.UUIDField())
    reviewers = serializers.ListField(child=serializers.UUIDField())

    class Meta:
        model = AccessReview
        fields = ["id", "name", "kinds", "datasets", "reviewers", "deadline", "started_by", "started_at", "closed_at"]
        fields += ["counts"]


class ReviewItemOutput(serializers.ModelSerializer[ReviewItem]):
    kind = serializers.ChoiceField(choices=GrantKind.choices)
    verdict = serializers.ChoiceField(choices=Verdict.choices)

    class Meta:
        model = ReviewItem
        fields = [
            *("id", "kind", "grant", "holder", "holder_kind", "dataset_id", "what", "ended_at"),
            *("verdict", "reason", "decided_by", "decided_at"),
        ]


def _shown(rows: list[AccessReview]) -> list[dict[str, Any]]:
    counts = count_verdicts([row.pk for row in rows])
    for row in rows:
        row.counts = counts[row.pk]  # type: ignore[attr-defined]
    return [dict(AccessReviewOutput(row).data) for row in rows]


def item_json(row: ReviewItem) -> dict[str, Any]:
    return dict(ReviewItemOutput(row).data)


class ReviewListView(VaultAPIView):
    resource_type = "access_review"

    @extend_schema(parameters=PAGING, responses=AccessReviewOutput(many=True))
    def get(self, request: Request) -> Response:
        """Campaigns, newest first."""
        authorize(self.principal, "review.read", ResourceRef("access_review"))
        wanted = read_page(request, members=1)
        rows = list_reviews(after=wanted.after, limit=wanted.limit + 1)
        shown = dict(zip((row.pk for row in rows), _shown(rows), strict=True))
        return paged(rows, wanted, lambda row: shown[row.pk])

    @extend_schema(request=AccessReviewInput, responses={201: AccessReviewOutput})
    def post(self, request: Request) -> Response:
        """Start a campaign: from now on its grants end at the deadline, unless a reviewer keeps them."""
        body = AccessReviewInput(data=request.data)
        body.is_valid(raise_exception=True)
        review = start_review(self.principal, Campaign(**body.validated_data))
        response = Response(_shown([review])[0], status=201)
        response["Location"] = f"/api/v1/access-reviews/{review.pk}"
        return response


class _OneReview(VaultAPIView):
    resource_type = "access_review"

    def _read(self, review_id: UUID) -> AccessReview:
        review = find_review(self.principal, review_id)
        authorize(self.principal, "review.read", ResourceRef("access_review", str(review.pk)))
        return review


class ReviewView(_OneReview):
    @extend_schema(responses=AccessReviewOutput)
    def get(self, _: Request, review_id: UUID) -> Response:
        """One campaign, and how far it is."""
        return Response(_shown([self._read(review_id)])[0])


class ItemListView(_OneReview):
    @extend_schema(
        parameters=[*PAGING, OpenApiParameter("verdict", OpenApiTypes.STR, enum=Verdict.values)],
        responses=ReviewItemOutput(many=True),
    )
    def get(self, request: Request, review_id: UUID) -> Response:
        """The grants of a campaign, and what was decided on each."""
        review = self._read(review_id)
        wanted = read_page(request, members=1)
        verdict = request.query_params.get("verdict", "")
        if verdict not in {"", *Verdict.values}:
            raise InvalidInput(errors=[FieldProblem("verdict", f"one of {', '.join(Verdict.values)}")])
        return paged(list_items(review, verdict=verdict, after=wanted.after, limit=wanted.limit + 1), wanted, item_json)


class ItemView(VaultAPIView):
    resource_type = "access_review"

    @extend_schema(request=ItemDecisionInput, responses=ReviewItemOutput)
    def post(self, request: Request, review_id: UUID, item_id: UUID) -> Response:
        """Keep a grant, or revoke it at once, with a reason."""
        find_review(self.principal, review_id)
        body = ItemDecisionInput(data=request.data)
        body.is_valid(raise_exception=True)
        verdict, reason = Verdict(body.validated_data["verdict"]), body.validated_data["reason"]
        item = decide_item(self.principal, review_id=review_id, item_id=item_id, verdict=verdict, reason=reason)
        return Response(item_json(item))


class ClosingView(VaultAPIView):
    resource_type = "access_review"

    @extend_schema(request=None, responses=AccessReviewOutput)
    def post(self, _: Request, review_id: UUID) -> Response:
        """Close a campaign that is decided on altogether; one past its deadline closes by itself."""
        return Response(_shown([close_review(self.principal, review_id=review_id)])[0])


class ReportView(_OneReview):
    @extend_schema(responses={(200, CSV_TYPE): OpenApiTypes.BINARY})
    def get(self, _: Request, review_id: UUID) -> HttpResponse:
        """Every grant of the campaign and what became of it, as CSV."""
        response = HttpResponse(report_of(self._read(review_id)), content_type=CSV_TYPE)
        response["Content-Disposition"] = f'attachment; filename="access-review-{review_id}.csv"'
        response["Cache-Control"] = "no-store"
        return response
