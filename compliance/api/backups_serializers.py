"""Shapes of backups and drills."""

from typing import Any

from rest_framework import serializers

from compliance.models import BackupRun, BackupStatus, DrillStatus, RestoreDrill


class BackupOutput(serializers.ModelSerializer[BackupRun]):
    """A backup of the vault, as it concerns the organization: the counts are of its own datasets and objects."""

    status = serializers.ChoiceField(choices=BackupStatus.choices)

    class Meta:
        model = BackupRun
        fields = [
            *("id", "backup_id", "status", "snapshot_at", "finished_at", "dataset_count", "object_count"),
            *(
                "new_object_count",
                "object_bytes",
                "missing_count",
                "elsewhere_count",
                "has_keys",
                "error_code",
                "expired_at",
            ),
        ]


class DrillOutput(serializers.ModelSerializer[RestoreDrill]):
    """A backup that was tried: restored into an empty second vault and read there."""

    status = serializers.ChoiceField(choices=DrillStatus.choices)

    class Meta:
        model = RestoreDrill
        fields = [
            *("id", "backup_id", "status", "started_at", "finished_at", "dataset_count", "version_count"),
            *("record_count", "mismatch_count", "replayed_count", "rto_seconds", "rpo_seconds", "error_code"),
        ]


class BackupPagingOutput(serializers.Serializer[Any]):
    next_cursor = serializers.CharField(allow_null=True)
    limit = serializers.IntegerField()


class BackupListOutput(serializers.Serializer[Any]):
    data = BackupOutput(many=True)  # type: ignore[assignment]
    pagination = BackupPagingOutput()


class DrillListOutput(serializers.Serializer[Any]):
    data = DrillOutput(many=True)  # type: ignore[assignment]
    pagination = BackupPagingOutput()
