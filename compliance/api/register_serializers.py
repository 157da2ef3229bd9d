"""Shapes of the register."""

from typing import Any

from rest_framework import serializers

from access.api.bodies import StrictInput
from compliance.api.consents_serializers import ConsentPagingOutput
from compliance.models import PartyRole, Safeguard


class PartyInput(StrictInput):
    """``country`` is where it processes (ISO 3166), ``does`` what it does, in words."""

    role = serializers.ChoiceField(choices=PartyRole.choices, required=False, default=PartyRole.PROCESSOR)
    name = serializers.CharField(max_length=200)
    contact = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    country = serializers.CharField(max_length=2, required=False, allow_blank=True, default="")
    safeguard = serializers.ChoiceField(choices=Safeguard.choices, required=False, default=Safeguard.NONE)
    contract_reference = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    does = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class PartyOutput(serializers.Serializer[Any]):
    """``is_transfer``: personal data leaves the EEA to it."""

    id = serializers.UUIDField()
    role = serializers.ChoiceField(choices=PartyRole.choices)
    name = serializers.CharField()
    contact = serializers.CharField(allow_blank=True)
    country = serializers.CharField(allow_blank=True)
    safeguard = serializers.ChoiceField(choices=Safeguard.choices)
    contract_reference = serializers.CharField(allow_blank=True)
    does = serializers.CharField(allow_blank=True)
    is_transfer = serializers.BooleanField()
    added_at = serializers.DateTimeField()


class PartyListOutput(serializers.Serializer[Any]):
    data = PartyOutput(many=True)  # type: ignore[assignment]
    pagination = ConsentPagingOutput()


class RegisterInput(StrictInput):
    """As whom the register is asked for, and in which form."""

    role = serializers.ChoiceField(choices=["controller", "processor"], required=False, default="controller")

    def get_fields(self) -> dict[str, Any]:
        """``as`` is a word of Python, so it cannot be declared as a member."""
        kind = serializers.ChoiceField(choices=["json", "csv"], required=False, default="json")
        return super().get_fields() | {"as": kind}
