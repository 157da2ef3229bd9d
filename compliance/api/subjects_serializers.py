"""Shapes of searches for a person, their matches, and erasures."""

from typing import Any, Final

from rest_framework import serializers

from access.api.bodies import StrictInput
from compliance.models import (
    LegalBasis,
    RecipientTask,
    SubjectErasure,
    SubjectErasurePart,
    SubjectMatch,
    SubjectSearch,
)
from compliance.subjects.identifiers import KINDS, MAX_IDENTIFIERS, Identifier
from compliance.subjects.review import DECISIONS, MAX_DECIDED
from vaultsite.kernel.jobs import JobStatus

_JOB: Final = ("id", "status", "progress", "error", "requested_by", "created_at", "finished_at")


class SubjectIdentifierInput(StrictInput):
    type = serializers.ChoiceField(choices=KINDS)
    value = serializers.CharField(max_length=300)


class SubjectSearchInput(StrictInput):
    """Whom to look for."""

    identifiers = SubjectIdentifierInput(many=True, min_length=1, max_length=MAX_IDENTIFIERS)  # type: ignore[call-arg]

    def given(self) -> list[Identifier]:
        return [Identifier(**one) for one in self.validated_data["identifiers"]]


class SubjectIndexInput(StrictInput):
    identifiers = SubjectIdentifierInput(many=True, min_length=1, max_length=MAX_IDENTIFIERS)  # type: ignore[call-arg]

    def given(self) -> list[Identifier]:
        return [Identifier(**one) for one in self.validated_data["identifiers"]]


class IndexHitOutput(serializers.Serializer[Any]):
    dataset_id = serializers.UUIDField()
    record_id = serializers.CharField()
    identifiers = serializers.ListField(child=serializers.IntegerField())


class IndexDatasetOutput(serializers.Serializer[Any]):
    dataset_id = serializers.UUIDField()
    name = serializers.CharField()
    records = serializers.IntegerField()


class SubjectIndexOutput(serializers.Serializer[Any]):
    """``skipped`` are numbers of identifiers that no index knows: a search reads everything for them."""

    data = IndexHitOutput(many=True)  # type: ignore[assignment]
    datasets = IndexDatasetOutput(many=True)
    is_truncated = serializers.BooleanField()
    skipped = serializers.ListField(child=serializers.IntegerField())


class SubjectSearchOutput(serializers.ModelSerializer[SubjectSearch]):
    """``counts`` are matches by store, ``swept`` bytes read by store. The identifiers are never shown again."""

    status = serializers.ChoiceField(choices=JobStatus.choices)
    request_id = serializers.UUIDField(source="case", allow_null=True)
    error = serializers.JSONField(allow_null=True)

    class Meta:
        model = SubjectSearch
        fields = [
            *_JOB,
            *("request_id", "identifier_types", "purpose", "counts", "swept", "dataset_count", "unreadable"),
            *("is_truncated", "forget_at"),
        ]


class SubjectMatchOutput(serializers.ModelSerializer[SubjectMatch]):
    """Where something was found and why: never what."""

    class Meta:
        model = SubjectMatch
        fields = [
            *("id", "store", "dataset_id", "object_id", "place", "record_id", "identifier", "reason", "score"),
            *("state", "decided_by", "decided_at"),
        ]


class MatchDecisionInput(StrictInput):
    matches = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=MAX_DECIDED)
    decision = serializers.ChoiceField(choices=[(one.value, one.label) for one in DECISIONS])


class SubjectErasureInput(StrictInput):
    search_id = serializers.UUIDField()
    legal_basis = serializers.ChoiceField(choices=LegalBasis.choices)


class SubjectErasureOutput(serializers.ModelSerializer[SubjectErasure]):
    """``counts`` say what was erased by store, ``remaining`` what a second look still found, and why it is there."""

    status = serializers.ChoiceField(choices=JobStatus.choices)
    search_id = serializers.UUIDField()
    request_id = serializers.UUIDField(source="case", allow_null=True)
    error = serializers.JSONField(allow_null=True)

    class Meta:
        model = SubjectErasure
        fields = [
            *_JOB,
            *("search_id", "request_id", "legal_basis", "purpose", "counts", "remaining", "receipt_sha256"),
        ]


class SubjectErasurePartOutput(serializers.ModelSerializer[SubjectErasurePart]):
    """``conflict`` is the code of what stood against it, ``basis`` the legal ground on which it does."""

    records = serializers.SerializerMethodField()

    class Meta:
        model = SubjectErasurePart
        fields = ["dataset_id", "records", "record_erasure", "state", "conflict", "basis"]

    def get_records(self, part: SubjectErasurePart) -> int:
        return len(part.record_ids)


class SubjectErasureDetail(SubjectErasureOutput):
    parts = SubjectErasurePartOutput(many=True)

    class Meta(SubjectErasureOutput.Meta):
        fields = [*SubjectErasureOutput.Meta.fields, "parts"]


class RecipientTaskOutput(serializers.ModelSerializer[RecipientTask]):
    class Meta:
        model = RecipientTask
        fields = ["id", "dataset_id", "recipient", "exports", "downloaded_at", "proof", "told_by", "told_at"]


class RecipientProofInput(StrictInput):
    """How the recipient was told; no personal data."""

    proof = serializers.CharField(max_length=1000)


class _Pages(serializers.Serializer[Any]):
    pagination = serializers.DictField()


class SubjectSearchPage(_Pages):
    data = SubjectSearchOutput(many=True)  # type: ignore[assignment]


class SubjectMatchPage(_Pages):
    data = SubjectMatchOutput(many=True)  # type: ignore[assignment]


class SubjectErasurePage(_Pages):
    data = SubjectErasureOutput(many=True)  # type: ignore[assignment]


class RecipientTaskPage(_Pages):
    data = RecipientTaskOutput(many=True)  # type: ignore[assignment]


class MatchesOutput(serializers.Serializer[Any]):
    data = SubjectMatchOutput(many=True)  # type: ignore[assignment]
