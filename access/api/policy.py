"""REST: how the vault would decide, in the customer's contract."""

from collections.abc import Mapping
from typing import Any, Final

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.services.inquiries import Asked, Reply, describe_obligation, inquire
from vaultsite.kernel.api.views import VaultAPIView

DECISIONS: Final = {"allow": "ALLOW", "deny": "DENY", "allow_with_conditions": "ALLOW_WITH_CONDITIONS"}
_ID: Final = 200
_CODE: Final = 100


class AttributesField(serializers.DictField):
    """Attributes of a subject by name: texts, for policies ask for nothing else."""

    child = serializers.CharField(max_length=_CODE, allow_blank=True)


class PrincipalInput(serializers.Serializer[Any]):
    id = serializers.CharField(max_length=_ID)
    roles = serializers.ListField(child=serializers.CharField(max_length=_CODE), max_length=100, required=False)
    attributes = AttributesField(required=False)


class ResourceInput(serializers.Serializer[Any]):
    dataset_id = serializers.UUIDField()
    classification = serializers.CharField(max_length=_CODE, required=False, allow_blank=True)
    tags = serializers.ListField(child=serializers.CharField(max_length=_CODE), max_length=100, required=False)


class ContextInput(serializers.Serializer[Any]):
    purpose = serializers.CharField(max_length=_CODE, required=False, allow_blank=True)
    timestamp = serializers.DateTimeField(required=False)
    ip_address = serializers.IPAddressField(required=False)


class EvaluateInput(serializers.Serializer[Any]):
    """Who wants to do what to which dataset, and why."""

    principal = PrincipalInput()
    resource = ResourceInput()
    action = serializers.CharField(max_length=_CODE)
    context = ContextInput(required=False)  # type: ignore[assignment]


def asked_in(body: Mapping[str, Any]) -> Asked:
    """The question of a body that was found valid."""
    who, what, around = body["principal"], body["resource"], body.get("context", {})
    tags = what.get("tags")
    return Asked(
        subject_id=who["id"],
        action=body["action"],
        roles=tuple(who.get("roles", ())),
        attributes=who.get("attributes", {}),
        resource_id=str(what["dataset_id"]),
        classification=what.get("classification", ""),
        tags=None if tags is None else tuple(tags),
        purpose=around.get("purpose") or None,
        time=around.get("timestamp"),
        ip_address=around.get("ip_address", ""),
    )


class ObligationOutput(serializers.Serializer[Any]):
    """``type`` says what must be done; the other members depend on it."""

    type = serializers.CharField()
    fields = serializers.ListField(child=serializers.CharField(), required=False)  # type: ignore[assignment]
    level = serializers.CharField(required=False)
    operator = serializers.CharField(required=False)
    policy = serializers.CharField(required=False)
    value = serializers.CharField(required=False)


class EvaluateOutput(serializers.Serializer[Any]):
    decision = serializers.CharField(help_text="ALLOW, DENY or ALLOW_WITH_CONDITIONS")
    obligations = ObligationOutput(many=True)
    ttl = serializers.IntegerField(help_text="Seconds for which the answer may be kept; 0: not at all")


class EvaluateView(VaultAPIView):
    resource_type = "policy"

    @extend_schema(request=EvaluateInput, responses=EvaluateOutput)
    def post(self, request: Request) -> Response:
        """Whether somebody may do something to a dataset, and under which obligations.

        What the vault knows of the principal and the dataset goes before what the request says of them.
        """
        body = EvaluateInput(data=request.data)
        body.is_valid(raise_exception=True)
        (reply,) = inquire(self.principal, [asked_in(body.validated_data)])
        return Response(render(reply))


def render(reply: Reply) -> dict[str, Any]:
    """A reply in the members of the contract."""
    return {
        "decision": DECISIONS[reply.decision.effect],
        "obligations": [describe_obligation(one) for one in reply.decision.obligations],
        "ttl": reply.ttl_seconds,
    }
