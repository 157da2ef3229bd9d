"""Shapes of what a request ends in: a package, corrections."""

from typing import Any

from rest_framework import serializers

from access.api.bodies import StrictInput
from compliance.models import Correction, RequestPackage
from compliance.requests.corrections import MAX_PATCHES
from vaultsite.kernel.jobs import JobStatus


class RequestPackageOutput(serializers.ModelSerializer[RequestPackage]):
    """``missing`` in ``progress`` counts ids that the datasets do not have."""

    status = serializers.ChoiceField(choices=JobStatus.choices)
    progress = serializers.DictField()
    error = serializers.DictField(allow_null=True)

    class Meta:
        model = RequestPackage
        fields = [
            *("id", "status", "progress", "error", "purpose", "record_count", "size", "sha256"),
            *("requested_by", "created_at", "finished_at", "expires_at", "removed_at"),
        ]


class CorrectionOutput(serializers.ModelSerializer[Correction]):
    dataset_id = serializers.UUIDField()

    class Meta:
        model = Correction
        fields = [
            *("id", "dataset_id", "branch", "patch_count", "proposed_by", "proposed_at"),
            *("applied_by", "applied_at", "publication"),
        ]


class CorrectionListOutput(serializers.Serializer[Any]):
    data = CorrectionOutput(many=True)  # type: ignore[assignment]


class CorrectionInput(StrictInput):
    """Merge patches (RFC 7396): ``{"id": .., "data": {..}}`` each."""

    dataset_id = serializers.UUIDField()
    patches = serializers.ListField(child=serializers.DictField(), min_length=1, max_length=MAX_PATCHES)


class ChangeOutput(serializers.Serializer[Any]):
    record_id = serializers.CharField()
    before = serializers.DictField(allow_null=True)
    after = serializers.DictField(allow_null=True)


class ChangeListOutput(serializers.Serializer[Any]):
    data = ChangeOutput(many=True)  # type: ignore[assignment]
