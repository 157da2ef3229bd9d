"""REST: what was sent to a webhook."""

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.bodies import PAGING, paged
from audit.api.webhooks_serializers import WebhookDeliveryListOutput, WebhookDeliveryOutput
from audit.models import DeliveryStatus, WebhookDelivery
from audit.services.sending import may_read_events
from audit.webhooks.deliveries import get_delivery, list_deliveries, retry_delivery, send_trial
from vaultsite.kernel.api.pagination import PageRequest, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import FieldProblem, InvalidCursor, InvalidInput


class WebhookTestView(VaultAPIView):
    resource_type = "webhook"

    @extend_schema(operation_id="testWebhook", request=None, responses={202: WebhookDeliveryOutput})
    def post(self, _: Request, webhook_id: UUID) -> Response:
        """Send a message of type ``webhook.test``, once; how it ended is at the Location."""
        delivery = send_trial(self.principal, endpoint_id=webhook_id)
        response = Response(_shown(delivery, may_read=may_read_events(self.principal)), status=202)
        response["Location"] = f"/api/v1/webhooks/{webhook_id}/deliveries/{delivery.pk}"
        return response


class WebhookDeliveryListView(VaultAPIView):
    resource_type = "webhook"

    @extend_schema(
        operation_id="listWebhookDeliveries",
        parameters=[OpenApiParameter("status", OpenApiTypes.STR, enum=DeliveryStatus.values), *PAGING],
        responses=WebhookDeliveryListOutput,
    )
    def get(self, request: Request, webhook_id: UUID) -> Response:
        """Deliveries of the last 30 days, newest first."""
        status, wanted = _status(request), read_page(request, members=1)
        found = list_deliveries(
            self.principal, endpoint_id=webhook_id, status=status, limit=wanted.limit + 1, after=_after(wanted)
        )
        may_read = may_read_events(self.principal)
        return paged(found, wanted, lambda delivery: _shown(delivery, may_read=may_read))


class WebhookDeliveryView(VaultAPIView):
    resource_type = "webhook"

    @extend_schema(operation_id="getWebhookDelivery", responses=WebhookDeliveryOutput)
    def get(self, _: Request, webhook_id: UUID, delivery_id: UUID) -> Response:
        """One delivery with its attempts."""
        delivery = get_delivery(self.principal, endpoint_id=webhook_id, delivery_id=delivery_id)
        return Response(_shown(delivery, may_read=may_read_events(self.principal)))


class WebhookRetryView(VaultAPIView):
    resource_type = "webhook"

    @extend_schema(operation_id="retryWebhookDelivery", request=None, responses={202: WebhookDeliveryOutput})
    def post(self, _: Request, webhook_id: UUID, delivery_id: UUID) -> Response:
        """Send it as soon as may be."""
        delivery = retry_delivery(self.principal, endpoint_id=webhook_id, delivery_id=delivery_id)
        return Response(_shown(delivery, may_read=may_read_events(self.principal)), status=202)


def _status(request: Request) -> str:
    given = request.query_params
    problems = [FieldProblem(name, "There is no such filter.") for name in given.keys() - {"status", "limit", "cursor"}]
    status = str(given.get("status", ""))
    if "status" in given and status not in DeliveryStatus.values:
        problems.append(FieldProblem("status", f"one of {', '.join(DeliveryStatus.values)}"))
    if problems:
        raise InvalidInput(errors=problems)
    return status


def _after(wanted: PageRequest) -> UUID | None:
    if wanted.after is None:
        return None
    try:
        return UUID(wanted.after[0])
    except ValueError as exc:
        raise InvalidCursor from exc


def _shown(delivery: WebhookDelivery, *, may_read: bool) -> dict[str, Any]:
    return dict(WebhookDeliveryOutput(delivery, context={"may_read": may_read}).data)
