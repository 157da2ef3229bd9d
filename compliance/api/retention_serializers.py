"""Shapes of retention in the REST API."""

from typing import Any

from rest_framework import serializers

from access.api.bodies import StrictInput
from compliance.models import (
    RetentionAction,
    RetentionClock,
    RetentionEvent,
    RetentionPolicy,
    RetentionRun,
    RetentionStart,
    RetentionStep,
    StepOutcome,
)
from compliance.models.retention import MAX_BASIS, MAX_NAME
from compliance.retention.evaluate import Judgement
from compliance.retention.policies import MAX_CONDITIONS, MAX_DAYS, MAX_GRACE
from compliance.retention.preview import CalendarMonth, Preview
from datasets.models import Classification, Masking

_TERMS = [
    *("name", "legal_basis", "starts", "event", "minimum_days", "duration_days", "action", "grace_days"),
    *("classifications", "tags", "purposes"),
]


class RetentionPolicyInput(StrictInput):
    """``starts``: from when ``minimum_days`` and ``duration_days`` count; an empty list is no condition."""

    name = serializers.CharField(max_length=MAX_NAME)
    legal_basis = serializers.CharField(max_length=MAX_BASIS)
    starts = serializers.ChoiceField(choices=RetentionStart.choices)
    event = serializers.CharField(max_length=64, required=False, allow_blank=True)
    minimum_days = serializers.IntegerField(min_value=1, max_value=MAX_DAYS, required=False, allow_null=True)
    duration_days = serializers.IntegerField(min_value=1, max_value=MAX_DAYS, required=False, allow_null=True)
    action = serializers.ChoiceField(choices=RetentionAction.choices, required=False, allow_blank=True)
    grace_days = serializers.IntegerField(min_value=0, max_value=MAX_GRACE, required=False)
    classifications = serializers.ListField(
        child=serializers.ChoiceField(choices=Classification.choices), max_length=MAX_CONDITIONS, required=False
    )
    tags = serializers.ListField(child=serializers.CharField(max_length=64), max_length=MAX_CONDITIONS, required=False)
    purposes = serializers.ListField(
        child=serializers.CharField(max_length=64), max_length=MAX_CONDITIONS, required=False
    )


class RetentionPolicyOutput(serializers.ModelSerializer[RetentionPolicy]):
    starts = serializers.ChoiceField(choices=RetentionStart.choices)
    action = serializers.ChoiceField(choices=RetentionAction.choices, allow_blank=True)
    classifications = serializers.ListField(child=serializers.CharField())
    tags = serializers.ListField(child=serializers.CharField())
    purposes = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = RetentionPolicy
        fields = ["id", *_TERMS, "revision", "created_by", "created_at", "updated_at"]


class RetentionPagingOutput(serializers.Serializer[Any]):
    next_cursor = serializers.CharField(allow_null=True)
    limit = serializers.IntegerField()


class RetentionPolicyListOutput(serializers.Serializer[Any]):
    data = RetentionPolicyOutput(many=True)  # type: ignore[assignment]
    pagination = RetentionPagingOutput()


class RetentionPreviewInput(StrictInput):
    """``policy``: how one would act that is not in force; ``instead_of``: the one in force that it would replace."""

    days = serializers.IntegerField(min_value=0, max_value=MAX_DAYS, default=0)
    policy = RetentionPolicyInput(required=False)
    instead_of = serializers.UUIDField(required=False)


