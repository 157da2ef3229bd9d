"""REST: releases that may still be out there, and recipients attested not to share."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.services.authorize import authorize
from anonymization.api.budget import PAGING, cursor_id
from anonymization.models import RecipientAttestation, Release
from anonymization.services.reasons import MAX_REASON
from anonymization.services.releases import (
    attest_recipient,
    attested_recipients,
    known_releases,
    revoke_attestation,
    withdraw_release,
)
from vaultsite.kernel.api.pagination import encode_cursor, page, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.events.event import ResourceRef


class ReleaseOutput(serializers.ModelSerializer[Release]):
    """``state`` is live, overdue (its time is over, nobody attested that it is gone) or withdrawn; ``reported_at`` is
    when the recipient said that it has deleted its copies.
    """

    family = serializers.UUIDField(source="family_id")
    l_diversity = serializers.IntegerField()
    state = serializers.SerializerMethodField()

    class Meta:
        model = Release
        fields = [
            "id",
            "family",
            "recipient",
            "dataset_id",
            "version",
            "export_id",
            "k",
            "l_diversity",
            "subjects",
            "classes",
            "state",
            "expires_at",
            "reported_at",
            "withdrawn_at",
            "withdrawn_by",
            "withdrawal_reason",
            "created_at",
        ]

    def get_state(self, release: Release) -> str:
        return release.state_at(timezone.now())


class ReleaseReasonInput(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=MAX_REASON)


class AttestationInput(ReleaseReasonInput):
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class AttestationOutput(serializers.ModelSerializer[RecipientAttestation]):
    class Meta:
        model = RecipientAttestation
        fields = ["recipient", "reason", "attested_by", "expires_at", "created_at"]


class ReleaseListView(VaultAPIView):
    resource_type = "release"

    @extend_schema(parameters=PAGING, responses=ReleaseOutput(many=True))
    def get(self, request: Request) -> Response:
        """Releases under a guarantee, newest first."""
        authorize(self.principal, "release.read", ResourceRef(type="release"))
        wanted = read_page(request, members=1)
        rows = known_releases(after=cursor_id(wanted), limit=wanted.limit + 1)
        more = encode_cursor([str(rows[wanted.limit - 1].pk)]) if len(rows) > wanted.limit else None
        data = list(ReleaseOutput(rows[: wanted.limit], many=True).data)
        return Response(page(data, limit=wanted.limit, next_cursor=more))


class WithdrawalView(VaultAPIView):
    resource_type = "release"

    @extend_schema(request=ReleaseReasonInput, responses=ReleaseOutput)
    def post(self, request: Request, release_id: UUID) -> Response:
        """Attest that every copy of a release was deleted: nothing is held against it any more. Not its recipient's."""
        body = ReleaseReasonInput(data=request.data)
        body.is_valid(raise_exception=True)
        found = withdraw_release(self.principal, release_id=release_id, reason=body.validated_data["reason"])
        return Response(ReleaseOutput(found).data)


class AttestationListView(VaultAPIView):
    resource_type = "recipient"

    @extend_schema(responses=AttestationOutput(many=True))
    def get(self, _: Request) -> Response:
        """Recipients who are attested not to share what they get."""
        authorize(self.principal, "release.read", ResourceRef(type="recipient"))
        rows = list(attested_recipients().order_by("created_at")[:1000])
        return Response(page(list(AttestationOutput(rows, many=True).data), limit=1000, next_cursor=None))


class AttestationView(VaultAPIView):
    resource_type = "recipient"

    @extend_schema(request=AttestationInput, responses=AttestationOutput)
    def put(self, request: Request, recipient: UUID) -> Response:
        """Attest that a recipient shares nothing: its releases are held against its own alone."""
        body = AttestationInput(data=request.data)
        body.is_valid(raise_exception=True)
        row = attest_recipient(self.principal, recipient=recipient, **body.validated_data)
        return Response(AttestationOutput(row).data)

    @extend_schema(request=ReleaseReasonInput, responses={204: None})
    def delete(self, request: Request, recipient: UUID) -> Response:
        """Take the attestation back: the recipient is taken to share again."""
        body = ReleaseReasonInput(data=request.data)
        body.is_valid(raise_exception=True)
        revoke_attestation(self.principal, recipient=recipient, reason=body.validated_data["reason"])
        return Response(status=204)
