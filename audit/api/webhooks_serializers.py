"""Shapes of webhooks and of their deliveries."""

from typing import Any

import orjson
from rest_framework import serializers

from access.api.bodies import StrictInput
from audit.models import DeliveryStatus, DisabledBy, SignatureKind, WebhookDelivery, WebhookEndpoint
from audit.models.webhook import LONGEST_FILTER, LONGEST_NAME, LONGEST_REASON, LONGEST_URL


class WebhookInput(StrictInput):
    """``event_types`` are types of events, ``*`` all of them, none only what event subscriptions send to it."""

    name = serializers.CharField(max_length=LONGEST_NAME)
    url = serializers.CharField(max_length=LONGEST_URL)
    event_types = serializers.ListField(child=serializers.CharField(max_length=100), max_length=500)
    filter = serializers.CharField(max_length=LONGEST_FILTER, required=False, allow_blank=True)
    signature = serializers.ChoiceField(choices=SignatureKind.choices, required=False)


class WebhookChangeInput(StrictInput):
    """What is absent stays. ``is_enabled`` switches it; ``reason`` is why it is switched off."""

    name = serializers.CharField(max_length=LONGEST_NAME, required=False)
    url = serializers.CharField(max_length=LONGEST_URL, required=False)
    event_types = serializers.ListField(child=serializers.CharField(max_length=100), max_length=500, required=False)
    filter = serializers.CharField(max_length=LONGEST_FILTER, required=False, allow_blank=True)
    is_enabled = serializers.BooleanField(required=False)
    reason = serializers.CharField(max_length=LONGEST_REASON, required=False)


class WebhookRotationInput(StrictInput):
    """For how long messages carry a signature of the old secret as well."""

    overlap_hours = serializers.IntegerField(min_value=0, max_value=168, required=False, default=24)


class WebhookReplayInput(StrictInput):
    """From when on missed events are queued: at most 30 days ago."""

    since = serializers.DateTimeField()


class WebhookOutput(serializers.ModelSerializer[WebhookEndpoint]):
    """``public_key`` verifies signatures of Ed25519; ``previous_secret_until`` says that a rotation is under way."""

    signature = serializers.ChoiceField(choices=SignatureKind.choices)
    disabled_by = serializers.ChoiceField(choices=DisabledBy.choices, allow_blank=True)
    event_types = serializers.ListField(child=serializers.CharField())
    is_enabled = serializers.BooleanField()
    previous_secret_until = serializers.DateTimeField(source="previous_until", allow_null=True)

    class Meta:
        model = WebhookEndpoint
        fields = [
            *("id", "name", "url", "event_types", "filter", "signature", "public_key", "is_enabled"),
            *("disabled_by", "disabled_reason", "disabled_at", "failures", "failing_since", "paused_until"),
            *("last_success_at", "previous_secret_until", "created_by", "created_at"),
        ]


class NewWebhookOutput(WebhookOutput):
    """``secret`` is what receivers verify with: shown this once where it is shared, else the public key."""

    secret = serializers.CharField()

    class Meta(WebhookOutput.Meta):
        fields = [*WebhookOutput.Meta.fields, "secret"]


class WebhookTryOutput(serializers.Serializer[Any]):
    """One attempt: the status of the answer, or why there was none."""

    at = serializers.DateTimeField()
    status = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(allow_blank=True)
    milliseconds = serializers.IntegerField()


class WebhookDeliveryOutput(serializers.ModelSerializer[WebhookDelivery]):
    """``payload`` is the body as it is sent, null for who may not read the audit; nothing of the answer is kept."""

    status = serializers.ChoiceField(choices=DeliveryStatus.choices)
    tries = WebhookTryOutput(many=True)
    payload = serializers.SerializerMethodField()

    class Meta:
        model = WebhookDelivery
        fields = [
            *("id", "event_id", "event_type", "status", "attempts", "next_attempt_at", "tries"),
            *("created_at", "finished_at", "payload"),
        ]

    def get_payload(self, delivery: WebhookDelivery) -> dict[str, Any] | None:
        return dict(orjson.loads(bytes(delivery.body))) if self.context["may_read"] else None


class WebhookReplayOutput(serializers.Serializer[Any]):
    """``reached``: go on from there with another call; null when everything was looked at."""

    queued = serializers.IntegerField()
    reached = serializers.DateTimeField(allow_null=True)


class WebhookPagingOutput(serializers.Serializer[Any]):
    next_cursor = serializers.CharField(allow_null=True)
    limit = serializers.IntegerField()


class WebhookListOutput(serializers.Serializer[Any]):
    data = WebhookOutput(many=True)  # type: ignore[assignment]  # every listing of the API names it so
    pagination = WebhookPagingOutput()


class WebhookDeliveryListOutput(serializers.Serializer[Any]):
    data = WebhookDeliveryOutput(many=True)  # type: ignore[assignment]
    pagination = WebhookPagingOutput()
