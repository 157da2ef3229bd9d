"""REST: people, what policies may ask of them, and whether they are let in."""

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.bodies import PAGING
from access.models import User
from access.services.deprovisioning import deactivate_user, reactivate_user
from access.services.people import get_user, list_users
from access.services.users import create_user, set_attributes, update_user
from vaultsite.kernel.api.inputs import StrictInput
from vaultsite.kernel.api.pagination import encode_cursor, page, read_page
from vaultsite.kernel.api.views import VaultAPIView

_CODES = serializers.ListField(child=serializers.CharField(max_length=63), required=False, default=list)


class UserChange(StrictInput):
    """Members that are left out stay as they are."""

    username = serializers.CharField(max_length=150, required=False)
    full_name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    email = serializers.EmailField(required=False, allow_blank=True)
    external_id = serializers.CharField(max_length=255, required=False, allow_blank=True)


class UserInput(UserChange):
    """``roles`` are codes. Without ``password`` the person signs in through an identity provider."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1024, required=False, trim_whitespace=False)
    roles = _CODES


class AttributesInput(StrictInput):
    """Empty: not known, so that a policy that asks for it permits nothing."""

    department = serializers.CharField(max_length=63, allow_blank=True)
    clearance = serializers.CharField(max_length=63, allow_blank=True)


class UserOutput(serializers.Serializer[Any]):
    """``roles`` are those held directly; the groups have theirs."""

    id = serializers.UUIDField()
    username = serializers.CharField()
    full_name = serializers.CharField()
    email = serializers.CharField()
    external_id = serializers.CharField()
    department = serializers.CharField()
    clearance = serializers.CharField()
    is_active = serializers.BooleanField()
    roles = serializers.SerializerMethodField()
    groups = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def get_roles(self, user: User) -> list[str]:
        return [binding.role.code for binding in user.bindings.all()]

    def get_groups(self, user: User) -> list[UUID]:
        return [membership.group_id for membership in user.memberships.all()]


class UserListView(VaultAPIView):
    resource_type = "user"

    @extend_schema(
        parameters=[*PAGING, OpenApiParameter("search", OpenApiTypes.STR, description="How a name begins.")],
        responses=UserOutput(many=True),
    )
    def get(self, request: Request) -> Response:
        """People by user name."""
        wanted = read_page(request, members=1)
        after = wanted.after[0] if wanted.after else None
        search = request.query_params.get("search", "")[:150]
        rows = list_users(self.principal, after=after, limit=wanted.limit + 1, search=search)
        kept = rows[: wanted.limit]
        more = encode_cursor([kept[-1].username]) if len(rows) > wanted.limit else None
        return Response(page(list(UserOutput(kept, many=True).data), limit=wanted.limit, next_cursor=more))

    @extend_schema(request=UserInput, responses={201: UserOutput})
    def post(self, request: Request) -> Response:
        """Make a person. A password that is given here is to be changed at the first sign-in."""
        body = UserInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        user = create_user(self.principal, **given, must_change_password="password" in given)
        user.refresh_from_db()
        response = Response(UserOutput(user).data, status=201)
        response["Location"] = f"/api/v1/users/{user.pk}"
        return response


class UserView(VaultAPIView):
    resource_type = "user"

    @extend_schema(responses=UserOutput)
    def get(self, _: Request, user_id: UUID) -> Response:
        """One person."""
        return Response(UserOutput(get_user(self.principal, user_id=user_id)).data)

    @extend_schema(request=UserChange, responses=UserOutput)
    def patch(self, request: Request, user_id: UUID) -> Response:
        """Change what is known of a person."""
        body = UserChange(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(UserOutput(update_user(self.principal, user_id=user_id, **body.validated_data)).data)


class UserAttributesView(VaultAPIView):
    resource_type = "user"

    @extend_schema(request=AttributesInput, responses=UserOutput)
    def put(self, request: Request, user_id: UUID) -> Response:
        """Set what policies may ask of a person; it counts from the next request on."""
        body = AttributesInput(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(UserOutput(set_attributes(self.principal, user_id=user_id, **body.validated_data)).data)


class UserDeactivationView(VaultAPIView):
    resource_type = "user"

    @extend_schema(request=None, responses={204: None})
    def post(self, _: Request, user_id: UUID) -> Response:
        """Let a person go: sessions, tokens, the keys they made, leases and streams end at once."""
        deactivate_user(self.principal, user_id=user_id)
        return Response(status=204)


class UserReactivationView(VaultAPIView):
    resource_type = "user"

    @extend_schema(request=None, responses={204: None})
    def post(self, _: Request, user_id: UUID) -> Response:
        """Let a person in again, with the roles and groups they have. What ended stays ended."""
        reactivate_user(self.principal, user_id=user_id)
        return Response(status=204)
