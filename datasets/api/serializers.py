"""Shapes of the datasets API."""

from typing import Any

from rest_framework import serializers

from datasets.models import (
    Classification,
    Dataset,
    IdMode,
    Ingest,
    IngestFormat,
    IngestMode,
    OnError,
    RecordShape,
    Version,
)
from datasets.services.commit import is_label
from datasets.services.datasets import DatasetFacts
from datasets.services.write import UploadOptions
from vaultsite.kernel.api.inputs import StrictInput


class DatasetInput(StrictInput):
    name = serializers.CharField(max_length=200)
    description = serializers.CharField(max_length=4000, allow_blank=True, required=False, default="")
    classification = serializers.ChoiceField(
        choices=Classification.choices, required=False, default=Classification.CONFIDENTIAL.value
    )
    tags = serializers.ListField(
        child=serializers.CharField(max_length=64), max_length=64, required=False, default=list
    )
    retention_days = serializers.IntegerField(
        min_value=1, max_value=36_500, allow_null=True, required=False, default=None
    )
    region = serializers.CharField(max_length=64, allow_blank=True, required=False, default="")

    def facts(self) -> DatasetFacts:
        """The validated members as the services take them."""
        given = dict(self.validated_data)
        if "tags" in given:
            given["tags"] = tuple(given["tags"])
        clears = "retention_days" in given and given["retention_days"] is None
        return DatasetFacts(**given, clears_retention=clears)


class DatasetOutput(serializers.ModelSerializer[Dataset]):
    tags = serializers.ListField(source="tag_names", child=serializers.CharField())

    class Meta:
        model = Dataset
        fields = [
            "id",
            "name",
            "description",
            "classification",
            "tags",
            "retention_days",
            "region",
            "legal_hold",
            "archived_at",
            "deleted_at",
            "delete_after",
            "created_by",
            "created_at",
            "updated_at",
        ]


class VersionOutput(serializers.ModelSerializer[Version]):
    version_id = serializers.SerializerMethodField()
    root = serializers.SerializerMethodField()  # type: ignore[assignment]  # declared fields leave the class
    parent = serializers.SerializerMethodField()  # type: ignore[assignment]  # declared fields leave the class
    merge_parent = serializers.SerializerMethodField()

    class Meta:
        model = Version
        fields = [
            "id",
            "version_id",
            "root",
            "label",
            "sequence",
            "parent",
            "merge_parent",
            "kind",
            "author",
            "message",
            "record_count",
            "canonical_bytes",
            "chunk_count",
            "new_chunk_count",
            "new_sealed_bytes",
            "created_at",
        ]

    def get_version_id(self, version: Version) -> str:
        return bytes(version.digest).hex()

    def get_root(self, version: Version) -> str:
        return bytes(version.root).hex()

    def get_parent(self, version: Version) -> str | None:
        return version.parent.label if version.parent else None

    def get_merge_parent(self, version: Version) -> str | None:
        return version.merge_parent.label if version.merge_parent else None


class IngestOutput(serializers.ModelSerializer[Ingest]):
    version = serializers.SerializerMethodField()

    class Meta:
        model = Ingest
        fields = [
            "id",
            "dataset_id",
            "status",
            "progress",
            "version",
            "error",
            "format",
            "recognized_format",
            "mode",
            "shape",
            "recognized_shape",
            "received_bytes",
            "rejected_count",
            "quarantined_count",
            "created_at",
            "started_at",
            "finished_at",
        ]

    def get_version(self, ingest: Ingest) -> str | None:
        return ingest.version.label if ingest.version else None


class UploadInput(StrictInput):
    """Query parameters of an upload."""

    format = serializers.ChoiceField(choices=IngestFormat.choices, required=False, default="jsonl")
    mode = serializers.ChoiceField(choices=IngestMode.choices, required=False, default="replace")
    on_error = serializers.ChoiceField(choices=OnError.choices, required=False, default="abort")
    id_field = serializers.CharField(max_length=200, required=False, default="")
    id_mode = serializers.ChoiceField(choices=IdMode.choices, required=False, default="plain")
    key = serializers.CharField(max_length=500, required=False, default="")
    shape = serializers.ChoiceField(choices=RecordShape.choices, required=False, default="any")
    envelope = serializers.BooleanField(required=False, default=False)
    version = serializers.CharField(max_length=32, required=False, default="")
    message = serializers.CharField(max_length=1000, required=False, default="")
    branch = serializers.CharField(max_length=100, required=False, default="main")
    wait = serializers.IntegerField(min_value=0, max_value=60, required=False, default=0)

    def validate_version(self, value: str) -> str:
        if value and not is_label(value):
            raise serializers.ValidationError("a version label reads vX.Y.Z")
        return value

    def options(self) -> UploadOptions:
        given = self.validated_data
        return UploadOptions(
            format=IngestFormat(given["format"]),
            mode=IngestMode(given["mode"]),
            on_error=OnError(given["on_error"]),
            id_field=given["id_field"],
            id_mode=IdMode(given["id_mode"]),
            key=given["key"],
            shape=RecordShape(given["shape"]),
            envelope=given["envelope"],
            label=given["version"],
            message=given["message"],
            branch=given["branch"],
        )


class RecordOutput(serializers.Serializer[Any]):
    id = serializers.CharField()
    data = serializers.JSONField()  # type: ignore[assignment]
    metadata = serializers.JSONField()
