"""REST: who the caller is, as the vault sees it."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.selectors import current_tenant
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef


class TenantOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()


class MeOutput(serializers.Serializer[Any]):
    """The principal. Empty ``scopes`` and ``datasets`` narrow nothing."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=["user", "service", "system"])
    name = serializers.CharField()
    tenant = TenantOutput()
    roles = serializers.ListField(child=serializers.CharField())
    permissions = serializers.ListField(child=serializers.CharField())
    scopes = serializers.ListField(child=serializers.CharField())
    datasets = serializers.ListField(child=serializers.UUIDField())
    groups = serializers.ListField(child=serializers.UUIDField())
    credential = serializers.CharField(help_text="How the caller proved who it is: session, token, api_key, ..")
    purpose = serializers.CharField(allow_null=True)
    mfa = serializers.BooleanField()
    authenticated_at = serializers.DateTimeField(allow_null=True)


class MeView(VaultAPIView):
    resource_type = "principal"

    @extend_schema(responses=MeOutput)
    def get(self, _: Request) -> Response:
        """The caller itself: any credential that holds may ask."""
        principal = self.principal
        resource = ResourceRef("principal", str(principal.id))
        emit(Event(EventType.ADMIN_READ, "read", resource, metadata={"action": "me"}), primary=True)
        tenant = current_tenant()
        return Response(
            {
                "id": principal.id,
                "kind": principal.kind,
                "name": principal.name,
                "tenant": {"id": tenant.pk, "slug": tenant.slug, "name": tenant.name},
                "roles": sorted(principal.roles),
                "permissions": sorted(principal.permissions),
                "scopes": sorted(principal.scopes),
                "datasets": sorted(principal.datasets),
                "groups": sorted(principal.groups),
                "credential": principal.credential.partition(":")[0],
                "purpose": principal.purpose,
                "mfa": principal.mfa,
                "authenticated_at": principal.authenticated_at,
            }
        )
