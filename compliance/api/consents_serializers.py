"""Shapes of consents and purposes."""

from typing import Any

from rest_framework import serializers

from access.api.bodies import StrictInput
from access.models import LawfulBasis, SpecialCondition
from compliance.consents.people import MAX_IDENTIFIERS, MAX_VALUE, Identifier
from compliance.consents.purposes import Terms
from compliance.consents.record import MAX_EVIDENCE, Given
from compliance.models import WithdrawalEffect


class IdentifierInput(StrictInput):
    """One identifier of a person: an entity type such as EMAIL_ADDRESS, or the one a dataset declares, and a value."""

    type = serializers.CharField(max_length=64)
    value = serializers.CharField(max_length=MAX_VALUE)


class PersonInput(StrictInput):
    identifiers = serializers.ListField(child=IdentifierInput(), max_length=MAX_IDENTIFIERS)

    def identifiers_given(self) -> tuple[Identifier, ...]:
        return tuple(Identifier(one["type"], one["value"]) for one in self.validated_data["identifiers"])


class ConsentInput(PersonInput):
    purpose = serializers.CharField(max_length=63)
    given_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    source = serializers.CharField(max_length=63, required=False, default="api")  # type: ignore[assignment]
    evidence = serializers.CharField(max_length=MAX_EVIDENCE, required=False, allow_blank=True, default="")

    def given(self) -> Given:
        said = self.validated_data
        return Given(self.identifiers_given(), said["given_at"], said["source"], said["expires_at"], said["evidence"])


class WithdrawalInput(StrictInput):
    """``effect``: what is done with the records; what the purpose says where it is not given."""

    channel = serializers.CharField(max_length=63, required=False, default="api")
    effect = serializers.ChoiceField(choices=WithdrawalEffect.choices, required=False, allow_null=True, default=None)


class PersonWithdrawalInput(PersonInput, WithdrawalInput):
    purpose = serializers.CharField(max_length=63)


class ImportInput(StrictInput):
    purpose = serializers.CharField(max_length=63)
    format = serializers.ChoiceField(choices=["jsonl", "csv"], required=False, default="jsonl")


class TermsInput(StrictInput):
    description = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    lawful_basis = serializers.ChoiceField(choices=LawfulBasis.choices, required=False, allow_blank=True, default="")
    special_condition = serializers.ChoiceField(
        choices=SpecialCondition.choices, required=False, allow_blank=True, default=""
    )
    on_withdrawal = serializers.ChoiceField(
        choices=WithdrawalEffect.choices, required=False, default=WithdrawalEffect.RESTRICT
    )
    subjects = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    time_limit = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    note = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")
    is_active = serializers.BooleanField(required=False, default=True)

    def terms(self) -> Terms:
        said = {name: value for name, value in self.validated_data.items() if name != "code"}
        return Terms(**said)


class PurposeInput(TermsInput):
    code = serializers.CharField(max_length=63)


class ConsentOutput(serializers.Serializer[Any]):
    """Nothing names the person; ``pseudonym`` is the same for the same identifiers."""

    id = serializers.UUIDField()
    purpose = serializers.CharField()
    pseudonym = serializers.CharField()
    state = serializers.ChoiceField(choices=["given", "expired", "withdrawn"])
    given_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    withdrawn_at = serializers.DateTimeField(allow_null=True)
    channel = serializers.CharField(allow_blank=True)
    source = serializers.CharField()  # type: ignore[assignment]
    evidence = serializers.CharField(allow_blank=True)
    identifiers = serializers.IntegerField()
    recorded_at = serializers.DateTimeField()
    recorded_by = serializers.UUIDField()


class ConsentPagingOutput(serializers.Serializer[Any]):
    next_cursor = serializers.CharField(allow_null=True)
    limit = serializers.IntegerField()


class ConsentListOutput(serializers.Serializer[Any]):
    data = ConsentOutput(many=True)  # type: ignore[assignment]
    pagination = ConsentPagingOutput()


class WithdrawnOutput(serializers.Serializer[Any]):
    """``datasets``: in how many the subject index finds the person. ``task_id``: what a privacy officer decides on."""

    consents = serializers.IntegerField()
    datasets = serializers.IntegerField()
    task_id = serializers.UUIDField(allow_null=True)


class ImportedOutput(serializers.Serializer[Any]):
    recorded = serializers.IntegerField()
    known = serializers.IntegerField()


class ConsentCountsOutput(serializers.Serializer[Any]):
    given = serializers.IntegerField()
    expired = serializers.IntegerField()
    withdrawn = serializers.IntegerField()


class PurposeOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    lawful_basis = serializers.ChoiceField(choices=LawfulBasis.choices, allow_blank=True)
    special_condition = serializers.ChoiceField(choices=SpecialCondition.choices, allow_blank=True)
    on_withdrawal = serializers.ChoiceField(choices=WithdrawalEffect.choices)
    subjects = serializers.CharField(allow_blank=True)
    time_limit = serializers.CharField(allow_blank=True)
    note = serializers.CharField(allow_blank=True)
    is_active = serializers.BooleanField()
    needs_consent = serializers.BooleanField()
    consents = ConsentCountsOutput()


class PurposeListOutput(serializers.Serializer[Any]):
    data = PurposeOutput(many=True)  # type: ignore[assignment]
    pagination = ConsentPagingOutput()
