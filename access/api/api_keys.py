"""REST: API keys. The key itself is in the answer that makes it, and in no other."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.strict import StrictInput
from access.models import ApiKey
from access.models.api_key import USUAL_RATE
from access.services.api_keys import (
    HIGHEST_RATE,
    LISTED,
    LONGEST_DAYS,
    MOST_DATASETS,
    KeyLimits,
    create_api_key,
    get_api_key,
    list_api_keys,
    revoke_api_key,
    rotate_api_key,
)
from vaultsite.kernel.api.pagination import page
from vaultsite.kernel.api.views import VaultAPIView


def _texts(most: int) -> Any:
    child = serializers.CharField(max_length=100)
    return serializers.ListField(child=child, required=False, default=list, max_length=most)


class ApiKeyInput(StrictInput):
    """Either ``service_account_id`` or ``roles`` (codes). Empty lists narrow nothing."""

    name = serializers.CharField(max_length=100)
    service_account_id = serializers.UUIDField(required=False, allow_null=True, default=None)
    roles = _texts(50)
    scopes = _texts(200)
    allowed_networks = _texts(50)
    datasets = serializers.ListField(
        child=serializers.UUIDField(), required=False, default=list, max_length=MOST_DATASETS
    )
    requests_per_minute = serializers.IntegerField(
        min_value=1, max_value=HIGHEST_RATE, required=False, default=USUAL_RATE
    )
    default_purpose = serializers.CharField(max_length=63, required=False, default="", allow_blank=True)
    days = serializers.IntegerField(min_value=1, max_value=LONGEST_DAYS, required=False, default=LONGEST_DAYS)


class KeyRotationInput(StrictInput):
    """The key goes on for ``overlap_hours`` beside its successor, which lives for ``days``."""

    overlap_hours = serializers.IntegerField(min_value=0, max_value=168, required=False, default=24)
    days = serializers.IntegerField(min_value=1, max_value=LONGEST_DAYS, required=False, default=LONGEST_DAYS)


class ApiKeyOutput(serializers.Serializer[Any]):
    """A key without its secret."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    service_account_id = serializers.UUIDField(allow_null=True)
    scopes = serializers.ListField(child=serializers.CharField())
    allowed_networks = serializers.ListField(child=serializers.CharField())
    datasets = serializers.ListField(child=serializers.UUIDField())
    requests_per_minute = serializers.IntegerField()
    default_purpose = serializers.CharField()
    predecessor_id = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)


class NewApiKeyOutput(ApiKeyOutput):
    """``key`` is the credential, this once."""

    key = serializers.CharField()


class ApiKeyListView(VaultAPIView):
    resource_type = "api_key"

    @extend_schema(responses=ApiKeyOutput(many=True))
    def get(self, _: Request) -> Response:
        """The newest keys, live or not."""
        rows = list(ApiKeyOutput(list_api_keys(self.principal), many=True).data)
        return Response(page(rows, limit=LISTED, next_cursor=None))

    @extend_schema(request=ApiKeyInput, responses={201: NewApiKeyOutput})
    def post(self, request: Request) -> Response:
        """Make a key."""
        body = ApiKeyInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        limits = KeyLimits(
            scopes=given["scopes"],
            allowed_networks=given["allowed_networks"],
            datasets=given["datasets"],
            requests_per_minute=given["requests_per_minute"],
        )
        key, token = create_api_key(
            self.principal,
            name=given["name"],
            roles=given["roles"],
            default_purpose=given["default_purpose"],
            days=given["days"],
            service_account_id=given["service_account_id"],
            limits=limits,
        )
        return _made(key, token)


class ApiKeyView(VaultAPIView):
    resource_type = "api_key"

    @extend_schema(responses=ApiKeyOutput)
    def get(self, _: Request, api_key_id: UUID) -> Response:
        """One key."""
        return Response(ApiKeyOutput(get_api_key(self.principal, key_id=api_key_id)).data)

    @extend_schema(responses={204: None})
    def delete(self, _: Request, api_key_id: UUID) -> Response:
        """Revoke the key: it opens nothing from the next request on."""
        revoke_api_key(self.principal, key_id=api_key_id)
        return Response(status=204)


class ApiKeyRotationView(VaultAPIView):
    resource_type = "api_key"

    @extend_schema(request=KeyRotationInput, responses={201: NewApiKeyOutput})
    def post(self, request: Request, api_key_id: UUID) -> Response:
        """Make the successor of a key; both open for the overlap."""
        body = KeyRotationInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        overlap = timedelta(hours=given["overlap_hours"])
        return _made(*rotate_api_key(self.principal, key_id=api_key_id, overlap=overlap, days=given["days"]))


def _made(key: ApiKey, token: str) -> Response:
    key.refresh_from_db()
    response = Response({**ApiKeyOutput(key).data, "key": token}, status=201)
    response["Location"] = f"/api/v1/api-keys/{key.pk}"
    response["Cache-Control"] = "no-store"
    return response
