"""Shapes of alerts."""

from typing import Any

from rest_framework import serializers

from access.api.bodies import StrictInput
from audit.alerts.kinds import KINDS
from audit.alerts.settle import MAX_REASON, VERDICTS
from audit.models.alert import Alert, AlertSeverity, AlertState, AlertVerdict


class AlertOutput(serializers.ModelSerializer[Alert]):
    """``facts`` are ids, counts and words that explain it; ``advice`` says what to do about an alert of its kind."""

    title = serializers.SerializerMethodField()
    advice = serializers.SerializerMethodField()
    severity = serializers.ChoiceField(choices=AlertSeverity.choices)
    state = serializers.ChoiceField(choices=AlertState.choices)
    verdict = serializers.ChoiceField(choices=AlertVerdict.choices, allow_blank=True)
    facts = serializers.DictField()

    class Meta:
        model = Alert
        fields = [
            *("id", "kind", "title", "advice", "cause", "severity", "state", "summary", "facts", "count"),
            *("principal_id", "dataset_id", "since", "until", "first_seen_at", "last_seen_at"),
            *("acknowledged_by", "acknowledged_at", "resolved_by", "resolved_at", "verdict", "reason"),
        ]

    def get_title(self, alert: Alert) -> str:
        return KINDS[alert.kind].title

    def get_advice(self, alert: Alert) -> str:
        return KINDS[alert.kind].advice


class AlertPagingOutput(serializers.Serializer[Any]):
    next_cursor = serializers.CharField(allow_null=True)
    limit = serializers.IntegerField()


class AlertListOutput(serializers.Serializer[Any]):
    data = AlertOutput(many=True)  # type: ignore[assignment]
    pagination = AlertPagingOutput()


class AlertResolutionInput(StrictInput):
    """What an alert was, and why nobody has to look any more."""

    verdict = serializers.ChoiceField(choices=[(one.value, one.label) for one in VERDICTS])
    reason = serializers.CharField(max_length=MAX_REASON)
