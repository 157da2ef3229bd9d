"""REST: incidents, from a suspicion to the end."""

from typing import Any, Final
from uuid import UUID

from django.http import QueryDict
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.bodies import PAGING, paged
from compliance.api.incidents_serializers import (
    BreachLogLineOutput,
    BreachLogOutput,
    IncidentChangeInput,
    IncidentConfirmationInput,
    IncidentEntryOutput,
    IncidentInput,
    IncidentListOutput,
    IncidentNoteInput,
    IncidentOutput,
    IncidentReasonInput,
    IncidentTimelineOutput,
)
from compliance.incidents.facts import IncidentFacts
from compliance.incidents.open import change_incident, open_incident
from compliance.incidents.register import read_register
from compliance.incidents.selectors import IncidentFilter, find_incident, list_incidents
from compliance.incidents.standing import duties_of
from compliance.incidents.states import close_incident, confirm_incident, contain_incident, dismiss_incident
from compliance.incidents.timeline import add_note, list_entries
from compliance.models import Incident, IncidentEntry, IncidentSeverity, IncidentState
from vaultsite.kernel.api.pagination import PageRequest, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import FieldProblem, InvalidCursor, InvalidInput

CHOICES: Final = {"state": ("open", *IncidentState.values), "severity": tuple(IncidentSeverity.values)}
_FILTERS: Final = [OpenApiParameter(name, OpenApiTypes.STR, enum=offered) for name, offered in CHOICES.items()]
_YEARS: Final = range(2000, 2200)


def read_filter(parameters: QueryDict) -> IncidentFilter:
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
    return IncidentFilter(**{name: str(parameters[name]) for name in CHOICES if name in parameters})


def after_id(wanted: PageRequest) -> UUID | None:
    """The id that a cursor of one member names. Raises InvalidCursor."""
    if wanted.after is None:
        return None
    try:
        return UUID(wanted.after[0])
    except ValueError as exc:
        raise InvalidCursor from exc


def shown_incident(incident: Incident) -> dict[str, Any]:
    return dict(IncidentOutput(incident, context={"duties": duties_of([incident])}).data)


class IncidentListView(VaultAPIView):
    resource_type = "incident"

    @extend_schema(operation_id="listIncidents", parameters=[*_FILTERS, *PAGING], responses=IncidentListOutput)
    def get(self, request: Request) -> Response:
        """Incidents with where their clocks stand, those opened last first."""
        criteria, wanted = read_filter(request.query_params), read_page(request, members=1)
        rows = list_incidents(self.principal, criteria, limit=wanted.limit + 1, after=after_id(wanted))
        context = {"duties": duties_of(rows)}
        return paged(rows, wanted, lambda row: dict(IncidentOutput(row, context=context).data))

    @extend_schema(operation_id="openIncident", request=IncidentInput, responses={201: IncidentOutput})
    def post(self, request: Request) -> Response:
        """Open an incident, by hand or from an alert."""
        body = IncidentInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        alert_id = given.pop("alert_id", None)
        incident = open_incident(self.principal, facts=IncidentFacts(**given), alert_id=alert_id)
        return Response(shown_incident(incident), status=201)


class IncidentView(VaultAPIView):
    resource_type = "incident"

    @extend_schema(operation_id="getIncident", responses=IncidentOutput)
    def get(self, _: Request, incident_id: UUID) -> Response:
        """One incident, with whom the law wants told until when."""
        return Response(shown_incident(find_incident(self.principal, incident_id)))

    @extend_schema(operation_id="changeIncident", request=IncidentChangeInput, responses=IncidentOutput)
    def patch(self, request: Request, incident_id: UUID) -> Response:
        """Change what is known. The timeline keeps what was said before."""
        body = IncidentChangeInput(data=request.data)
        body.is_valid(raise_exception=True)
        changes = dict(body.validated_data)
        reason = changes.pop("reason", "")
        changed = change_incident(self.principal, incident_id=incident_id, changes=changes, reason=reason)
        return Response(shown_incident(changed))


