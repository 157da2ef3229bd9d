"""Shapes of the rules over detections."""

from typing import Any

from rest_framework import serializers

from anonymization.models import FieldEntry, ListEntry, ListKind, ThresholdEntry
from vaultsite.kernel.api.inputs import StrictInput


class ListEntryOutput(serializers.ModelSerializer[ListEntry]):
    """An entry without its value or pattern, which nobody is shown again."""

    class Meta:
        model = ListEntry
        fields = [
            "id",
            "kind",
            "entity_type",
            "field",
            "dataset_id",
            "reason",
            "expires_at",
            "created_by",
            "created_at",
        ]


class FieldRuleOutput(serializers.ModelSerializer[FieldEntry]):
    class Meta:
        model = FieldEntry
        fields = [
            "id",
            "field",
            "decision",
            "entity_type",
            "dataset_id",
            "reason",
            "expires_at",
            "created_by",
            "created_at",
        ]


class ThresholdOutput(serializers.ModelSerializer[ThresholdEntry]):
    class Meta:
        model = ThresholdEntry
        fields = ["id", "entity_type", "score", "dataset_id", "reason", "created_by", "created_at"]


class ListEntryInput(StrictInput):
    """``kind`` says which of value, pattern (RE2) and field makes the entry; a field narrows the other kinds."""

    kind = serializers.ChoiceField(choices=ListKind.choices)
    value = serializers.CharField(max_length=1000, required=False, default="", trim_whitespace=False)
    pattern = serializers.CharField(max_length=500, required=False, default="", trim_whitespace=False)
    field = serializers.CharField(max_length=500, required=False, default="")
    entity_type = serializers.CharField(max_length=64, required=False, default="")
    dataset_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    reason = serializers.CharField(max_length=1000)
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class FieldRuleInput(StrictInput):
    """``field`` is a pointer such as ``/data/messages/*/content``: ``*`` is one step, ``**`` any number."""

    field = serializers.CharField(max_length=500)
    decision = serializers.ChoiceField(choices=FieldEntry.DECISIONS)
    entity_type = serializers.CharField(max_length=64, required=False, default="")
    dataset_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    reason = serializers.CharField(max_length=1000)
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class ThresholdInput(StrictInput):
    entity_type = serializers.CharField(max_length=64)
    score = serializers.FloatField(min_value=0.0, max_value=1.0)
    dataset_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    reason = serializers.CharField(max_length=1000)


class RuleChange(StrictInput):
    reason = serializers.CharField(max_length=1000, required=False)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError("nothing to change")
        return attrs


class ThresholdChange(StrictInput):
    reason = serializers.CharField(max_length=1000, required=False)
    score = serializers.FloatField(min_value=0.0, max_value=1.0, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError("nothing to change")
        return attrs
