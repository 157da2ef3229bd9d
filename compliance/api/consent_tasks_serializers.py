"""Shapes of what withdrawals leave to be done, and of links between records and people."""

from typing import Any

from rest_framework import serializers

from access.api.bodies import StrictInput
from compliance.api.consents_serializers import ConsentPagingOutput
from compliance.consents.tasks import MAX_GROUND, OUTCOMES


class TaskDecisionInput(StrictInput):
    outcome = serializers.ChoiceField(choices=list(OUTCOMES))
    ground = serializers.CharField(max_length=MAX_GROUND)


class FoundRecordsOutput(serializers.Serializer[Any]):
    dataset_id = serializers.UUIDField()
    records = serializers.IntegerField()


class ConsentTaskOutput(serializers.Serializer[Any]):
    """``outcome`` is empty while it waits. ``found``: in which datasets the subject index finds the person now."""

    id = serializers.UUIDField()
    consent_id = serializers.UUIDField()
    purpose = serializers.CharField()
    withdrawn_at = serializers.DateTimeField()
    outcome = serializers.CharField(allow_blank=True)
    ground = serializers.CharField(allow_blank=True)
    decided_by = serializers.UUIDField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    found = FoundRecordsOutput(many=True)


class ConsentTaskListOutput(serializers.Serializer[Any]):
    data = ConsentTaskOutput(many=True)  # type: ignore[assignment]
    pagination = ConsentPagingOutput()


class RecallOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    dataset_id = serializers.UUIDField()
    purpose = serializers.CharField()
    created_at = serializers.DateTimeField()
    requested_by = serializers.UUIDField(allow_null=True)


class RecallListOutput(serializers.Serializer[Any]):
    data = RecallOutput(many=True)  # type: ignore[assignment]
    pagination = ConsentPagingOutput()


class ConsentLinkInput(StrictInput):
    subject = serializers.CharField(max_length=1024, required=False, allow_blank=True, default="")
    subject_type = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")
    releases_unlinked = serializers.BooleanField(required=False, default=False)


class ConsentLinkOutput(serializers.Serializer[Any]):
    subject = serializers.CharField(allow_blank=True)
    subject_type = serializers.CharField(allow_blank=True)
    releases_unlinked = serializers.BooleanField()
