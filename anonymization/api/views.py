"""REST: find personal data in a text, or hide it. Nothing of the text is stored."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.services.authorize import authorize
from anonymization.api.serializers import (
    ExplainedOutput,
    ExplainInput,
    ExplainOutput,
)
from anonymization.detectors.base import Span
from anonymization.findings import ACT_FROM
from anonymization.services.explain import explain_record
from anonymization.trust.trust import Judgement
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.events.event import ResourceRef


class DetectView(VaultAPIView):
    resource_type = "text"

    @extend_schema(request=ExplainInput, responses=ExplainOutput)
    def post(self, request: Request) -> Response:
        """The personal data found in a text and why: recognizer, pattern, context word, and which rule decided."""
        authorize(self.principal, "pii.detect", ResourceRef(type="text"))
        body = ExplainInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        judged = explain_record({"data": given["text"]}, dataset_id=given["dataset_id"], is_strict=given["strict"])
        shown = [_explained(one) for one in judged if one.counts or given["all"]]
        return Response({"detections": ExplainedOutput(shown, many=True).data})


def _explained(one: Judgement) -> dict[str, Any]:
    found = one.finding
    names = ("entity_type", "start", "end", "recognizer", "pattern", "context", "path")
    decided = {"counts": one.counts, "decided_by": one.verdict, "rule_id": one.rule_id}
    return {name: getattr(found, name) for name in names} | {"score": round(found.score, 3)} | decided


def _shown(spans: list[Span]) -> list[dict[str, Any]]:
    return [
        {
            "entity_type": span.entity_type,
            "start": span.start,
            "end": span.end,
            "score": round(span.score, 3),
            "recognizer": span.recognizer,
        }
        for span in spans
        if span.score >= ACT_FROM
    ]
