"""The audit over REST."""

from datetime import datetime
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.services.authorize import authorize
from audit.api.serializers import PAGING, AuditEventPageSerializer, AuditEventSerializer
from audit.archive.read import archived_before
from audit.models import AuditEvent
from audit.proofs.errors import AuditEventNotFound
from audit.proofs.events import find_event
from audit.selectors import EventPosition, list_events
from audit.services.criteria import EventFilterSerializer, read_criteria
from vaultsite.kernel.api.pagination import PageRequest, encode_cursor, page, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import InvalidCursor
from vaultsite.kernel.events.event import ResourceRef


class AuditEventList(VaultAPIView):
    """What happened in the caller's tenant, newest first. Reading it is itself an event.

    Events of months in the archive are not listed: ``archived_before`` says since when they are, an export reads them.
    """

    resource_type = "audit"

    @extend_schema(
        operation_id="listAuditEvents",
        parameters=[EventFilterSerializer, OpenApiParameter("limit", int), OpenApiParameter("cursor", str)],
        responses=AuditEventPageSerializer,
    )
    def get(self, request: Request) -> Response:
        authorize(self.principal, "audit.read", ResourceRef(type="audit"))
        criteria, wanted = read_criteria(request.query_params, beside=PAGING), read_page(request, members=2)
        events = list_events(
            tenant_id=self.principal.tenant_id, criteria=criteria, limit=wanted.limit + 1, after=_position(wanted)
        )
        shown = events[: wanted.limit]
        cursor = _cursor(shown[-1]) if len(events) > wanted.limit else None
        data = [AuditEventSerializer(event).data for event in shown]
        listed = page(data, limit=wanted.limit, next_cursor=cursor)
        return Response(listed | {"archived_before": archived_before(self.principal.tenant_id)})


class AuditEventView(VaultAPIView):
    """One event of the caller's tenant."""

    resource_type = "audit"

    @extend_schema(operation_id="getAuditEvent", responses=AuditEventSerializer)
    def get(self, _request: Request, event_id: UUID) -> Response:
        authorize(self.principal, "audit.read", ResourceRef(type="audit", id=str(event_id)))
        event = find_event(self.principal.tenant_id, event_id)
        if event is None:
            raise AuditEventNotFound
        return Response(AuditEventSerializer(event).data)


def _cursor(event: AuditEvent) -> str:
    return encode_cursor([event.time.isoformat(), str(event.id)])


def _position(wanted: PageRequest) -> EventPosition | None:
    if wanted.after is None:
        return None
    time, event_id = wanted.after
    try:
        position = EventPosition(time=datetime.fromisoformat(time), id=UUID(event_id))
    except ValueError as exc:
        raise InvalidCursor from exc
    if position.time.tzinfo is None:
        raise InvalidCursor
    return position