class IncidentConfirmationView(VaultAPIView):
    resource_type = "incident"

    @extend_schema(operation_id="confirmIncident", request=IncidentConfirmationInput, responses=IncidentOutput)
    def post(self, request: Request, incident_id: UUID) -> Response:
        """It was a breach: from now, or from ``aware_at``, the organization is aware of it."""
        body = IncidentConfirmationInput(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(
            shown_incident(confirm_incident(self.principal, incident_id=incident_id, **body.validated_data))
        )


def _reason_of(request: Request) -> str:
    body = IncidentReasonInput(data=request.data)
    body.is_valid(raise_exception=True)
    return str(body.validated_data["reason"])


class IncidentDismissalView(VaultAPIView):
    resource_type = "incident"

    @extend_schema(operation_id="dismissIncident", request=IncidentReasonInput, responses=IncidentOutput)
    def post(self, request: Request, incident_id: UUID) -> Response:
        """It was no breach. The register keeps it, with the reason."""
        reason = _reason_of(request)
        return Response(shown_incident(dismiss_incident(self.principal, incident_id=incident_id, reason=reason)))


class IncidentContainmentView(VaultAPIView):
    resource_type = "incident"

    @extend_schema(operation_id="containIncident", request=IncidentReasonInput, responses=IncidentOutput)
    def post(self, request: Request, incident_id: UUID) -> Response:
        """Nothing more can leave by it."""
        reason = _reason_of(request)
        return Response(shown_incident(contain_incident(self.principal, incident_id=incident_id, reason=reason)))


class IncidentClosureView(VaultAPIView):
    resource_type = "incident"

    @extend_schema(operation_id="closeIncident", request=IncidentReasonInput, responses=IncidentOutput)
    def post(self, request: Request, incident_id: UUID) -> Response:
        """Nothing is left to do; refused with what is left."""
        reason = _reason_of(request)
        return Response(shown_incident(close_incident(self.principal, incident_id=incident_id, reason=reason)))


def _shown_entry(entry: IncidentEntry) -> dict[str, Any]:
    return dict(IncidentEntryOutput(entry).data)


class IncidentTimelineView(VaultAPIView):
    resource_type = "incident"

    @extend_schema(operation_id="listIncidentTimeline", parameters=PAGING, responses=IncidentTimelineOutput)
    def get(self, request: Request, incident_id: UUID) -> Response:
        """What was done about an incident, the newest first. Nobody rewrites it."""
        wanted = read_page(request, members=1)
        rows = list_entries(self.principal, incident_id=incident_id, limit=wanted.limit + 1, after=after_id(wanted))
        return paged(rows, wanted, _shown_entry)

    @extend_schema(operation_id="addIncidentNote", request=IncidentNoteInput, responses={201: IncidentEntryOutput})
    def post(self, request: Request, incident_id: UUID) -> Response:
        """Add a note."""
        body = IncidentNoteInput(data=request.data)
        body.is_valid(raise_exception=True)
        added = add_note(self.principal, incident_id=incident_id, **body.validated_data)
        return Response(_shown_entry(added), status=201)


class BreachLogView(VaultAPIView):
    resource_type = "incident"

    @extend_schema(
        operation_id="getBreachLog",
        parameters=[OpenApiParameter("year", OpenApiTypes.INT, OpenApiParameter.PATH)],
        responses=BreachLogOutput,
    )
    def get(self, _: Request, year: int) -> Response:
        """Every incident discovered in a year: the register of GDPR article 33(5) and the log for HHS."""
        if year not in _YEARS:
            raise InvalidInput(errors=[FieldProblem("year", f"from {_YEARS.start} to {_YEARS.stop - 1}")])
        lines = read_register(self.principal, year=year)
        return Response({"year": year, "data": BreachLogLineOutput(lines, many=True).data})
