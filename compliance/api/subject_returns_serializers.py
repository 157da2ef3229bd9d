"""Shapes of records of erased people that came back."""

from typing import Any

from rest_framework import serializers

from access.api.bodies import StrictInput
from compliance.models import LegalBasis
from compliance.subjects.returns import MAX_GROUND
from datasets.models import IdentifierReturn, ReturnState


class SubjectReturnOutput(serializers.ModelSerializer[IdentifierReturn]):
    """``cause`` is what brought the record back; ``erasure_id`` the erasure it was gone by. Never the identifier."""

    erasure_id = serializers.UUIDField(source="suppressed.erasure")
    search_id = serializers.UUIDField(source="search", allow_null=True)
    state = serializers.ChoiceField(choices=ReturnState.choices)

    class Meta:
        model = IdentifierReturn
        fields = [
            *("id", "dataset_id", "record_id", "cause", "seen_at", "erasure_id", "state", "search_id"),
            *("ground", "settled_by", "settled_at"),
        ]


class SubjectReturnPage(serializers.Serializer[Any]):
    data = SubjectReturnOutput(many=True)  # type: ignore[assignment]
    pagination = serializers.DictField()


class ReturnDismissInput(StrictInput):
    """Why the record stays; no personal data."""

    ground = serializers.CharField(max_length=MAX_GROUND)


class ReturnEraseInput(StrictInput):
    """The ground of the first erasure, where none is given."""

    legal_basis = serializers.ChoiceField(choices=LegalBasis.choices, required=False)
