"""REST: hide the personal data of a text, and turn back what can be turned back. Nothing of it is stored."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from anonymization.api.serializers import MAX_TEXT, DetectOutput
from anonymization.findings import ACT_FROM
from anonymization.operators.registry import OPERATORS
from anonymization.services.deanonymize import deanonymize
from anonymization.services.texts import How, anonymize_text
from vaultsite.kernel.api.inputs import StrictInput
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import FieldProblem, InvalidInput


class PerEntityField(serializers.DictField):
    """An operator's name for each kind, or an object with ``operator`` and ``parameters``."""

    child = serializers.JSONField()

    def to_internal_value(self, data: Any) -> dict[str, tuple[str, dict[str, Any]]]:
        return {kind: self._one(kind, how) for kind, how in super().to_internal_value(data).items()}

    @staticmethod
    def _one(kind: str, how: Any) -> tuple[str, dict[str, Any]]:
        if isinstance(how, str):
            how = {"operator": how}
        known = isinstance(how, dict) and set(how) <= {"operator", "parameters"} and how.get("operator") in OPERATORS
        if not known or not isinstance(how.get("parameters", {}), dict):
            detail = f"is one of {', '.join(sorted(OPERATORS))}, or an object of operator and parameters"
            raise InvalidInput(errors=[FieldProblem(f"/per_entity/{kind[:64]}", detail)])
        return how["operator"], how.get("parameters", {})


class AnonymizeInput(StrictInput):
    text = serializers.CharField(max_length=MAX_TEXT, trim_whitespace=False, allow_blank=True)
    operator = serializers.ChoiceField(choices=sorted(OPERATORS), required=False, default="mask")
    parameters = serializers.DictField(required=False, default=dict)
    per_entity = PerEntityField(required=False, default=dict)
    policy = serializers.CharField(max_length=80, required=False, default="")
    version = serializers.IntegerField(min_value=1, required=False, allow_null=True, default=None)
    document = serializers.JSONField(required=False, allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        by_policy = bool(attrs["policy"]) + (attrs["document"] is not None)
        by_operator = {"operator", "parameters", "per_entity"} & set(self.initial_data)
        if by_policy > 1 or (by_policy and by_operator):
            raise InvalidInput(errors=[FieldProblem("/policy", "one of operator, policy and document")])
        return attrs


class AnonymizeOutput(DetectOutput):
    text = serializers.CharField()
    policy = serializers.CharField()


class DeanonymizeInput(StrictInput):
    content = serializers.JSONField()
    dataset_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    purpose = serializers.CharField(max_length=63, required=False, default="")


class DeanonymizeOutput(serializers.Serializer[Any]):
    content = serializers.JSONField()
    encrypted = serializers.IntegerField()
    tokens = serializers.IntegerField()


class AnonymizeView(VaultAPIView):
    resource_type = "text"

    @extend_schema(request=AnonymizeInput, responses=AnonymizeOutput)
    def post(self, request: Request) -> Response:
        """The text with its personal data hidden, by operators with parameters, or by a policy."""
        body = AnonymizeInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        made = anonymize_text(self.principal, given.pop("text"), How(**given))
        shown = [
            {
                "entity_type": span.entity_type,
                "start": span.start,
                "end": span.end,
                "score": round(span.score, 3),
                "recognizer": span.recognizer,
            }
            for span in made.spans
            if span.score >= ACT_FROM
        ]
        return Response({"text": made.text, "detections": shown, "policy": made.policy})


class DeanonymizeView(VaultAPIView):
    resource_type = "text"

    @extend_schema(request=DeanonymizeInput, responses=DeanonymizeOutput)
    def post(self, request: Request) -> Response:
        """JSON or a text with what was encrypted or tokenized in it turned back; takes a purpose, and is counted."""
        body = DeanonymizeInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        turned = deanonymize(
            self.principal, given["content"], dataset_id=given["dataset_id"], purpose=given["purpose"] or None
        )
        return Response({"content": turned.content, "encrypted": turned.encrypted, "tokens": turned.tokens})
