"""REST: what somebody has to look at."""

from typing import Any, Final
from uuid import UUID

from django.http import QueryDict
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.bodies import PAGING, paged
from access.services.authorize import authorize
from audit.alerts.kinds import KINDS
from audit.alerts.selectors import AlertFilter, find_alert, list_alerts
from audit.alerts.settle import acknowledge_alert, resolve_alert
from audit.api.alerts_serializers import AlertListOutput, AlertOutput, AlertResolutionInput
from audit.models.alert import Alert, AlertSeverity, AlertState
from vaultsite.kernel.api.pagination import PageRequest, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import FieldProblem, InvalidCursor, InvalidInput
from vaultsite.kernel.events.event import ResourceRef

CHOICES: Final = {
    "state": ("unresolved", *AlertState.values),
    "severity": tuple(AlertSeverity.values),
    "kind": tuple(KINDS),
}
_FILTERS: Final = [OpenApiParameter(name, OpenApiTypes.STR, enum=offered) for name, offered in CHOICES.items()]


def read_filter(parameters: QueryDict) -> AlertFilter:
    """The filters of a query string; raises InvalidInput naming each parameter that does not fit."""
    problems = [
        FieldProblem(name, f"one of {', '.join(offered)}")
        for name, offered in CHOICES.items()
        if name in parameters and parameters[name] not in offered
    ]
    unknown = parameters.keys() - CHOICES.keys() - {"limit", "cursor"}
    problems += [FieldProblem(name, "There is no such filter.") for name in sorted(unknown)]
    if problems:
        raise InvalidInput(errors=problems)
    return AlertFilter(**{name: str(parameters[name]) for name in CHOICES if name in parameters})


class AlertListView(VaultAPIView):
    resource_type = "alert"

    @extend_schema(operation_id="listAlerts", parameters=[*_FILTERS, *PAGING], responses=AlertListOutput)
    def get(self, request: Request) -> Response:
        """Alerts, those opened last first."""
        authorize(self.principal, "alert.read", ResourceRef("alert"))
        criteria, wanted = read_filter(request.query_params), read_page(request, members=1)
        return paged(list_alerts(criteria, limit=wanted.limit + 1, after=_after(wanted)), wanted, _shown)


def _after(wanted: PageRequest) -> UUID | None:
    if wanted.after is None:
        return None
    try:
        return UUID(wanted.after[0])
    except ValueError as exc:
        raise InvalidCursor from exc


def _shown(alert: Alert) -> dict[str, Any]:
    return dict(AlertOutput(alert).data)


class AlertView(VaultAPIView):
    resource_type = "alert"

    @extend_schema(operation_id="getAlert", responses=AlertOutput)
    def get(self, _: Request, alert_id: UUID) -> Response:
        """One alert, and what explains it."""
        authorize(self.principal, "alert.read", ResourceRef("alert", str(alert_id)))
        return Response(_shown(find_alert(alert_id)))


class AlertAcknowledgementView(VaultAPIView):
    resource_type = "alert"

    @extend_schema(operation_id="acknowledgeAlert", request=None, responses=AlertOutput)
    def post(self, _: Request, alert_id: UUID) -> Response:
        """Say that somebody looks at it."""
        return Response(_shown(acknowledge_alert(self.principal, alert_id=alert_id)))


class AlertResolutionView(VaultAPIView):
    resource_type = "alert"

    @extend_schema(operation_id="resolveAlert", request=AlertResolutionInput, responses=AlertOutput)
    def post(self, request: Request, alert_id: UUID) -> Response:
        """Say what it was. Unusual activity that was expected raises the bar for the same principal for a while."""
        body = AlertResolutionInput(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(_shown(resolve_alert(self.principal, alert_id=alert_id, **body.validated_data)))
