"""REST: standing permissions on one dataset."""

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.services.authorize import authorize
from datasets.models import DatasetGroupPermission, DatasetUserPermission
from datasets.selectors import get_dataset, resource_of
from datasets.services.group_permissions import grant_to_group, list_group_permissions, revoke_from_group
from datasets.services.permissions import LEVELS, WORDS, grant_permission, list_permissions, revoke_permissions
from vaultsite.kernel.api.inputs import StrictInput
from vaultsite.kernel.api.pagination import MAX_LIMIT, page
from vaultsite.kernel.api.views import VaultAPIView


class PermissionInput(StrictInput):
    """``user`` is a person's id; without ``expires_at`` the permission stands until it is taken away."""

    user = serializers.UUIDField()
    permission = serializers.ChoiceField(choices=list(LEVELS))
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class PermissionOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    user = serializers.UUIDField()
    username = serializers.CharField()
    permission = serializers.ChoiceField(choices=list(LEVELS))
    granted_by = serializers.UUIDField()
    granted_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)


def permission_json(row: DatasetUserPermission) -> dict[str, Any]:
    facts = {
        "id": row.pk,
        "user": row.user_id,
        "username": row.user.username,
        "permission": WORDS[row.permission.codename],
        "granted_by": row.granted_by,
        "granted_at": row.granted_at,
        "expires_at": row.expires_at,
    }
    return dict(PermissionOutput(facts).data)


class PermissionListView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(responses=PermissionOutput(many=True))
    def get(self, _: Request, dataset_id: UUID) -> Response:
        """Who was given what on the dataset, beside their roles."""
        dataset = get_dataset(self.principal, dataset_id, action="access.read")
        authorize(self.principal, "access.read", resource_of(dataset))
        rows = list_permissions(dataset)[:MAX_LIMIT]
        return Response(page([permission_json(row) for row in rows], limit=MAX_LIMIT, next_cursor=None))

    @extend_schema(request=PermissionInput, responses={201: PermissionOutput})
    def post(self, request: Request, dataset_id: UUID) -> Response:
        """Give a person a permission on the dataset; giving it again moves its end."""
        get_dataset(self.principal, dataset_id, action="permission.manage")
        body = PermissionInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        row = grant_permission(
            self.principal,
            dataset_id=dataset_id,
            user_id=given["user"],
            level=given["permission"],
            expires_at=given["expires_at"],
        )
        row.refresh_from_db()
        return Response(permission_json(row), status=201)


class PermissionView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(
        parameters=[OpenApiParameter("permission", OpenApiTypes.STR, enum=list(LEVELS), description="One of them.")],
        responses={204: None},
    )
    def delete(self, request: Request, dataset_id: UUID, user_id: UUID) -> Response:
        """Take every permission of a person on the dataset away, or the one named."""
        level = request.query_params.get("permission", "")
        revoke_permissions(self.principal, dataset_id=dataset_id, user_id=user_id, level=level)
        return Response(status=204)


class GroupPermissionInput(StrictInput):
    """``group`` is a group's id; without ``expires_at`` the permission stands until it is taken away."""

    group = serializers.UUIDField()
    permission = serializers.ChoiceField(choices=list(LEVELS))
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class GroupPermissionOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    group = serializers.UUIDField()
    display_name = serializers.CharField()
    permission = serializers.ChoiceField(choices=list(LEVELS))
    granted_by = serializers.UUIDField()
    granted_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)


def group_permission_json(row: DatasetGroupPermission) -> dict[str, Any]:
    facts = {
        "id": row.pk,
        "group": row.group_id,
        "display_name": row.group.display_name,
        "permission": WORDS[row.permission.codename],
        "granted_by": row.granted_by,
        "granted_at": row.granted_at,
        "expires_at": row.expires_at,
    }
    return dict(GroupPermissionOutput(facts).data)


class GroupPermissionListView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(responses=GroupPermissionOutput(many=True))
    def get(self, _: Request, dataset_id: UUID) -> Response:
        """Which groups were given what on the dataset."""
        dataset = get_dataset(self.principal, dataset_id, action="access.read")
        authorize(self.principal, "access.read", resource_of(dataset))
        rows = list_group_permissions(dataset)[:MAX_LIMIT]
        return Response(page([group_permission_json(row) for row in rows], limit=MAX_LIMIT, next_cursor=None))

    @extend_schema(request=GroupPermissionInput, responses={201: GroupPermissionOutput})
    def post(self, request: Request, dataset_id: UUID) -> Response:
        """Give every member of a group a permission on the dataset; giving it again moves its end."""
        get_dataset(self.principal, dataset_id, action="permission.manage")
        body = GroupPermissionInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        row = grant_to_group(
            self.principal,
            dataset_id=dataset_id,
            group_id=given["group"],
            level=given["permission"],
            expires_at=given["expires_at"],
        )
        row.refresh_from_db()
        return Response(group_permission_json(row), status=201)


class GroupPermissionView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(
        parameters=[OpenApiParameter("permission", OpenApiTypes.STR, enum=list(LEVELS), description="One of them.")],
        responses={204: None},
    )
    def delete(self, request: Request, dataset_id: UUID, group_id: UUID) -> Response:
        """Take every permission of a group on the dataset away, or the one named."""
        level = request.query_params.get("permission", "")
        revoke_from_group(self.principal, dataset_id=dataset_id, group_id=group_id, level=level)
        return Response(status=204)
