"""REST: find personal data in a text, or hide it. Nothing of the text is stored."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.services.authorize import authorize, may
from anonymization.api.serializers import (
    ExplainedOutput,
    ExplainInput,
    ExplainOutput,
)
from anonymization.ports import find_dataset
from anonymization.services.explain import explain_record
from anonymization.trust.trust import Judgement
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.events.event import ResourceRef


class DetectView(VaultAPIView):
    resource_type = "text"

    @extend_schema(request=ExplainInput, responses=ExplainOutput)
    def post(self, request: Request) -> Response:
        """The personal data found in a text and why: recognizer, pattern, context word, and which rule decided.

        Lists and rules of the organization apply for who may read them: to others they would tell who is listed.
        """
        body = ExplainInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        authorize(self.principal, "pii.detect", self._resource(given["dataset_id"]))
        judged = explain_record(
            {"data": given["text"]},
            dataset_id=given["dataset_id"],
            is_strict=given["strict"],
            with_rules=may(self.principal, "detection.read"),
        )
        shown = [_explained(one) for one in judged if one.counts or given["all"]]
        return Response({"detections": ExplainedOutput(shown, many=True).data})

    def _resource(self, dataset_id: UUID | None) -> ResourceRef:
        """The text, or the dataset whose rules are asked for. Raises as find_dataset."""
        if dataset_id is None:
            return ResourceRef(type="text")
        return find_dataset(self.principal, dataset_id, action="pii.detect")


def _explained(one: Judgement) -> dict[str, Any]:
    found = one.finding
    names = ("entity_type", "start", "end", "recognizer", "pattern", "context", "path")
    decided = {"counts": one.counts, "decided_by": one.verdict, "rule_id": one.rule_id}
    return {name: getattr(found, name) for name in names} | {"score": round(found.score, 3)} | decided
