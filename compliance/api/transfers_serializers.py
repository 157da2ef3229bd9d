"""Shapes of the log of transfers."""

from typing import Any

from rest_framework import serializers

from compliance.models import RefusedBecause, Safeguard, TransferOutcome
from vaultsite.kernel.api.inputs import StrictInput


class TransferQuery(StrictInput):
    outcome = serializers.ChoiceField(choices=TransferOutcome.choices, required=False, default="")
    country = serializers.RegexField(r"\A[A-Z]{2}\Z", required=False, default="")
    dataset_id = serializers.UUIDField(required=False, default=None)
    party_id = serializers.UUIDField(required=False, default=None)


class TransferOutput(serializers.Serializer[Any]):
    """Records that left the countries of their dataset's region, or were not let out; ``reason`` says why not."""

    id = serializers.UUIDField(source="row.pk")
    outcome = serializers.ChoiceField(source="row.outcome", choices=TransferOutcome.choices)
    reason = serializers.ChoiceField(source="row.reason", choices=RefusedBecause.choices)
    principal_id = serializers.UUIDField(source="row.principal")
    dataset_id = serializers.UUIDField(source="row.dataset")
    dataset_name = serializers.CharField()
    version = serializers.CharField(source="row.version")
    export_id = serializers.UUIDField(source="row.export")
    region = serializers.CharField(source="row.region")
    party_id = serializers.UUIDField(source="row.party", allow_null=True)
    party_name = serializers.CharField()
    country = serializers.CharField(source="row.country")
    safeguard = serializers.ChoiceField(source="row.safeguard", choices=Safeguard.choices)
    purpose = serializers.CharField(source="row.purpose")
    bytes = serializers.IntegerField(source="row.size")
    records = serializers.IntegerField(source="row.record_count")
    event_id = serializers.UUIDField(source="row.event")
    created_at = serializers.DateTimeField(source="row.created_at")


class TransferPagingOutput(serializers.Serializer[Any]):
    next_cursor = serializers.CharField(allow_null=True)
    limit = serializers.IntegerField()


class TransferListOutput(serializers.Serializer[Any]):
    data = TransferOutput(many=True)  # type: ignore[assignment]
    pagination = TransferPagingOutput()
