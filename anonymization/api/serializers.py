"""Shapes of detection and anonymization of a single text."""

from typing import Any, Final

from rest_framework import serializers

from anonymization.operators.registry import OPERATORS

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


class AnonymizeInput(DetectInput):
    operator = serializers.ChoiceField(choices=sorted(OPERATORS), required=False, default="mask")
    per_entity = serializers.DictField(
        child=serializers.ChoiceField(choices=sorted(OPERATORS)), required=False, default=dict
    )


class AnonymizeOutput(DetectOutput):
    text = serializers.CharField()
