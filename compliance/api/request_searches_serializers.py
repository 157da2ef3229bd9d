"""Shapes of what a request of a data subject starts: the search for them, and their erasure."""

from typing import Any

from rest_framework import serializers

from access.api.bodies import StrictInput
from compliance.api.subjects_serializers import (
    SubjectErasureOutput,
    SubjectErasurePartOutput,
    SubjectIdentifierInput,
    SubjectSearchOutput,
)
from compliance.models import LegalBasis
from compliance.requests.sealed import MAX_TEXT
from compliance.subjects.identifiers import MAX_IDENTIFIERS, Identifier
from datasets.models import ProcessingRestriction


class RequestSearchInput(StrictInput):
    """``identifiers`` stand in place of what the request says of the subject; without them that is searched for."""

    identifiers = SubjectIdentifierInput(many=True, required=False, max_length=MAX_IDENTIFIERS)  # type: ignore[call-arg]

    def given(self) -> list[Identifier]:
        return [Identifier(**one) for one in self.validated_data.get("identifiers", ())]


class RequestSearchOutput(serializers.Serializer[Any]):
    """``undecided`` matches wait for somebody; ``skipped`` things given of the subject are too short to look for."""

    search = SubjectSearchOutput()
    undecided = serializers.IntegerField()
    skipped = serializers.IntegerField()


class RequestErasureInput(StrictInput):
    legal_basis = serializers.ChoiceField(choices=LegalBasis.choices)


class RequestErasureOutput(serializers.Serializer[Any]):
    """``conflicts`` are what datasets refused to erase, each with its ground."""

    erasure = SubjectErasureOutput()
    conflicts = SubjectErasurePartOutput(many=True)
    has_receipt = serializers.BooleanField()
    recipients = serializers.IntegerField()
    recipients_to_tell = serializers.IntegerField()


class RestrictionInput(StrictInput):
    """``purposes`` are those that were objected to; none: all of them."""

    purposes = serializers.ListField(child=serializers.CharField(max_length=64), required=False, max_length=100)


class RestrictionOutput(serializers.ModelSerializer[ProcessingRestriction]):
    """``purpose`` is empty where it is for all of them."""

    class Meta:
        model = ProcessingRestriction
        fields = ["id", "purpose", "imposed_by", "imposed_at"]


class RestrictionListOutput(serializers.Serializer[Any]):
    data = RestrictionOutput(many=True)  # type: ignore[assignment]


class RestrictionEndInput(StrictInput):
    """What the subject is told."""

    message = serializers.CharField(max_length=MAX_TEXT)
