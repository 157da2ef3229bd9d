"""Shapes of exports of the audit."""

from typing import Any

from rest_framework import serializers

from audit.models import AuditExport, AuditExportFormat
from audit.services.criteria import EventFilterSerializer
from vaultsite.kernel.api.inputs import StrictInput
from vaultsite.kernel.jobs import JobStatus


class AuditExportInput(StrictInput):
    """``filters`` are those of the listing of events; what is left out does not restrict."""

    format = serializers.ChoiceField(choices=AuditExportFormat.choices, default="jsonl")
    filters = EventFilterSerializer(required=False)


class AuditExportOutput(serializers.Serializer[AuditExport]):
    id = serializers.UUIDField()
    format = serializers.ChoiceField(choices=AuditExportFormat.choices)
    filters = serializers.JSONField(source="criteria")
    status = serializers.ChoiceField(choices=JobStatus.choices)
    progress = serializers.JSONField()
    events = serializers.IntegerField(source="record_count")
    bytes = serializers.IntegerField(source="size")
    sha256 = serializers.CharField(help_text="Of the file, in hex; empty until it is whole.")
    error = serializers.JSONField(allow_null=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    removed_at = serializers.DateTimeField(allow_null=True)


class AuditExportListOutput(serializers.Serializer[Any]):
    data = AuditExportOutput(many=True)  # type: ignore[assignment]
    pagination = serializers.DictField()
