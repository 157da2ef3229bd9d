"""REST: groups and who is in them."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.models import Group
from access.services.groups import (
    MOST_LISTED,
    add_members,
    change_group,
    create_group,
    delete_group,
    get_group,
    list_groups,
    list_members,
    remove_members,
    set_members,
)
from vaultsite.kernel.api.inputs import StrictInput
from vaultsite.kernel.api.pagination import page
from vaultsite.kernel.api.views import VaultAPIView

#: People that one request puts into a group.
_MOST_AT_ONCE = 1000


class GroupChange(StrictInput):
    """Members that are left out stay as they are."""

    display_name = serializers.CharField(max_length=100, required=False)
    description = serializers.CharField(max_length=300, required=False, allow_blank=True)
    external_id = serializers.CharField(max_length=255, required=False, allow_blank=True)


class GroupInput(GroupChange):
    display_name = serializers.CharField(max_length=100)


class MembersInput(StrictInput):
    user_ids = serializers.ListField(child=serializers.UUIDField(), max_length=_MOST_AT_ONCE)


class GroupOutput(serializers.Serializer[Any]):
    """``roles`` are codes of what each member holds by the group now."""

    id = serializers.UUIDField()
    display_name = serializers.CharField()
    description = serializers.CharField()
    external_id = serializers.CharField()
    roles = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def get_roles(self, group: Group) -> list[str]:
        return sorted(binding.role.code for binding in group.bindings.all())


class MemberOutput(serializers.Serializer[Any]):
    """``source`` is empty where somebody put the person there, else names the directory that did."""

    id = serializers.UUIDField(source="user_id")
    username = serializers.CharField(source="user.username")
    source = serializers.CharField()  # type: ignore[assignment]
    added_at = serializers.DateTimeField()


class GroupListView(VaultAPIView):
    resource_type = "group"

    @extend_schema(responses=GroupOutput(many=True))
    def get(self, _: Request) -> Response:
        """Groups by name."""
        rows = list(GroupOutput(list_groups(self.principal), many=True).data)
        return Response(page(rows, limit=MOST_LISTED, next_cursor=None))

    @extend_schema(request=GroupInput, responses={201: GroupOutput})
    def post(self, request: Request) -> Response:
        """Make a group. It holds nothing until it is given a role or a permission."""
        body = GroupInput(data=request.data)
        body.is_valid(raise_exception=True)
        group = create_group(self.principal, **body.validated_data)
        response = Response(GroupOutput(group).data, status=201)
        response["Location"] = f"/api/v1/groups/{group.pk}"
        return response


class GroupView(VaultAPIView):
    resource_type = "group"

    @extend_schema(responses=GroupOutput)
    def get(self, _: Request, group_id: UUID) -> Response:
        """One group."""
        return Response(GroupOutput(get_group(self.principal, group_id=group_id)).data)

    @extend_schema(request=GroupChange, responses=GroupOutput)
    def patch(self, request: Request, group_id: UUID) -> Response:
        """Change what a group says of itself."""
        body = GroupChange(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(GroupOutput(change_group(self.principal, group_id=group_id, **body.validated_data)).data)

    @extend_schema(responses={204: None})
    def delete(self, _: Request, group_id: UUID) -> Response:
        """Remove a group with all it holds."""
        delete_group(self.principal, group_id=group_id)
        return Response(status=204)


class MemberListView(VaultAPIView):
    resource_type = "group"

    @extend_schema(responses=MemberOutput(many=True))
    def get(self, _: Request, group_id: UUID) -> Response:
        """Who is in a group, by user name."""
        found = list_members(self.principal, group_id=group_id)
        rows = list(MemberOutput(found[1], many=True).data)
        return Response(page(rows, limit=MOST_LISTED, next_cursor=None))

    @extend_schema(request=MembersInput, responses={204: None})
    def post(self, request: Request, group_id: UUID) -> Response:
        """Put people into a group."""
        body = MembersInput(data=request.data)
        body.is_valid(raise_exception=True)
        add_members(self.principal, group_id=group_id, **body.validated_data)
        return Response(status=204)

    @extend_schema(request=MembersInput, responses={204: None})
    def put(self, request: Request, group_id: UUID) -> Response:
        """Let a group have exactly these members."""
        body = MembersInput(data=request.data)
        body.is_valid(raise_exception=True)
        set_members(self.principal, group_id=group_id, **body.validated_data)
        return Response(status=204)


class MemberView(VaultAPIView):
    resource_type = "group"

    @extend_schema(responses={204: None})
    def delete(self, _: Request, group_id: UUID, user_id: UUID) -> Response:
        """Take a person out of a group. Nothing happens to who is not in it."""
        remove_members(self.principal, group_id=group_id, user_ids=[user_id])
        return Response(status=204)
