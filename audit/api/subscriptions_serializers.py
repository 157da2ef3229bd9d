"""Shapes of event subscriptions."""

from typing import Any

from rest_framework import serializers

from access.api.bodies import StrictInput
from audit.api.serializers import PaginationSerializer
from audit.catalog.aliases import CANONICAL, VOCABULARIES
from audit.catalog.envelope import CLOUDEVENTS, FORMATS
from audit.catalog.topics import ALL_TOPICS
from audit.models import EventSubscription
from audit.subscriptions.draft import MAX_NAME, MAX_ROUTE, MAX_TYPES
from audit.subscriptions.grammar import MAX_LENGTH


class SubscriptionChoiceInput(StrictInput):
    """Which events: those under one of ``topics`` or of one of ``types`` (none of either: all) that ``filter`` fits."""

    topics = serializers.ListField(
        child=serializers.ChoiceField(choices=ALL_TOPICS), required=False, max_length=len(ALL_TOPICS)
    )
    types = serializers.ListField(child=serializers.CharField(max_length=100), required=False, max_length=MAX_TYPES)
    filter = serializers.CharField(required=False, allow_blank=True, max_length=MAX_LENGTH)
    format = serializers.ChoiceField(choices=tuple(FORMATS), required=False)


class SubscriptionInput(SubscriptionChoiceInput):
    """Either ``endpoint_id`` (a webhook endpoint) or ``route`` (of the message broker) says where events go."""

    name = serializers.CharField(max_length=MAX_NAME)
    vocabulary = serializers.ChoiceField(choices=tuple(VOCABULARIES), required=False)
    endpoint_id = serializers.UUIDField(required=False, allow_null=True)
    route = serializers.CharField(required=False, allow_blank=True, max_length=MAX_ROUTE)
    is_active = serializers.BooleanField(required=False)


class SubscriptionPatchInput(SubscriptionInput):
    """Members that are absent stay as they are."""

    name = serializers.CharField(max_length=MAX_NAME, required=False)


class SubscriptionOutput(serializers.ModelSerializer[EventSubscription]):
    topics = serializers.ListField(child=serializers.CharField())
    types = serializers.ListField(child=serializers.CharField())
    filter = serializers.CharField(source="expression")
    format = serializers.ChoiceField(choices=tuple(FORMATS), default=CLOUDEVENTS)
    vocabulary = serializers.ChoiceField(choices=tuple(VOCABULARIES), default=CANONICAL)

    class Meta:
        model = EventSubscription
        fields = (
            *("id", "name", "topics", "types", "filter", "format", "vocabulary", "endpoint_id", "route"),
            *("is_active", "created_by", "created_at", "updated_at"),
        )


class SubscriptionListOutput(serializers.Serializer[Any]):
    data = SubscriptionOutput(many=True)  # type: ignore[assignment]  # every listing of the API names it so
    pagination = PaginationSerializer()


class SubscriptionTrialOutput(serializers.Serializer[Any]):
    """``matched`` of the ``tried`` newest events would have been sent; ids of the last ones."""

    tried = serializers.IntegerField()
    matched = serializers.IntegerField()
    newest = serializers.ListField(child=serializers.UUIDField())
