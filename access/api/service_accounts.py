"""REST: service accounts and their client certificates."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.strict import StrictInput
from access.auth.clients import ClientId
from access.models import AccountKind, CertificateName, ServiceAccount
from access.services.service_accounts import (
    LISTED,
    create_service_account,
    disable_service_account,
    enable_service_account,
    enroll_certificate,
    get_service_account,
    list_service_accounts,
    withdraw_certificate,
)
from vaultsite.kernel.api.pagination import page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.tenancy.scope import current_tenant_id


class ServiceAccountInput(StrictInput):
    """``roles`` are codes, ``attributes`` texts that policies may ask for.

    A system that is ``external`` administers nothing.
    """

    name = serializers.CharField(max_length=100)
    description = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)
    kind = serializers.ChoiceField(choices=AccountKind.choices, required=False, default=AccountKind.PROGRAM)
    roles = serializers.ListField(child=serializers.CharField(max_length=63), required=False, default=list)
    attributes = serializers.DictField(child=serializers.CharField(max_length=300), required=False, default=dict)


class ServiceAccountChange(StrictInput):
    is_active = serializers.BooleanField()


class CertificateInput(StrictInput):
    """``fingerprint``: SHA-256 of the DER in hex; ``dns``, ``uri``: a name in subjectAltName."""

    kind = serializers.ChoiceField(choices=[kind.value for kind in CertificateName])
    value = serializers.CharField(max_length=300)


class CertificateOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    value = serializers.CharField()
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)


class ServiceAccountOutput(serializers.Serializer[Any]):
    """``client_id`` is its name as an OAuth client; each of its live API keys is a secret of it."""

    id = serializers.UUIDField()
    client_id = serializers.SerializerMethodField()
    name = serializers.CharField()
    description = serializers.CharField()
    kind = serializers.ChoiceField(choices=AccountKind.choices)
    attributes = serializers.DictField(child=serializers.CharField())
    is_active = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    certificates = CertificateOutput(many=True)

    def get_client_id(self, account: ServiceAccount) -> str:
        return str(ClientId(current_tenant_id(), account.pk))


class ServiceAccountListView(VaultAPIView):
    resource_type = "service_account"

    @extend_schema(responses=ServiceAccountOutput(many=True))
    def get(self, _: Request) -> Response:
        """Service accounts by name."""
        rows = list(ServiceAccountOutput(list_service_accounts(self.principal), many=True).data)
        return Response(page(rows, limit=LISTED, next_cursor=None))

    @extend_schema(request=ServiceAccountInput, responses={201: ServiceAccountOutput})
    def post(self, request: Request) -> Response:
        """Make a service account. It proves itself by API keys or client certificates made for it."""
        body = ServiceAccountInput(data=request.data)
        body.is_valid(raise_exception=True)
        account = create_service_account(self.principal, **body.validated_data)
        account.refresh_from_db()
        response = Response(ServiceAccountOutput(account).data, status=201)
        response["Location"] = f"/api/v1/service-accounts/{account.pk}"
        return response


class ServiceAccountView(VaultAPIView):
    resource_type = "service_account"

    @extend_schema(responses=ServiceAccountOutput)
    def get(self, _: Request, service_account_id: UUID) -> Response:
        """One service account."""
        return Response(ServiceAccountOutput(get_service_account(self.principal, account_id=service_account_id)).data)

    @extend_schema(request=ServiceAccountChange, responses={204: None})
    def patch(self, request: Request, service_account_id: UUID) -> Response:
        """Disable the account, or enable it again."""
        body = ServiceAccountChange(data=request.data)
        body.is_valid(raise_exception=True)
        change = enable_service_account if body.validated_data["is_active"] else disable_service_account
        change(self.principal, account_id=service_account_id)
        return Response(status=204)


class CertificateListView(VaultAPIView):
    resource_type = "client_certificate"

    @extend_schema(request=CertificateInput, responses={201: CertificateOutput})
    def post(self, request: Request, service_account_id: UUID) -> Response:
        """Let a client certificate speak for the account."""
        body = CertificateInput(data=request.data)
        body.is_valid(raise_exception=True)
        made = enroll_certificate(self.principal, account_id=service_account_id, **body.validated_data)
        made.refresh_from_db()
        return Response(CertificateOutput(made).data, status=201)


class CertificateView(VaultAPIView):
    resource_type = "client_certificate"

    @extend_schema(responses={204: None})
    def delete(self, _: Request, service_account_id: UUID, certificate_id: UUID) -> Response:
        """Withdraw a client certificate."""
        withdraw_certificate(self.principal, account_id=service_account_id, certificate_id=certificate_id)
        return Response(status=204)
