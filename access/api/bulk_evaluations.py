"""REST: many questions of the customer's contract at once, answered by a worker."""

from typing import Any, Final
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.policy import DECISIONS, EvaluateInput, ObligationOutput, asked_in
from access.models import BulkEvaluation, BulkQuestion
from access.services import bulk_evaluations
from access.services.bulk_evaluations import MAX_QUESTIONS
from vaultsite.kernel.api.pagination import encode_cursor, page, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import FieldProblem, InvalidCursor, InvalidInput

_EFFECTS: Final = {word: effect for effect, word in DECISIONS.items()}
_PAGING: Final = [OpenApiParameter("cursor", OpenApiTypes.STR), OpenApiParameter("limit", OpenApiTypes.INT)]


class BulkEvaluationsInput(serializers.Serializer[Any]):
    evaluations = EvaluateInput(many=True, max_length=MAX_QUESTIONS)  # type: ignore[call-arg]


class BulkEvaluationOutput(serializers.Serializer[Any]):
    """``is_current``: every answer is of the policies that are in force now."""

    id = serializers.UUIDField()
    status = serializers.CharField()
    progress = serializers.DictField()
    questions = serializers.IntegerField()
    allowed = serializers.IntegerField()
    conditional = serializers.IntegerField()
    denied = serializers.IntegerField()
    is_current = serializers.BooleanField()
    error = serializers.DictField(allow_null=True)


class BulkAnswerOutput(serializers.Serializer[Any]):
    """The answer to the question that stood at ``index``, from 0."""

    index = serializers.IntegerField()
    decision = serializers.CharField(help_text="ALLOW, DENY or ALLOW_WITH_CONDITIONS")
    obligations = ObligationOutput(many=True)
    reason = serializers.CharField()
    policies = serializers.ListField(child=serializers.CharField())
    ttl = serializers.IntegerField()


class BulkEvaluationsView(VaultAPIView):
    resource_type = "policy"

    @extend_schema(request=BulkEvaluationsInput, responses={202: BulkEvaluationOutput})
    def post(self, request: Request) -> Response:
        """Ask many questions at once; the answers are there when the job has ended."""
        body = BulkEvaluationsInput(data=request.data)
        body.is_valid(raise_exception=True)
        asked = [asked_in(one) for one in body.validated_data["evaluations"]]
        bulk = bulk_evaluations.start_evaluation(self.principal, asked=asked)
        response = Response(_shown(bulk), status=202)
        response["Location"] = f"/api/v1/policy/evaluations/{bulk.pk}"
        return response


class BulkEvaluationView(VaultAPIView):
    resource_type = "policy"

    @extend_schema(responses=BulkEvaluationOutput)
    def get(self, _: Request, bulk_id: UUID) -> Response:
        """How far the answers are, and how many of each kind there are."""
        return Response(_shown(bulk_evaluations.get_evaluation(self.principal, bulk_id=bulk_id)))


class BulkAnswersView(VaultAPIView):
    resource_type = "policy"

    @extend_schema(
        parameters=[*_PAGING, OpenApiParameter("decision", OpenApiTypes.STR)], responses=BulkAnswerOutput(many=True)
    )
    def get(self, request: Request, bulk_id: UUID) -> Response:
        """The answers so far, in the order of the questions; ``decision`` picks one kind of them."""
        bulk = bulk_evaluations.get_evaluation(self.principal, bulk_id=bulk_id)
        wanted = read_page(request, members=1)
        word = request.query_params.get("decision", "")
        if word and word not in _EFFECTS:
            raise InvalidInput(errors=[FieldProblem("decision", f"is one of {', '.join(_EFFECTS)}")])
        after = _number(wanted.after[0]) if wanted.after else -1
        effect = _EFFECTS.get(word, "")
        rows = bulk_evaluations.answers_of(bulk, effect=effect, after=after, limit=wanted.limit + 1)
        more = encode_cursor([str(rows[wanted.limit - 1].number)]) if len(rows) > wanted.limit else None
        return Response(page([_answer(row) for row in rows[: wanted.limit]], limit=wanted.limit, next_cursor=more))


def _shown(bulk: BulkEvaluation) -> dict[str, Any]:
    is_current = bulk_evaluations.is_of_today(bulk)
    return dict(BulkEvaluationOutput(vars(bulk) | {"is_current": is_current}).data)


def _answer(row: BulkQuestion) -> dict[str, Any]:
    return {
        "index": row.number,
        "decision": DECISIONS[row.effect],
        "obligations": row.obligations,
        "reason": row.reason,
        "policies": row.policies,
        "ttl": row.ttl_seconds,
    }


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:  # noqa: PLR2004
        raise InvalidCursor
    return int(text)