class JudgementOutput(serializers.Serializer[Judgement]):
    """``acts_at`` is when ``action`` is due, ``keep_until`` the end of the longest minimum, each null if never.

    ``findings``: how many findings its branches show, where it is to be anonymized; else null.
    """

    dataset_id = serializers.UUIDField(source="dataset.pk")
    dataset_name = serializers.CharField(source="dataset.name")
    legal_hold = serializers.BooleanField(source="dataset.legal_hold")
    action = serializers.CharField(allow_blank=True)
    acts_at = serializers.DateTimeField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True)
    keep_until = serializers.DateTimeField(allow_null=True)
    policy_id = serializers.SerializerMethodField()
    legal_basis = serializers.SerializerMethodField()
    findings = serializers.IntegerField(allow_null=True)

    def get_policy_id(self, one: Judgement) -> str | None:
        """The policy in force that acts; null for the one that is only tried."""
        return str(one.policy.pk) if one.policy and not one.policy._state.adding else None  # noqa: SLF001

    def get_legal_basis(self, one: Judgement) -> str:
        """What asks for the longest minimum."""
        return one.keep_policy.legal_basis if one.keep_policy else one.dataset.keep_basis


class RetentionPreviewOutput(serializers.Serializer[Preview]):
    """Counts are of all datasets of the organization, ``datasets`` the first hundred of those that you may see."""

    by = serializers.DateTimeField()
    affected = serializers.IntegerField()
    held = serializers.IntegerField()
    kept = serializers.IntegerField()
    acts = serializers.DictField(child=serializers.IntegerField())
    datasets = JudgementOutput(many=True, source="judgements")


class CalendarMonthOutput(serializers.Serializer[CalendarMonth]):
    """``month``: its first day; null: due already."""

    month = serializers.DateTimeField(format="%Y-%m-%d", allow_null=True)
    counts = serializers.DictField(child=serializers.IntegerField())


class RetentionCalendarOutput(serializers.Serializer[Any]):
    data = CalendarMonthOutput(many=True)  # type: ignore[assignment]


class RetentionRunOutput(serializers.ModelSerializer[RetentionRun]):
    """``counts``: of datasets by what became of them; in the stage "clock" it waits for the time to be confirmed."""

    progress = serializers.DictField()
    counts = serializers.DictField(child=serializers.IntegerField())

    class Meta:
        model = RetentionRun
        fields = [
            *("id", "status", "progress", "counts", "requested_by", "error_code"),
            *("created_at", "started_at", "finished_at"),
        ]


class RetentionRunListOutput(serializers.Serializer[Any]):
    data = RetentionRunOutput(many=True)  # type: ignore[assignment]
    pagination = RetentionPagingOutput()


class AnonymizedOutput(serializers.ModelSerializer[Masking]):
    """``masked_count``: records in the ``version_count`` new versions; ``erased_count``: records of which what was
    there before goes, from every version.
    """

    class Meta:
        model = Masking
        fields = ["status", "masked_count", "version_count", "erased_count", "error_code", "finished_at"]


class RetentionStepOutput(serializers.ModelSerializer[RetentionStep]):
    """``anonymized``: how far that is by now, where the run began it or found it done; else null."""

    policy_id = serializers.UUIDField()
    action = serializers.ChoiceField(choices=RetentionAction.choices)
    outcome = serializers.ChoiceField(choices=StepOutcome.choices)
    anonymized = AnonymizedOutput(allow_null=True, read_only=True, default=None)

    class Meta:
        model = RetentionStep
        fields = ["id", "dataset_id", "policy_id", "action", "outcome", "error_code", "anonymized", "decided_at"]


class RetentionStepListOutput(serializers.Serializer[Any]):
    data = RetentionStepOutput(many=True)  # type: ignore[assignment]
    pagination = RetentionPagingOutput()


class RetentionEventInput(StrictInput):
    dataset_id = serializers.UUIDField()
    name = serializers.CharField(max_length=64)
    occurred_at = serializers.DateTimeField()


class RetentionEventOutput(serializers.ModelSerializer[RetentionEvent]):
    dataset_id = serializers.UUIDField()

    class Meta:
        model = RetentionEvent
        fields = ["id", "dataset_id", "name", "occurred_at", "recorded_by", "recorded_at"]


class RetentionClockOutput(serializers.ModelSerializer[RetentionClock]):
    """``suspected_at``: since when runs wait for somebody to confirm the time; null: they do not."""

    class Meta:
        model = RetentionClock
        fields = ["seen_at", "suspected_at", "suspicion", "confirmed_by", "confirmed_at"]
