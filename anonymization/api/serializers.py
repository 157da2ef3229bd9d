"""Shapes of detection and anonymization of a single text."""

from typing import Any, Final

from rest_framework import serializers

#: Longest text, characters: a longer one belongs into a dataset.
MAX_TEXT: Final = 200_000


class DetectInput(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=MAX_TEXT, trim_whitespace=False, allow_blank=True)


class DetectionOutput(serializers.Serializer[Any]):
    entity_type = serializers.CharField()
    start = serializers.IntegerField()
    end = serializers.IntegerField()
    score = serializers.FloatField()
    recognizer = serializers.CharField()


class DetectOutput(serializers.Serializer[Any]):
    detections = DetectionOutput(many=True)


class ExplainInput(DetectInput):
    """The rules of ``dataset_id`` apply, or those of the whole tenant; ``strict`` finds more, and more wrongly."""

    dataset_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    strict = serializers.BooleanField(required=False, default=False)
    #: Also what was found and does not count.
    all = serializers.BooleanField(required=False, default=False)


class ExplainedOutput(DetectionOutput):
    """Why: what of the recognizer matched, the context word that raised the score, the way to it, and what decided."""

    pattern = serializers.CharField()
    context_word = serializers.CharField(source="context")
    path = serializers.ListField(child=serializers.CharField())
    counts = serializers.BooleanField()
    decided_by = serializers.CharField()
    rule_id = serializers.CharField()


class ExplainOutput(serializers.Serializer[Any]):
    detections = ExplainedOutput(many=True)
