"""REST: webhooks. A secret is in the answer that makes it, and in no other."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.bodies import StrictInput
from audit.api.webhooks_serializers import (
    NewWebhookOutput,
    WebhookChangeInput,
    WebhookInput,
    WebhookListOutput,
    WebhookOutput,
    WebhookReplayInput,
    WebhookReplayOutput,
    WebhookRotationInput,
)
from audit.models import WebhookEndpoint
from audit.webhooks.deliveries import make_up
from audit.webhooks.endpoints import (
    CHANGEABLE,
    MOST,
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    get_endpoint,
    list_endpoints,
    rotate_secret,
    switch_endpoint,
)
from vaultsite.kernel.api.pagination import page
from vaultsite.kernel.api.views import VaultAPIView


class WebhookListView(VaultAPIView):
    resource_type = "webhook"

    @extend_schema(operation_id="listWebhooks", responses=WebhookListOutput)
    def get(self, _: Request) -> Response:
        """Every webhook, by name."""
        rows = list(WebhookOutput(list_endpoints(self.principal), many=True).data)
        return Response(page(rows, limit=MOST, next_cursor=None))

    @extend_schema(operation_id="createWebhook", request=WebhookInput, responses={201: NewWebhookOutput})
    def post(self, request: Request) -> Response:
        """Tell an address of events."""
        endpoint, secret = create_endpoint(self.principal, **_read(WebhookInput, request))
        response = _with_secret(endpoint, secret, status=201)
        response["Location"] = f"/api/v1/webhooks/{endpoint.pk}"
        return response


class WebhookView(VaultAPIView):
    resource_type = "webhook"

    @extend_schema(operation_id="getWebhook", responses=WebhookOutput)
    def get(self, _: Request, webhook_id: UUID) -> Response:
        """One webhook."""
        return Response(WebhookOutput(get_endpoint(self.principal, endpoint_id=webhook_id)).data)

    @extend_schema(operation_id="changeWebhook", request=WebhookChangeInput, responses=WebhookOutput)
    def patch(self, request: Request, webhook_id: UUID) -> Response:
        """Change what it is told of and where, or switch it off or on."""
        given = _read(WebhookChangeInput, request)
        changes = {name: value for name, value in given.items() if name in CHANGEABLE}
        if changes or "is_enabled" not in given:
            endpoint = change_endpoint(self.principal, endpoint_id=webhook_id, changes=changes)
        if "is_enabled" in given:
            switched = {"is_enabled": given["is_enabled"], "reason": given.get("reason", "")}
            endpoint = switch_endpoint(self.principal, endpoint_id=webhook_id, **switched)
        return Response(WebhookOutput(endpoint).data)

    @extend_schema(operation_id="deleteWebhook", responses={204: None})
    def delete(self, _: Request, webhook_id: UUID) -> Response:
        """Remove it with its log and everything that waits."""
        delete_endpoint(self.principal, endpoint_id=webhook_id)
        return Response(status=204)


class WebhookRotationView(VaultAPIView):
    resource_type = "webhook"

    @extend_schema(operation_id="rotateWebhookSecret", request=WebhookRotationInput, responses={200: NewWebhookOutput})
    def post(self, request: Request, webhook_id: UUID) -> Response:
        """A new secret; messages are signed with the old one as well for the overlap."""
        overlap = timedelta(hours=_read(WebhookRotationInput, request)["overlap_hours"])
        return _with_secret(*rotate_secret(self.principal, endpoint_id=webhook_id, overlap=overlap), status=200)


class WebhookReplayView(VaultAPIView):
    resource_type = "webhook"

    @extend_schema(operation_id="replayWebhookEvents", request=WebhookReplayInput, responses=WebhookReplayOutput)
    def post(self, request: Request, webhook_id: UUID) -> Response:
        """Queue the events that it missed."""
        made_up = make_up(self.principal, endpoint_id=webhook_id, since=_read(WebhookReplayInput, request)["since"])
        return Response(WebhookReplayOutput(asdict(made_up)).data)


def _read(kind: type[StrictInput], request: Request) -> dict[str, Any]:
    body = kind(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def _with_secret(endpoint: WebhookEndpoint, secret: str, *, status: int) -> Response:
    endpoint.refresh_from_db()
    response = Response({**WebhookOutput(endpoint).data, "secret": secret}, status=status)
    response["Cache-Control"] = "no-store"
    return response
