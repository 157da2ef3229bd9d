"""REST: feedback on findings, test cases of detection, and the catalogue of entity types."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from anonymization.api.trust import LISTING, cursor_of
from anonymization.models import DetectionCase, FindingFeedback
from anonymization.services import cases, feedback
from anonymization.services.catalogue import list_entities
from anonymization.services.feedback import NewFeedback, Settlement, Snippet
from vaultsite.kernel.api.inputs import StrictInput
from vaultsite.kernel.api.pagination import encode_cursor, page, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import FieldProblem, InvalidInput

_PAGING = LISTING[:2]


class FeedbackInput(StrictInput):
    """``start`` and ``end`` count code points of ``text``, which is kept sealed, 200 characters around the span.

    ``dataset_id`` and ``record_id`` say whose text it is: it goes when the record is erased.
    """

    verdict = serializers.ChoiceField(choices=FindingFeedback.VERDICTS)
    entity_type = serializers.CharField(max_length=64)
    text = serializers.CharField(max_length=200_000, trim_whitespace=False)
    start = serializers.IntegerField(min_value=0)
    end = serializers.IntegerField(min_value=1)
    pointer = serializers.CharField(max_length=500, required=False, default="")
    dataset_id = serializers.UUIDField()
    record_id = serializers.CharField(max_length=128)
    recognizer = serializers.CharField(max_length=128, required=False, default="")
    score = serializers.FloatField(min_value=0, max_value=1, required=False, allow_null=True, default=None)
    comment = serializers.CharField(max_length=1000, required=False, default="")


class FeedbackOutput(serializers.ModelSerializer[FindingFeedback]):
    """Feedback without the text it is about."""

    class Meta:
        model = FindingFeedback
        fields = [
            "id",
            "verdict",
            "entity_type",
            "recognizer",
            "score",
            "dataset_id",
            "record_id",
            "comment",
            "state",
            "settled_as",
            "settled_id",
            "settled_at",
            "created_by",
            "created_at",
        ]


class SettlementInput(StrictInput):
    outcome = serializers.ChoiceField(choices=["allow", "deny", "field", "case", "dismiss"])
    reason = serializers.CharField(max_length=1000, required=False, default="", allow_blank=True)
    is_for_dataset = serializers.BooleanField(required=False, default=False)


class CaseOutput(serializers.ModelSerializer[DetectionCase]):
    """A case without its text."""

    class Meta:
        model = DetectionCase
        fields = ["id", "entity_type", "is_expected", "dataset_id", "outcome", "checked_at", "created_by", "created_at"]


class CaseResultOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="case.pk")
    entity_type = serializers.CharField(source="case.entity_type")
    is_expected = serializers.BooleanField(source="case.is_expected")
    outcome = serializers.ChoiceField(choices=["held", "drifted"])
    changed = serializers.BooleanField()


class CaseRunOutput(serializers.Serializer[Any]):
    detector = serializers.CharField()
    drifted = serializers.IntegerField()
    results = CaseResultOutput(many=True)


class EntityOutput(serializers.Serializer[Any]):
    entity_type = serializers.CharField()
    recognizers = serializers.ListField(child=serializers.CharField())
    can_be_tuned = serializers.BooleanField()


class EntitiesOutput(serializers.Serializer[Any]):
    data = EntityOutput(many=True)  # type: ignore[assignment]  # the member is called so


class FeedbackListView(VaultAPIView):
    resource_type = "feedback"

    @extend_schema(parameters=_PAGING, responses=FeedbackOutput(many=True))
    def get(self, request: Request) -> Response:
        """Feedback by ``state`` (open, settled, dismissed), newest first."""
        state = request.query_params.get("state", "open")
        if state not in dict(FindingFeedback.STATES):
            raise InvalidInput(errors=[FieldProblem(field="state", detail="open, settled or dismissed")])
        wanted = read_page(request, members=1)
        after = cursor_of(wanted.after)
        found = feedback.list_feedback(self.principal, state=state, after=after, limit=wanted.limit + 1)
        return _page(FeedbackOutput, found, wanted.limit)

    @extend_schema(request=FeedbackInput, responses={201: FeedbackOutput})
    def post(self, request: Request) -> Response:
        """Say that a finding is wrong, or that one is missing."""
        body = FeedbackInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        snippet = Snippet(given.pop("text"), given.pop("start"), given.pop("end"), given.pop("pointer"))
        row = feedback.give_feedback(self.principal, new=NewFeedback(snippet=snippet, **given))
        return Response(FeedbackOutput(row).data, status=201)


class FeedbackView(VaultAPIView):
    resource_type = "feedback"

    @extend_schema(request=SettlementInput, responses=FeedbackOutput)
    def post(self, request: Request, feedback_id: UUID) -> Response:
        """Turn feedback into an entry of a list, a field rule or a test case, or dismiss it."""
        body = SettlementInput(data=request.data)
        body.is_valid(raise_exception=True)
        settlement = Settlement(**body.validated_data)
        row = feedback.settle_feedback(self.principal, feedback_id=feedback_id, settlement=settlement)
        return Response(FeedbackOutput(row).data)


class CaseListView(VaultAPIView):
    resource_type = "test-case"

    @extend_schema(parameters=_PAGING, responses=CaseOutput(many=True))
    def get(self, request: Request) -> Response:
        """The test cases, newest first, without their texts."""
        wanted = read_page(request, members=1)
        found = cases.list_cases(self.principal, after=cursor_of(wanted.after), limit=wanted.limit + 1)
        return _page(CaseOutput, found, wanted.limit)


class CaseView(VaultAPIView):
    resource_type = "test-case"

    @extend_schema(responses={204: None})
    def delete(self, _: Request, case_id: UUID) -> Response:
        """Drop a test case."""
        cases.remove_case(self.principal, case_id=case_id)
        return Response(status=204)


class CaseExportView(VaultAPIView):
    resource_type = "test-case"

    @extend_schema(responses={(200, "application/x-ndjson"): OpenApiTypes.BINARY})
    def get(self, _: Request) -> HttpResponse:
        """Every test case as a JSON line; the texts are sealed, and only this vault can open them."""
        answer = HttpResponse(b"".join(cases.export_cases(self.principal)), content_type="application/x-ndjson")
        answer["Content-Disposition"] = 'attachment; filename="test-cases.jsonl"'
        return answer


class CaseRunView(VaultAPIView):
    resource_type = "test-case"

    @extend_schema(request=None, responses=CaseRunOutput)
    def post(self, _: Request) -> Response:
        """Run every test case against the detectors of now, and say which of them no longer hold."""
        return Response(CaseRunOutput(cases.run_cases(self.principal)).data)


class EntityListView(VaultAPIView):
    resource_type = "detection-rule"

    @extend_schema(responses=EntitiesOutput)
    def get(self, _: Request) -> Response:
        """Every type of personal data the vault knows, and which recognizers find it."""
        return Response({"data": EntityOutput(list_entities(self.principal), many=True).data})


def _page(output: Any, found: list[Any], limit: int) -> Response:
    rows = found[:limit]
    cursor = encode_cursor([str(rows[-1].pk)]) if len(found) > limit else None
    return Response(page(list(output(rows, many=True).data), limit=limit, next_cursor=cursor))
