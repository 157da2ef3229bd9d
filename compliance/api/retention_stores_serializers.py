"""Shapes of the terms over stores in the REST API."""

from typing import Any

from rest_framework import serializers

from access.api.bodies import StrictInput
from access.terms import Store
from compliance.models import RetentionStoreStep, StoreTerm
from compliance.models.retention import MAX_BASIS
from compliance.retention.policies import MAX_DAYS, MAX_GRACE
from compliance.retention.store_terms import StorePreview, StoreState

_STORES = [store.value for store in Store]


class StoreTermInput(StrictInput):
    """``days`` after it was made or changed what the store holds ends; fewer than is usual."""

    days = serializers.IntegerField(min_value=1, max_value=MAX_DAYS)
    grace_days = serializers.IntegerField(min_value=0, max_value=MAX_GRACE, required=False, default=7)
    legal_basis = serializers.CharField(max_length=MAX_BASIS)


class StorePreviewInput(StrictInput):
    """A term that is tried, and how far ahead is looked."""

    days = serializers.IntegerField(min_value=1, max_value=MAX_DAYS)
    grace_days = serializers.IntegerField(min_value=0, max_value=MAX_GRACE, required=False, default=7)
    ahead_days = serializers.IntegerField(min_value=0, max_value=MAX_DAYS, required=False, default=0)


class StoreTermOutput(serializers.ModelSerializer[StoreTerm]):
    class Meta:
        model = StoreTerm
        fields = ["days", "grace_days", "legal_basis", "revision", "changed_by", "changed_at"]


class RetentionStoreOutput(serializers.Serializer[StoreState]):
    """``usual_days``: by the vault's settings, null where makers say; ``term``: what the organization asks for."""

    store = serializers.ChoiceField(choices=_STORES)
    title = serializers.CharField()
    usual_days = serializers.IntegerField(allow_null=True)
    term = StoreTermOutput(allow_null=True)
    standing = serializers.IntegerField()
    held = serializers.IntegerField()
    next_end_at = serializers.DateTimeField(source="next", allow_null=True)


class RetentionStoreListOutput(serializers.Serializer[Any]):
    data = RetentionStoreOutput(many=True)  # type: ignore[assignment]


class StorePreviewOutput(serializers.Serializer[StorePreview]):
    """``shortened`` would get an earlier end, of which ``ending`` are over by ``by``; ``held``, ``promised`` stay."""

    by = serializers.DateTimeField()
    standing = serializers.IntegerField()
    shortened = serializers.IntegerField()
    ending = serializers.IntegerField()
    held = serializers.IntegerField()
    promised = serializers.IntegerField()
    first_end_at = serializers.DateTimeField(source="first_end", allow_null=True)


class RetentionStoreStepOutput(serializers.ModelSerializer[RetentionStoreStep]):
    store = serializers.ChoiceField(choices=_STORES)

    class Meta:
        model = RetentionStoreStep
        fields = ["store", "days", "shortened", "ended", "held", "standing", "decided_at"]


class RetentionStoreStepListOutput(serializers.Serializer[Any]):
    data = RetentionStoreStepOutput(many=True)  # type: ignore[assignment]
