"""REST: access in an emergency."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.bodies import StrictInput
from access.leases.terms import MAX_TEXT
from access.models import BreakGlass
from access.services.authorize import authorize
from access.services.break_glass import (
    call_emergency,
    confirm_emergency,
    end_emergency,
    find_emergency,
    list_emergencies,
    refuse_emergency,
    review_emergency,
)
from vaultsite.kernel.api.pagination import MAX_LIMIT, page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.events.event import ResourceRef


class EmergencyInput(StrictInput):
    """``seconds`` is how long the access lasts from its confirmation."""

    dataset_id = serializers.UUIDField()
    purpose = serializers.CharField(max_length=63)
    reason = serializers.CharField(max_length=MAX_TEXT)
    seconds = serializers.IntegerField()


class EmergencyNoteInput(StrictInput):
    note = serializers.CharField(max_length=MAX_TEXT)


class EmergencyOutput(serializers.ModelSerializer[BreakGlass]):
    state = serializers.ChoiceField(choices=["waiting", "lapsed", "refused", "open", "over", "reviewed"])
    lease = serializers.UUIDField(source="lease_id", allow_null=True)

    class Meta:
        model = BreakGlass
        fields = [
            *("id", "requester", "dataset_id", "purpose", "reason", "seconds", "state", "requested_at", "confirm_by"),
            *("confirmed_by", "confirmed_at", "refused_by", "refused_at", "lease"),
            *("reviewed_by", "reviewed_at", "review_note"),
        ]


def call_json(row: BreakGlass) -> dict[str, Any]:
    return dict(EmergencyOutput(row).data)


class CallListView(VaultAPIView):
    resource_type = "emergency"

    @extend_schema(responses=EmergencyOutput(many=True))
    def get(self, _: Request) -> Response:
        """The newest calls: everybody's for who may confirm or oversee them, else the caller's own."""
        authorize(self.principal, "emergency.read", ResourceRef("emergency"))
        rows = list_emergencies(self.principal, limit=MAX_LIMIT)
        return Response(page([call_json(row) for row in rows], limit=MAX_LIMIT, next_cursor=None))

    @extend_schema(request=EmergencyInput, responses={201: EmergencyOutput})
    def post(self, request: Request) -> Response:
        """Call for raw access to a dataset; another person must confirm it before it opens anything."""
        body = EmergencyInput(data=request.data)
        body.is_valid(raise_exception=True)
        made = call_emergency(self.principal, **body.validated_data)
        response = Response(call_json(made), status=201)
        response["Location"] = f"/api/v1/break-glass/{made.pk}"
        return response


class CallView(VaultAPIView):
    resource_type = "emergency"

    @extend_schema(responses=EmergencyOutput)
    def get(self, _: Request, emergency_id: UUID) -> Response:
        """One call."""
        row = find_emergency(self.principal, emergency_id)
        authorize(self.principal, "emergency.read", ResourceRef("emergency", str(row.pk)))
        return Response(call_json(row))

    @extend_schema(responses={204: None})
    def delete(self, _: Request, emergency_id: UUID) -> Response:
        """End the access before its time."""
        end_emergency(self.principal, call_id=emergency_id)
        return Response(status=204)


class ConfirmView(VaultAPIView):
    resource_type = "emergency"

    @extend_schema(request=None, responses=EmergencyOutput)
    def post(self, _: Request, emergency_id: UUID) -> Response:
        """Confirm a call as the second person: its access begins now."""
        return Response(call_json(confirm_emergency(self.principal, call_id=emergency_id)))


class RefuseView(VaultAPIView):
    resource_type = "emergency"

    @extend_schema(request=None, responses=EmergencyOutput)
    def post(self, _: Request, emergency_id: UUID) -> Response:
        """Refuse a call as the second person."""
        return Response(call_json(refuse_emergency(self.principal, call_id=emergency_id)))


class CallReviewView(VaultAPIView):
    resource_type = "emergency"

    @extend_schema(request=EmergencyNoteInput, responses=EmergencyOutput)
    def post(self, request: Request, emergency_id: UUID) -> Response:
        """Say afterwards, as a third person, what became of it."""
        body = EmergencyNoteInput(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(call_json(review_emergency(self.principal, call_id=emergency_id, **body.validated_data)))
