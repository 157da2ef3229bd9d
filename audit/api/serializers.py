"""Shapes of the audit's requests and answers."""

from dataclasses import asdict
from typing import Any, Final

from rest_framework import serializers

from audit.models import AuditEvent
from audit.selectors import open_actor, read_body

PAGING: Final = frozenset({"limit", "cursor"})


class ActorSerializer(serializers.Serializer[Any]):
    type = serializers.ChoiceField(choices=("user", "service", "system"))
    id = serializers.UUIDField()
    name = serializers.CharField()
    ip_address = serializers.CharField()
    user_agent = serializers.CharField()


class AuditEventSerializer(serializers.Serializer[AuditEvent]):
    """An event as it was recorded, its actor's sealed facts opened. Members without a value are absent."""

    event_id = serializers.UUIDField()
    event_type = serializers.CharField()
    timestamp = serializers.DateTimeField()
    severity = serializers.ChoiceField(choices=("info", "warning", "critical"))
    tenant_id = serializers.UUIDField()
    actor = ActorSerializer()
    resource = serializers.DictField()
    action = serializers.DictField()
    context = serializers.DictField()  # type: ignore[assignment]  # the customer's schema names it so
    metadata = serializers.DictField()

    def to_representation(self, instance: AuditEvent) -> dict[str, Any]:
        actor = asdict(open_actor(instance))
        return read_body(instance) | {"actor": {"type": actor.pop("kind"), **actor}}


class PaginationSerializer(serializers.Serializer[Any]):
    next_cursor = serializers.CharField(allow_null=True)
    limit = serializers.IntegerField()


class AuditEventPageSerializer(serializers.Serializer[Any]):
    """One page of the listing; describes the answer in the schema."""

    data = AuditEventSerializer(many=True)  # type: ignore[assignment]  # every listing of the API names it so
    pagination = PaginationSerializer()
    archived_before = serializers.DateField(
        allow_null=True,
        help_text="Events from before this day may be in the archive, which is not listed: ask for an export.",
    )
