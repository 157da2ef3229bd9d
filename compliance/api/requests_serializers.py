"""Shapes of requests of data subjects."""

from typing import Any

from rest_framework import serializers

from access.api.bodies import StrictInput
from compliance.models import Correspondence, SubjectRequest
from compliance.models.request import (
    Channel,
    Direction,
    IdentityMethod,
    Law,
    LegalBasis,
    RefusalGround,
    RequestOutcome,
    RequestType,
    SubjectRequestState,
)
from compliance.requests.cases import GROUNDS, METHODS
from compliance.requests.matches import MAX_DATASETS, MAX_RECORDS
from compliance.requests.sealed import MAX_CONTACT, MAX_IDENTIFIERS, MAX_NAME, MAX_SUBJECT, MAX_TEXT, Letter
from compliance.requests.selectors import days_left
from compliance.requests.states import BY_HAND, clock


class SubjectOutput(serializers.Serializer[Any]):
    """Who asks; shown to those who work on requests."""

    name = serializers.CharField()
    contact = serializers.CharField()
    identifiers = serializers.ListField(child=serializers.CharField())
    details = serializers.CharField()
    explanation = serializers.CharField()


class SubjectRequestOutput(serializers.ModelSerializer[SubjectRequest]):
    """``due_on`` is the last day on which an answer is in time; ``days_left`` is null once answered, or while the clock
    stands (``is_paused``).
    """

    type = serializers.ChoiceField(choices=RequestType.choices)
    law = serializers.ChoiceField(choices=Law.choices)
    legal_basis = serializers.ChoiceField(choices=LegalBasis.choices, allow_blank=True)
    channel = serializers.ChoiceField(choices=Channel.choices)
    state = serializers.ChoiceField(choices=SubjectRequestState.choices)
    identity_method = serializers.ChoiceField(choices=IdentityMethod.choices, allow_blank=True)
    refusal_ground = serializers.ChoiceField(choices=RefusalGround.choices, allow_blank=True)
    outcome = serializers.ChoiceField(choices=RequestOutcome.choices, allow_blank=True)
    duplicate_of = serializers.UUIDField(source="duplicate_of_id", allow_null=True)
    is_extended = serializers.SerializerMethodField()
    is_paused = serializers.SerializerMethodField()
    days_left = serializers.SerializerMethodField()
    clock = serializers.SerializerMethodField()

    class Meta:
        model = SubjectRequest
        fields = [
            *("id", "reference", "type", "law", "legal_basis", "channel", "state", "received_at", "due_on"),
            *("days_left", "clock", "is_extended", "extended_at", "is_paused", "paused_days", "assignee"),
            *("identity_method", "verified_by", "verified_at", "duplicate_of", "outcome", "refusal_ground"),
            *("answered_at", "closed_at", "created_by", "created_at"),
        ]

    def get_is_extended(self, request: SubjectRequest) -> bool:
        return request.extended_at is not None

    def get_is_paused(self, request: SubjectRequest) -> bool:
        return request.paused_at is not None

    def get_days_left(self, request: SubjectRequest) -> int | None:
        return days_left(request)

    def get_clock(self, request: SubjectRequest) -> str:
        return f"{clock(request).term} ({clock(request).source})"


class SubjectRequestDetailOutput(SubjectRequestOutput):
    """As in lists, and who asks: null for those who only see that requests exist."""

    subject = SubjectOutput(allow_null=True, read_only=True)

    class Meta(SubjectRequestOutput.Meta):
        fields = [*SubjectRequestOutput.Meta.fields, "subject"]


class SubjectRequestPagingOutput(serializers.Serializer[Any]):
    next_cursor = serializers.CharField(allow_null=True)
    limit = serializers.IntegerField()


class SubjectRequestListOutput(serializers.Serializer[Any]):
    data = SubjectRequestOutput(many=True)  # type: ignore[assignment]
    pagination = SubjectRequestPagingOutput()


