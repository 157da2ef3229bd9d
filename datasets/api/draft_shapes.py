"""Shapes of drafts, staged changes and publications in the API."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from rest_framework import serializers

from datasets.models import Draft, DraftStatus, OnError, Publication
from datasets.services.commit import is_label
from datasets.services.drafts.find import StagedCounts
from datasets.services.drafts.open import DraftFacts
from datasets.services.drafts.patch import MERGE, UPSERT
from datasets.services.drafts.publish import PublishOptions
from vaultsite.kernel.api.inputs import StrictInput


class DraftInput(StrictInput):
    label = serializers.CharField(max_length=32, required=False, default="", allow_blank=True)  # type: ignore[assignment]
    parent = serializers.CharField(max_length=100, required=False, default="", allow_blank=True)  # type: ignore[assignment]
    branch = serializers.CharField(max_length=100, required=False, default="", allow_blank=True)
    description = serializers.CharField(max_length=1000, required=False, default="", allow_blank=True)

    def validate_label(self, value: str) -> str:
        if value and not is_label(value):
            raise serializers.ValidationError("a version label reads vX.Y.Z")
        return value

    def draft_facts(self) -> DraftFacts:
        return DraftFacts(**self.validated_data)


class StagedCountsOutput(serializers.Serializer[Any]):
    added = serializers.IntegerField()
    updated = serializers.IntegerField()
    deleted = serializers.IntegerField()


class DraftOutput(serializers.ModelSerializer[Draft]):
    """With ``staged`` in the context: the counts of each draft by id."""

    parent = serializers.CharField(source="parent.label", allow_null=True, default=None)  # type: ignore[assignment]
    version = serializers.CharField(source="version.label", allow_null=True, default=None)
    staged = serializers.SerializerMethodField()

    class Meta:
        model = Draft
        fields = [
            "id",
            "label",
            "parent",
            "branch",
            "status",
            "description",
            "staged",
            "version",
            "opened_by",
            "created_at",
            "updated_at",
            "expires_at",
        ]

    def get_staged(self, draft: Draft) -> StagedCountsOutput:
        counts: Mapping[UUID, StagedCounts] = self.context["staged"]
        return StagedCountsOutput(counts[draft.pk]).data  # type: ignore[return-value]


class VersionListInput(StrictInput):
    """Query parameters of the list of versions."""

    status = serializers.ChoiceField(choices=[("published", "published"), DraftStatus.choices[0]], required=False)
    limit = serializers.IntegerField(required=False)
    cursor = serializers.CharField(required=False)


class RecordInput(serializers.Serializer[Any]):
    """One record; without an id it gets one."""

    id = serializers.CharField(max_length=128, required=False)
    data = serializers.DictField()  # type: ignore[assignment]
    metadata = serializers.DictField(required=False)


class StageInput(serializers.Serializer[Any]):
    records = RecordInput(many=True)


class UnstageInput(serializers.Serializer[Any]):
    ids = serializers.ListField(child=serializers.CharField(max_length=128))


class RecordResultOutput(serializers.Serializer[Any]):
    index = serializers.IntegerField()
    id = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=["created", "updated", "unchanged", "deleted", "failed"])
    code = serializers.CharField(required=False)
    detail = serializers.CharField(required=False)


class StageOutput(serializers.Serializer[Any]):
    draft = serializers.UUIDField()
    results = RecordResultOutput(many=True)


class PublishInput(StrictInput):
    message = serializers.CharField(max_length=1000, required=False, default="", allow_blank=True)
    rebase = serializers.BooleanField(required=False, default=False)

    def options(self) -> PublishOptions:
        return PublishOptions(**self.validated_data)


class PublicationOutput(serializers.ModelSerializer[Publication]):
    version = serializers.CharField(source="version.label", allow_null=True, default=None)

    class Meta:
        model = Publication
        fields = [
            "id",
            "dataset_id",
            "draft_id",
            "status",
            "progress",
            "version",
            "error",
            "created_at",
            "started_at",
            "finished_at",
        ]


class PatchInput(serializers.Serializer[Any]):
    records = RecordInput(many=True, required=False)
    mode = serializers.ChoiceField(choices=[UPSERT, MERGE], required=False, default=UPSERT)
    delete = serializers.ListField(child=serializers.CharField(max_length=128), required=False)
    branch = serializers.CharField(max_length=100, required=False)
    message = serializers.CharField(max_length=1000, required=False)
    expected = serializers.CharField(max_length=100, required=False)
    on_error = serializers.ChoiceField(choices=OnError.choices, required=False, default="abort")


class PatchOutput(serializers.Serializer[Any]):
    version = serializers.CharField(allow_null=True)
    results = RecordResultOutput(many=True)
    deleted = RecordResultOutput(many=True)
