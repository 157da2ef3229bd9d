"""The audit's summary over REST."""

from django.http import QueryDict
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.services.authorize import authorize
from audit.api.summary_serializers import SummaryQuerySerializer, SummarySerializer
from audit.rollups.counting import Filters
from audit.rollups.periods import period_of
from audit.rollups.selectors import Summary, summarize
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import ResourceRef


class AuditSummaryView(VaultAPIView):
    """What happened in a period, counted: from rollups, so it takes as long for a million events as for a thousand."""

    resource_type = "audit"

    @extend_schema(operation_id="getAuditSummary", parameters=[SummaryQuerySerializer], responses=SummarySerializer)
    def get(self, request: Request) -> Response:
        authorize(self.principal, "audit.read", ResourceRef(type="audit"))
        return Response(SummarySerializer(_summary(request.query_params)).data)


def _summary(parameters: QueryDict) -> Summary:
    """Raises InvalidInput naming each parameter that does not fit; an unknown one does not fit either."""
    asked = SummaryQuerySerializer(data=parameters.dict())
    unknown = [name for name in parameters if name not in asked.fields]
    problems = [FieldProblem(name, "There is no such parameter.") for name in unknown]
    if not asked.is_valid():
        problems += [FieldProblem(str(name), str(found[0])) for name, found in asked.errors.items()]
    if problems:
        raise InvalidInput(errors=problems)
    given = asked.validated_data
    period = period_of(given["time_range"], now=timezone.now(), start=given.get("start"), end=given.get("end"))
    filters = Filters(
        actor_id=given.get("user"),
        dataset_id=given.get("dataset"),
        types=given.get("type"),
        **{name: given.get(name) for name in ("operation", "status", "severity", "classification", "purpose")},
    )
    return summarize(period=period, group_by=given.get("group_by"), filters=filters, top=given["top"])