class SubjectRequestInput(StrictInput):
    """A request that reached the organization. ``identity`` says by what it was made sure who asks, where it was."""

    type = serializers.ChoiceField(choices=RequestType.choices)
    law = serializers.ChoiceField(choices=Law.choices)
    channel = serializers.ChoiceField(choices=Channel.choices, default=Channel.PROGRAM)
    received_at = serializers.DateTimeField(required=False)
    legal_basis = serializers.ChoiceField(choices=LegalBasis.choices, default=LegalBasis.UNKNOWN)
    name = serializers.CharField(max_length=MAX_NAME)
    contact = serializers.CharField(max_length=MAX_CONTACT)
    identifiers = serializers.ListField(
        child=serializers.CharField(max_length=MAX_CONTACT), max_length=MAX_IDENTIFIERS, default=list
    )
    details = serializers.CharField(max_length=MAX_TEXT, allow_blank=True, default="")
    identity = serializers.ChoiceField(choices=[(one.value, one.label) for one in METHODS], required=False)


class SubjectRequestChangeInput(StrictInput):
    legal_basis = serializers.ChoiceField(choices=LegalBasis.choices)


class SubjectAssignmentInput(StrictInput):
    """Somebody who may work on requests; null for nobody."""

    assignee = serializers.UUIDField(allow_null=True)


class VerificationOfSubjectInput(StrictInput):
    method = serializers.ChoiceField(choices=[(one.value, one.label) for one in METHODS])


class SubjectMoveInput(StrictInput):
    to = serializers.ChoiceField(choices=[(one.value, one.label) for one in BY_HAND])


class SubjectExtensionInput(StrictInput):
    """Why it takes longer: the subject is told."""

    reason = serializers.CharField(max_length=MAX_TEXT)


class SubjectRefusalInput(StrictInput):
    """The ground of law, and what the subject is told."""

    ground = serializers.ChoiceField(choices=[(one.value, one.label) for one in GROUNDS])
    explanation = serializers.CharField(max_length=MAX_TEXT)


class SubjectAnswerInput(StrictInput):
    """What the subject is told; ``ground`` where a part of what they asked for is refused."""

    message = serializers.CharField(max_length=MAX_TEXT)
    ground = serializers.ChoiceField(choices=[(one.value, one.label) for one in GROUNDS], required=False)


class LetterInput(StrictInput):
    """``out`` by ``email`` is sent to the subject."""

    direction = serializers.ChoiceField(choices=Direction.choices)
    channel = serializers.ChoiceField(choices=Channel.choices, default=Channel.EMAIL)
    subject = serializers.CharField(max_length=MAX_SUBJECT, allow_blank=True, default="")
    text = serializers.CharField(max_length=MAX_TEXT)


class LetterOutput(serializers.ModelSerializer[Correspondence]):
    """``mailed_at`` is null for what is no e-mail of ours, or waits to be sent."""

    direction = serializers.ChoiceField(choices=Direction.choices)
    channel = serializers.ChoiceField(choices=Channel.choices)
    subject = serializers.CharField(read_only=True)
    text = serializers.CharField(read_only=True)

    class Meta:
        model = Correspondence
        fields = ["id", "direction", "channel", "subject", "text", "written_by", "created_at", "mailed_at"]

    def to_representation(self, instance: Correspondence) -> dict[str, Any]:
        letter = Letter.of(instance)
        instance.subject, instance.text = letter.subject, letter.text  # type: ignore[attr-defined]
        return super().to_representation(instance)


class LetterListOutput(serializers.Serializer[Any]):
    data = LetterOutput(many=True)  # type: ignore[assignment]


class MatchMember(StrictInput):
    dataset_id = serializers.UUIDField()
    record_ids = serializers.ListField(child=serializers.CharField(max_length=128), max_length=MAX_RECORDS)


class MatchesInput(StrictInput):
    """Every dataset that holds records of the subject, in place of what was entered before."""

    matches = serializers.ListField(child=MatchMember(), max_length=MAX_DATASETS)


class MatchOutput(serializers.Serializer[Any]):
    dataset_id = serializers.UUIDField()
    record_ids = serializers.ListField(child=serializers.CharField())


class MatchListOutput(serializers.Serializer[Any]):
    data = MatchOutput(many=True)  # type: ignore[assignment]


class FormInput(StrictInput):
    """Whether the public form takes requests, and under which law they fall."""

    is_open = serializers.BooleanField()
    law = serializers.ChoiceField(choices=Law.choices)


class FormOutput(FormInput):
    """``address`` is where the form is, while it is open."""

    address = serializers.CharField(read_only=True)
