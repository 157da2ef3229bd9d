"""REST: what an anonymization policy would do to records."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from datasets.services.anonymization_preview import MAX_RECORDS, Tried, preview_policy
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import FieldProblem, InvalidInput


class PreviewInput(serializers.Serializer[Any]):
    policy = serializers.CharField(max_length=80, required=False, default="")
    version = serializers.IntegerField(min_value=1, required=False, allow_null=True, default=None)
    document = serializers.JSONField(required=False, allow_null=True, default=None)
    limit = serializers.IntegerField(min_value=1, max_value=MAX_RECORDS, required=False, default=10)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs["policy"]) is (attrs["document"] is not None):
            raise InvalidInput(errors=[FieldProblem("/policy", "either a policy or a document")])
        return attrs


class PreviewRecordOutput(serializers.Serializer[Any]):
    id = serializers.CharField()
    before = serializers.JSONField()
    after = serializers.JSONField()
    findings = serializers.IntegerField()


class PreviewOutput(serializers.Serializer[Any]):
    policy = serializers.CharField()
    sha256 = serializers.CharField()
    records = PreviewRecordOutput(many=True)


class AnonymizationPreviewView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(request=PreviewInput, responses=PreviewOutput)
    def post(self, request: Request, dataset_id: UUID, version: str) -> Response:
        """The first records of the version, as they are and as the policy would show them; for readers of raw data."""
        body = PreviewInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        tried = Tried(given["policy"], given["version"], given["document"])
        preview = preview_policy(
            self.principal, dataset_id=dataset_id, version=version, tried=tried, limit=given["limit"]
        )
        return Response(PreviewOutput(preview).data)
