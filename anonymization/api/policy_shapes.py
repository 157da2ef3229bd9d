"""Shapes of policies, their versions and attachments."""

from typing import Any

from rest_framework import serializers

from anonymization.models import AnonymizationPolicy, AttachmentKind, PolicyAttachment
from anonymization.policies.presets import PRESETS
from vaultsite.kernel.api.inputs import StrictInput
from vaultsite.kernel.errors import FieldProblem, InvalidInput


class DocumentInput(StrictInput):
    document = serializers.JSONField()


class PolicyInput(StrictInput):
    name = serializers.CharField(max_length=64)
    description = serializers.CharField(max_length=1000, required=False, default="", allow_blank=True)
    document = serializers.JSONField(required=False, allow_null=True, default=None)
    preset = serializers.ChoiceField(choices=sorted(PRESETS), required=False, default="")
    message = serializers.CharField(max_length=1000, required=False, default="", allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if bool(attrs["preset"]) is (attrs["document"] is not None):
            raise InvalidInput(errors=[FieldProblem("/document", "either a document or a preset")])
        return attrs


class PolicyChange(StrictInput):
    description = serializers.CharField(max_length=1000, allow_blank=True)


class PolicyVersionInput(DocumentInput):
    message = serializers.CharField(max_length=1000, required=False, default="", allow_blank=True)
    activate = serializers.BooleanField(required=False, default=False)


class AttachmentInput(StrictInput):
    kind = serializers.ChoiceField(choices=AttachmentKind.choices)
    target = serializers.CharField(max_length=64)
    binds_raw_readers = serializers.BooleanField(required=False, allow_null=True, default=None)


class AttachmentOutput(serializers.ModelSerializer[PolicyAttachment]):
    class Meta:
        model = PolicyAttachment
        fields = ("id", "kind", "target", "binds_raw_readers", "created_by", "created_at")


class PolicyOutput(serializers.ModelSerializer[AnonymizationPolicy]):
    attachments = AttachmentOutput(many=True)

    class Meta:
        model = AnonymizationPolicy
        fields = (
            "id", "name", "description", "preset", "active_version", "attachments", "created_by", "created_at",
            "updated_at",
        )  # fmt: skip


class PolicyVersionOutput(serializers.Serializer[Any]):
    policy = serializers.UUIDField()
    number = serializers.IntegerField()
    is_active = serializers.BooleanField()
    sha256 = serializers.CharField()
    message = serializers.CharField()
    created_by = serializers.UUIDField()
    created_at = serializers.DateTimeField()
    document = serializers.JSONField()


class PresetOutput(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()
    follows = serializers.CharField()
    caveat = serializers.CharField()
    document = serializers.JSONField()


class OperatorOutput(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    is_reversible = serializers.BooleanField()
    rank = serializers.IntegerField()
    parameters = serializers.JSONField()


class ValidationOutput(serializers.Serializer[Any]):
    valid = serializers.BooleanField()
    sha256 = serializers.CharField()
    places = serializers.ListField(child=serializers.CharField())
