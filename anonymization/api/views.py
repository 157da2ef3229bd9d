"""REST: find personal data in a text, or hide it. Nothing of the text is stored."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.services.authorize import authorize
from access.services.keyring import KeyPurpose, current_key
from anonymization.api.serializers import AnonymizeInput, AnonymizeOutput, DetectInput, DetectOutput
from anonymization.detectors.base import Span
from anonymization.findings import ACT_FROM
from anonymization.services.anonymize import apply_to_text
from anonymization.services.detect import detect_text
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.events.event import ResourceRef


class DetectView(VaultAPIView):
    resource_type = "text"

    @extend_schema(request=DetectInput, responses=DetectOutput)
    def post(self, request: Request) -> Response:
        """The personal data found in a text, from score 0.4 on."""
        authorize(self.principal, "pii.detect", ResourceRef(type="text"))
        body = DetectInput(data=request.data)
        body.is_valid(raise_exception=True)
        return Response({"detections": _shown(detect_text(body.validated_data["text"]))})


class AnonymizeView(VaultAPIView):
    resource_type = "text"

    @extend_schema(request=AnonymizeInput, responses=AnonymizeOutput)
    def post(self, request: Request) -> Response:
        """The text with its personal data masked, redacted, replaced or hashed."""
        authorize(self.principal, "pii.anonymize", ResourceRef(type="text"))
        body = AnonymizeInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        spans = detect_text(given["text"])
        text = apply_to_text(
            given["text"],
            spans,
            operator=given["operator"],
            per_entity=given["per_entity"],
            # A key of its own: whoever may send texts could otherwise find out by guessing what stands in a dataset.
            hash_key=current_key(KeyPurpose.PSEUDONYM).key.derive(b"playground"),
        )
        return Response({"text": text, "detections": _shown(spans)})


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
