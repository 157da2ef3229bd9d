"""REST: event subscriptions."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.bodies import PAGING, paged
from access.services.authorize import authorize
from audit.api.subscriptions_serializers import (
    SubscriptionChoiceInput,
    SubscriptionInput,
    SubscriptionListOutput,
    SubscriptionOutput,
    SubscriptionPatchInput,
    SubscriptionTrialOutput,
)
from audit.models import EventSubscription
from audit.subscriptions.draft import Draft
from audit.subscriptions.edit import RESOURCE, change_subscription, create_subscription, delete_subscription
from audit.subscriptions.selectors import find_subscription, list_subscriptions, try_draft
from vaultsite.kernel.api.pagination import PageRequest, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import InvalidCursor
from vaultsite.kernel.events.event import ResourceRef


class SubscriptionListView(VaultAPIView):
    resource_type = RESOURCE

    @extend_schema(operation_id="listSubscriptions", parameters=PAGING, responses=SubscriptionListOutput)
    def get(self, request: Request) -> Response:
        """Event subscriptions, those made last first."""
        authorize(self.principal, "subscription.read", ResourceRef(RESOURCE))
        wanted = read_page(request, members=1)
        return paged(list_subscriptions(limit=wanted.limit + 1, after=_after(wanted)), wanted, _shown)

    @extend_schema(operation_id="createSubscription", request=SubscriptionInput, responses={201: SubscriptionOutput})
    def post(self, request: Request) -> Response:
        """Choose events, and where they are sent."""
        draft = Draft(**_members(SubscriptionInput(data=request.data)))
        return Response(_shown(create_subscription(self.principal, draft=draft)), status=201)


class SubscriptionView(VaultAPIView):
    resource_type = RESOURCE

    @extend_schema(operation_id="getSubscription", responses=SubscriptionOutput)
    def get(self, _: Request, subscription_id: UUID) -> Response:
        """One event subscription."""
        authorize(self.principal, "subscription.read", ResourceRef(RESOURCE, str(subscription_id)))
        return Response(_shown(find_subscription(subscription_id)))

    @extend_schema(operation_id="changeSubscription", request=SubscriptionPatchInput, responses=SubscriptionOutput)
    def patch(self, request: Request, subscription_id: UUID) -> Response:
        """Change some members; events that were chosen before go where they were to go."""
        changes = _members(SubscriptionPatchInput(data=request.data))
        return Response(_shown(change_subscription(self.principal, subscription_id=subscription_id, changes=changes)))

    @extend_schema(operation_id="deleteSubscription", responses={204: None})
    def delete(self, _: Request, subscription_id: UUID) -> Response:
        """End it."""
        delete_subscription(self.principal, subscription_id=subscription_id)
        return Response(status=204)


class SubscriptionTrialView(VaultAPIView):
    resource_type = RESOURCE

    @extend_schema(operation_id="trySubscription", request=SubscriptionChoiceInput, responses=SubscriptionTrialOutput)
    def post(self, request: Request) -> Response:
        """What such a subscription would have been sent of the newest events; it reads the audit."""
        authorize(self.principal, "audit.read", ResourceRef("audit"))
        trial = try_draft(Draft(name="", **_members(SubscriptionChoiceInput(data=request.data))))
        newest = [event.pk for event in trial.newest]
        shown = SubscriptionTrialOutput({"tried": trial.tried, "matched": trial.matched, "newest": newest})
        return Response(shown.data)


def _members(body: serializers.Serializer[Any]) -> Mapping[str, Any]:
    body.is_valid(raise_exception=True)
    given: dict[str, Any] = body.validated_data
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}


def _after(wanted: PageRequest) -> UUID | None:
    if wanted.after is None:
        return None
    try:
        return UUID(wanted.after[0])
    except ValueError as exc:
        raise InvalidCursor from exc


def _shown(row: EventSubscription) -> dict[str, Any]:
    return dict(SubscriptionOutput(row).data)
