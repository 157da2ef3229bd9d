"""Shapes of reports."""

from typing import Any

from rest_framework import serializers

from compliance.models import ReportFormat
from compliance.reports.registry import KINDS
from vaultsite.kernel.api.inputs import StrictInput
from vaultsite.kernel.jobs import JobStatus


class ReportPeriod(StrictInput):
    """From ``start`` until before ``end``."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class ReportScopeInput(StrictInput):
    """What the report is restricted to; what is left out does not restrict."""

    datasets = serializers.ListField(child=serializers.UUIDField(), max_length=1000, required=False, default=list)
    users = serializers.ListField(child=serializers.UUIDField(), max_length=1000, required=False, default=list)


class ReportInput(StrictInput):
    report_type = serializers.ChoiceField(choices=sorted(KINDS))
    time_range = ReportPeriod()
    scope = ReportScopeInput(required=False)
    format = serializers.ChoiceField(choices=ReportFormat.choices, default="json")


class ReportOutput(serializers.Serializer[Any]):
    """``report_id`` and ``id`` are the same. ``download_url`` is there once there is a file, for some minutes."""

    id = serializers.UUIDField()
    report_id = serializers.UUIDField()
    report_type = serializers.CharField()
    title = serializers.CharField()
    maps_to = serializers.ListField(child=serializers.CharField())
    format = serializers.ChoiceField(choices=ReportFormat.choices)
    time_range = ReportPeriod()
    scope = serializers.DictField()
    status = serializers.ChoiceField(choices=JobStatus.choices)
    progress = serializers.JSONField()
    rows = serializers.IntegerField()
    bytes = serializers.IntegerField()
    sha256 = serializers.CharField(help_text="Of the file, in hex; empty until it is whole.")
    rows_sha256 = serializers.CharField(help_text="Of the rows as JSON lines, the same for every format.")
    checkpoint_size = serializers.IntegerField(allow_null=True)
    checkpoint_root = serializers.CharField()
    download_url = serializers.CharField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True, help_text="Of the link.")
    removed_after = serializers.DateTimeField(allow_null=True, help_text="When the file goes.")
    error = serializers.JSONField(allow_null=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class ReportDetailOutput(ReportOutput):
    """``summary``: figures, breakdowns, series and tables, while there is a file; each figure names its rows."""

    summary = serializers.JSONField(allow_null=True)


class ReportListOutput(serializers.Serializer[Any]):
    data = ReportOutput(many=True)  # type: ignore[assignment]
    pagination = serializers.DictField()
