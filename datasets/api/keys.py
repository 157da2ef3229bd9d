"""REST: keys, their rotation, and their end."""

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.models import KeyPurpose
from access.services.key_rotation import confirm_destruction, request_destruction, withdraw_destruction
from datasets.models import KeyRotation
from datasets.services.descriptions import refuse_personal_data
from datasets.services.rotation.overview import KeyFamily, KeyView, list_keys
from datasets.services.rotation.request import REQUESTABLE, get_rotation, start_rotation, uses_at_stake
from vaultsite.kernel.api.inputs import StrictInput
from vaultsite.kernel.api.views import VaultAPIView


class RotationInput(StrictInput):
    """``dataset_id`` belongs to the purpose ``dataset``, and to no other."""

    purpose = serializers.ChoiceField(choices=[purpose.value for purpose in REQUESTABLE])
    dataset_id = serializers.UUIDField(required=False, allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs["purpose"] == KeyPurpose.DATASET) != (attrs["dataset_id"] is not None):
            raise serializers.ValidationError({"dataset_id": "for the purpose dataset, and for no other"})
        return attrs


class RotationOutput(serializers.ModelSerializer[KeyRotation]):
    class Meta:
        model = KeyRotation
        fields = [
            "id",
            "purpose",
            "dataset_id",
            "reason",
            "status",
            "progress",
            "moved_count",
            "new_key",
            "error",
            "created_at",
            "started_at",
            "finished_at",
        ]


class DestructionInput(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=1000)


class ConfirmationInput(serializers.Serializer[Any]):
    """``accepts_loss``: objects that only this key opens may become unreadable."""

    accepts_loss = serializers.BooleanField(required=False, default=False)


class KeyListView(VaultAPIView):
    resource_type = "encryption_key"

    @extend_schema(parameters=[OpenApiParameter("dataset_id", OpenApiTypes.UUID)], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """Every key with its versions, age and use; never the key."""
        query = KeyQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        families = list_keys(self.principal, dataset_id=query.validated_data.get("dataset_id"))
        return Response({"data": [_family_json(one) for one in families]})


class KeyQuery(serializers.Serializer[Any]):
    dataset_id = serializers.UUIDField(required=False)


class RotationListView(VaultAPIView):
    resource_type = "encryption_key"

    @extend_schema(request=RotationInput, responses={202: RotationOutput})
    def post(self, request: Request) -> Response:
        """Give a key a successor; a job wraps anew or seals anew what is under keys of keys and of datasets."""
        body = RotationInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        row = start_rotation(self.principal, purpose=KeyPurpose(given["purpose"]), dataset_id=given["dataset_id"])
        response = Response(RotationOutput(row).data, status=202)
        response["Location"] = f"/api/v1/keys/rotations/{row.pk}"
        return response


class RotationView(VaultAPIView):
    resource_type = "encryption_key"

    @extend_schema(responses=RotationOutput)
    def get(self, _: Request, rotation_id: UUID) -> Response:
        """How far a rotation has come."""
        return Response(RotationOutput(get_rotation(self.principal, rotation_id)).data)


class DestructionView(VaultAPIView):
    resource_type = "encryption_key"

    @extend_schema(request=DestructionInput, responses={202: OpenApiTypes.OBJECT})
    def post(self, request: Request, key_id: UUID) -> Response:
        """Ask for the end of a key that no longer seals; somebody else confirms it."""
        body = DestructionInput(data=request.data)
        body.is_valid(raise_exception=True)
        reason = body.validated_data["reason"]
        refuse_personal_data(reason=reason)
        asked = request_destruction(self.principal, key_id=key_id, reason=reason)
        answer = {"key_id": str(key_id), "requested_by": str(asked.requested_by), "requested_at": asked.requested_at}
        return Response(answer, status=202)

    @extend_schema(responses={204: None})
    def delete(self, _: Request, key_id: UUID) -> Response:
        """Take the request back."""
        withdraw_destruction(self.principal, key_id=key_id)
        return Response(status=204)


class ConfirmationView(VaultAPIView):
    resource_type = "encryption_key"

    @extend_schema(request=ConfirmationInput, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, key_id: UUID) -> Response:
        """Destroy the key, as the second person."""
        body = ConfirmationInput(data=request.data)
        body.is_valid(raise_exception=True)
        accepts = body.validated_data["accepts_loss"]
        key = confirm_destruction(self.principal, key_id=key_id, count_uses=uses_at_stake, accepts_loss=accepts)
        return Response({"key_id": str(key.pk), "state": key.state})


def _family_json(family: KeyFamily) -> dict[str, Any]:
    return {
        "purpose": family.purpose,
        "dataset_id": str(family.dataset.pk) if family.dataset else None,
        "dataset": family.dataset.name if family.dataset else None,
        "versions": [_version_json(one) for one in family.versions],
    }


def _version_json(view: KeyView) -> dict[str, Any]:
    key, asked = view.key, view.destruction
    return {
        "id": str(key.pk),
        "version": key.version,
        "state": key.state,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "age_days": view.age_days,
        "uses": view.uses,
        "kms_provider": key.kms_provider or None,
        "destruction_requested_by": str(asked.requested_by) if asked else None,
    }
