"""Shapes of the audit's requests and answers."""

from dataclasses import asdict
from typing import Any, Final

from django.http import QueryDict
from rest_framework import serializers

from audit.models import AuditEvent
from audit.selectors import EventFilter, open_actor, read_body
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import EventType

OUTCOMES: Final = ("success", "failure", "denied")
PAGING: Final = frozenset({"limit", "cursor"})


class EventFilterSerializer(serializers.Serializer[EventFilter]):
    """The filters of the listing; all must hold."""

    actor = serializers.UUIDField(required=False, source="actor_id")
    dataset = serializers.UUIDField(required=False, source="dataset_id")
    type = serializers.ChoiceField(choices=[kind.value for kind in EventType], required=False)
    status = serializers.ChoiceField(choices=OUTCOMES, required=False)
    purpose = serializers.CharField(required=False, max_length=256)
    request_id = serializers.CharField(required=False, max_length=64)
    since = serializers.DateTimeField(required=False, help_text="Earliest moment, included (RFC 3339).")
    until = serializers.DateTimeField(required=False, help_text="Latest moment, excluded (RFC 3339).")


def read_filter(parameters: QueryDict) -> EventFilter:
    """The filters of a query string; raises InvalidInput naming each parameter that does not fit.

    An unknown one does not fit either: a misspelt filter must not show everything.
    """
    given = EventFilterSerializer(data={name: parameters[name] for name in parameters if name not in PAGING})
    known = given.fields.keys() | PAGING
    problems = [FieldProblem(field=name, detail="There is no such filter.") for name in parameters if name not in known]
    if not given.is_valid():
        problems += [FieldProblem(field=str(name), detail=str(found[0])) for name, found in given.errors.items()]
    if problems:
        raise InvalidInput(errors=problems)
    return EventFilter(**given.validated_data)


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
