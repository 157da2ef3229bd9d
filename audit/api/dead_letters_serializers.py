"""Shapes of dead letters."""

from typing import Any

from rest_framework import serializers

from audit.api.serializers import PaginationSerializer
from audit.brokers.base import Refusal
from audit.models import DeadLetter


class DeadLetterOutput(serializers.ModelSerializer[DeadLetter]):
    """An event that the message broker refused each time; ``topics`` are where it was sent, its own first."""

    topics = serializers.ListField(child=serializers.CharField())
    reason = serializers.ChoiceField(choices=[one.value for one in Refusal])

    class Meta:
        model = DeadLetter
        fields = [
            *("id", "event_id", "event_type", "event_time", "dataset_id", "topics", "reason", "tries"),
            *("died_at", "replayed_at", "replayed_by"),
        ]


class DeadLetterPageOutput(serializers.Serializer[Any]):
    data = DeadLetterOutput(many=True)  # type: ignore[assignment]  # every listing of the API names it so
    pagination = PaginationSerializer()


class ReplayedOutput(serializers.Serializer[Any]):
    replayed = serializers.IntegerField(help_text="How many wait for the broker again; call anew while it is the most.")
