"""REST: roles, who holds them, and who else may give them."""

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.bodies import PAGING
from access.models import Role
from access.services.delegations import MOST_LISTED, delegate, end_delegation, list_delegations
from access.services.grants import bind_role, revoke_binding
from access.services.people import list_bindings
from access.services.roles import (
    MOST_ROLES,
    change_role,
    create_role,
    delete_role,
    get_role,
    inherited_directly,
    list_roles,
)
from vaultsite.kernel.api.inputs import StrictInput
from vaultsite.kernel.api.pagination import encode_cursor, page, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import FieldProblem, InvalidCursor, InvalidInput

_HOLDERS = ("user_id", "group_id", "service_account_id")


class RoleChange(StrictInput):
    """Members that are left out stay as they are. ``inherits`` are codes of roles."""

    name = serializers.CharField(max_length=100, required=False)
    description = serializers.CharField(max_length=300, required=False, allow_blank=True)
    permissions = serializers.ListField(child=serializers.CharField(max_length=63), required=False)
    inherits = serializers.ListField(child=serializers.CharField(max_length=63), required=False)


class RoleInput(RoleChange):
    code = serializers.CharField(max_length=63)
    name = serializers.CharField(max_length=100)


class RoleOutput(serializers.Serializer[Any]):
    """``permissions`` are all that the role permits; ``inherited`` every role it inherits, at whatever distance."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    is_builtin = serializers.BooleanField()
    permissions = serializers.ListField(child=serializers.CharField())
    inherited = serializers.ListField(child=serializers.CharField())


class RoleDetailOutput(RoleOutput):
    """``inherits`` are the roles it names itself, ``own_permissions`` what it adds to them."""

    own_permissions = serializers.ListField(child=serializers.CharField())
    inherits = serializers.SerializerMethodField()

    def get_inherits(self, role: Role) -> list[str]:
        return inherited_directly(role)


class BindingInput(StrictInput):
    """``role`` is a code; exactly one holder is named."""

    role = serializers.CharField(max_length=63)
    user_id = serializers.UUIDField(required=False)
    group_id = serializers.UUIDField(required=False)
    service_account_id = serializers.UUIDField(required=False)
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class BindingOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    role = serializers.CharField(source="role.code")
    user_id = serializers.UUIDField(allow_null=True)
    group_id = serializers.UUIDField(allow_null=True)
    service_account_id = serializers.UUIDField(allow_null=True)
    api_key_id = serializers.UUIDField(allow_null=True)
    source = serializers.CharField()  # type: ignore[assignment]
    granted_by = serializers.UUIDField()
    granted_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)


class DelegationInput(StrictInput):
    """``user_id`` may then put others into the group, or give others the role."""

    user_id = serializers.UUIDField()
    group_id = serializers.UUIDField(required=False)
    role_id = serializers.UUIDField(required=False)
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class DelegationOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    user_id = serializers.UUIDField()
    group_id = serializers.UUIDField(allow_null=True)
    role_id = serializers.UUIDField(allow_null=True)
    granted_by = serializers.UUIDField()
    granted_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)


class RoleListView(VaultAPIView):
    resource_type = "role"

    @extend_schema(responses=RoleOutput(many=True))
    def get(self, _: Request) -> Response:
        """Roles, those that come with the vault first."""
        rows = list(RoleOutput(list_roles(self.principal), many=True).data)
        return Response(page(rows, limit=MOST_ROLES, next_cursor=None))

    @extend_schema(request=RoleInput, responses={201: RoleDetailOutput})
    def post(self, request: Request) -> Response:
        """Make a role of what the caller holds."""
        body = RoleInput(data=request.data)
        body.is_valid(raise_exception=True)
        role = create_role(self.principal, **body.validated_data)
        response = Response(RoleDetailOutput(role).data, status=201)
        response["Location"] = f"/api/v1/roles/{role.pk}"
        return response


class RoleView(VaultAPIView):
    resource_type = "role"

    @extend_schema(responses=RoleDetailOutput)
    def get(self, _: Request, role_id: UUID) -> Response:
        """One role."""
        return Response(RoleDetailOutput(get_role(self.principal, role_id=role_id)).data)

    @extend_schema(request=RoleChange, responses=RoleDetailOutput)
    def patch(self, request: Request, role_id: UUID) -> Response:
        """Change a role of the organization's own; whoever holds it has the change with the next request."""
        body = RoleChange(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(RoleDetailOutput(change_role(self.principal, role_id=role_id, **body.validated_data)).data)

    @extend_schema(responses={204: None})
    def delete(self, _: Request, role_id: UUID) -> Response:
        """Remove a role that nobody holds and no role inherits."""
        delete_role(self.principal, role_id=role_id)
        return Response(status=204)


class BindingListView(VaultAPIView):
    resource_type = "role_binding"

    @extend_schema(
        parameters=[*PAGING, *(OpenApiParameter(name, OpenApiTypes.UUID) for name in _HOLDERS)],
        responses=BindingOutput(many=True),
    )
    def get(self, request: Request) -> Response:
        """Who holds which role now, in the order they were given."""
        wanted = read_page(request, members=1)
        named = {name: _id(request, name) for name in _HOLDERS}
        rows = list_bindings(self.principal, **named, after=_after(wanted.after), limit=wanted.limit + 1)
        kept = rows[: wanted.limit]
        more = encode_cursor([str(kept[-1].pk)]) if len(rows) > wanted.limit else None
        return Response(page(list(BindingOutput(kept, many=True).data), limit=wanted.limit, next_cursor=more))

    @extend_schema(request=BindingInput, responses={201: BindingOutput})
    def post(self, request: Request) -> Response:
        """Give a role to a person, a group or a service account; giving it again moves its end."""
        body = BindingInput(data=request.data)
        body.is_valid(raise_exception=True)
        binding = bind_role(self.principal, **body.validated_data)
        binding.refresh_from_db()
        return Response(BindingOutput(binding).data, status=201)


class BindingView(VaultAPIView):
    resource_type = "role_binding"

    @extend_schema(responses={204: None})
    def delete(self, _: Request, binding_id: UUID) -> Response:
        """Take a role away; whoever has none left is out at once."""
        revoke_binding(self.principal, binding_id=binding_id)
        return Response(status=204)


class DelegationListView(VaultAPIView):
    resource_type = "delegation"

    @extend_schema(responses=DelegationOutput(many=True))
    def get(self, _: Request) -> Response:
        """Who may give which group or role, newest first."""
        rows = list(DelegationOutput(list_delegations(self.principal), many=True).data)
        return Response(page(rows, limit=MOST_LISTED, next_cursor=None))

    @extend_schema(request=DelegationInput, responses={201: DelegationOutput})
    def post(self, request: Request) -> Response:
        """Let somebody give one group or one role, worth no more than what they hold."""
        body = DelegationInput(data=request.data)
        body.is_valid(raise_exception=True)
        row = delegate(self.principal, **body.validated_data)
        row.refresh_from_db()
        return Response(DelegationOutput(row).data, status=201)


class DelegationView(VaultAPIView):
    resource_type = "delegation"

    @extend_schema(responses={204: None})
    def delete(self, _: Request, delegation_id: UUID) -> Response:
        """Take a delegation back; what was given under it stays."""
        end_delegation(self.principal, delegation_id=delegation_id)
        return Response(status=204)


def _id(request: Request, name: str) -> UUID | None:
    text = request.query_params.get(name)
    try:
        return UUID(text) if text else None
    except ValueError:
        raise InvalidInput(errors=[FieldProblem(name, "an id")]) from None


def _after(cursor: tuple[str, ...] | None) -> UUID | None:
    try:
        return UUID(cursor[0]) if cursor else None
    except ValueError:
        raise InvalidCursor from None
