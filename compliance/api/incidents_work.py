"""REST: what is worked out and done about an incident."""

import re
from typing import Any, Final
from uuid import UUID

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from compliance.api.incidents_serializers import (
    BreachNoticeInput,
    BreachNoticeOutput,
    BreachNoticeReadOutput,
    BreachNoticeSentInput,
    BreachNoticesOutput,
    BreachNoticeTextInput,
    BreachNoticeTextOutput,
    IncidentAssessmentInput,
    IncidentAssessmentOutput,
    IncidentAssessmentsOutput,
    IncidentEntryOutput,
    IncidentProofInput,
    IncidentQuarantineInput,
    IncidentRevocationInput,
    IncidentScopeInput,
    IncidentScopeOutput,
    IncidentScopesOutput,
    IncidentTaskInput,
    IncidentTaskOutput,
    IncidentTasksOutput,
)
from compliance.incidents.actions import end_access_of, quarantine_dataset
from compliance.incidents.assess import Factor, Judgement, assess_risk, list_assessments
from compliance.incidents.notices import (
    NoticeText,
    begin_notice,
    list_notices,
    mark_sent,
    read_notice,
    save_notice,
)
from compliance.incidents.scope_request import get_scope, list_scopes, request_scope
from compliance.incidents.tasks import create_task, finish_task, list_tasks
from compliance.models import BreachNotice
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import FieldProblem, InvalidInput

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")


class IncidentScopeListView(VaultAPIView):
    resource_type = "incident"

    @extend_schema(operation_id="listIncidentScopes", responses=IncidentScopesOutput)
    def get(self, _: Request, incident_id: UUID) -> Response:
        """What was computed of an incident's reach, the latest first."""
        rows = list_scopes(self.principal, incident_id=incident_id)
        return Response({"data": IncidentScopeOutput(rows, many=True).data})

    @extend_schema(
        operation_id="requestIncidentScope", request=IncidentScopeInput, responses={202: IncidentScopeOutput}
    )
    def post(self, request: Request, incident_id: UUID) -> Response:
        """Compute from audit and lineage what those whom the incident names reached. It may be asked for again."""
        body = IncidentScopeInput(data=request.data)
        body.is_valid(raise_exception=True)
        scope = request_scope(self.principal, incident_id=incident_id, **body.validated_data)
        location = reverse("incident-scope", args=[incident_id, scope.pk])
        return Response(IncidentScopeOutput(scope).data, status=202, headers={"Location": location})


class IncidentScopeView(VaultAPIView):
    resource_type = "incident"

    @extend_schema(operation_id="getIncidentScope", responses=IncidentScopeOutput)
    def get(self, _: Request, incident_id: UUID, incident_scope_id: UUID) -> Response:
        """One scope, and what it found."""
        scope = get_scope(self.principal, incident_id=incident_id, scope_id=incident_scope_id)
        return Response(IncidentScopeOutput(scope).data)


class IncidentAssessmentListView(VaultAPIView):
    resource_type = "incident"

    @extend_schema(operation_id="listIncidentAssessments", responses=IncidentAssessmentsOutput)
    def get(self, _: Request, incident_id: UUID) -> Response:
        """How the risk was judged, the latest first."""
        rows = list_assessments(self.principal, incident_id=incident_id)
        return Response({"data": IncidentAssessmentOutput(rows, many=True).data})

    @extend_schema(
        operation_id="assessIncident", request=IncidentAssessmentInput, responses={201: IncidentAssessmentOutput}
    )
    def post(self, request: Request, incident_id: UUID) -> Response:
        """Judge the risk, or judge it anew."""
        body = IncidentAssessmentInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        factors = {name: Factor(**factor) for name, factor in given.pop("factors", {}).items()}
        judgement = Judgement(factors=factors, **given)
        made = assess_risk(self.principal, incident_id=incident_id, judgement=judgement)
        return Response(IncidentAssessmentOutput(made).data, status=201)


class IncidentTaskListView(VaultAPIView):
    resource_type = "incident"

    @extend_schema(operation_id="listIncidentTasks", responses=IncidentTasksOutput)
    def get(self, _: Request, incident_id: UUID) -> Response:
        """What there is to do about an incident, and what was done."""
        rows = list_tasks(self.principal, incident_id=incident_id)
        return Response({"data": IncidentTaskOutput(rows, many=True).data})

    @extend_schema(operation_id="createIncidentTask", request=IncidentTaskInput, responses={201: IncidentTaskOutput})
    def post(self, request: Request, incident_id: UUID) -> Response:
        """Ask for something to be done."""
        body = IncidentTaskInput(data=request.data)
        body.is_valid(raise_exception=True)
        made = create_task(self.principal, incident_id=incident_id, **body.validated_data)
        return Response(IncidentTaskOutput(made).data, status=201)


class IncidentTaskDoneView(VaultAPIView):
    resource_type = "incident"

    @extend_schema(operation_id="finishIncidentTask", request=IncidentProofInput, responses=IncidentTaskOutput)
    def post(self, request: Request, incident_id: UUID, incident_task_id: UUID) -> Response:
        """It is done, and by this it can be seen."""
        body = IncidentProofInput(data=request.data)
        body.is_valid(raise_exception=True)
        done = finish_task(self.principal, incident_id=incident_id, task_id=incident_task_id, **body.validated_data)
        return Response(IncidentTaskOutput(done).data)


def _with_text(notice: BreachNotice, text: NoticeText) -> dict[str, Any]:
    return dict(BreachNoticeOutput(notice).data) | {"text": BreachNoticeTextOutput(text).data}


class BreachNoticeListView(VaultAPIView):
    resource_type = "incident"

    @extend_schema(operation_id="listBreachNotices", responses=BreachNoticesOutput)
    def get(self, _: Request, incident_id: UUID) -> Response:
        """The notices of an incident, without their texts."""
        rows = list_notices(self.principal, incident_id=incident_id)
        return Response({"data": BreachNoticeOutput(rows, many=True).data})

    @extend_schema(operation_id="beginBreachNotice", request=BreachNoticeInput, responses={201: BreachNoticeOutput})
    def post(self, request: Request, incident_id: UUID) -> Response:
        """Begin a notice filled with what is known, or the next phase of one that was sent."""
        body = BreachNoticeInput(data=request.data)
        body.is_valid(raise_exception=True)
        notice = begin_notice(self.principal, incident_id=incident_id, **body.validated_data)
        return Response(BreachNoticeOutput(notice).data, status=201)


class BreachNoticeView(VaultAPIView):
    resource_type = "incident"

    @extend_schema(
        operation_id="getBreachNotice",
        parameters=[OpenApiParameter("version", OpenApiTypes.INT)],
        responses=BreachNoticeReadOutput,
    )
    def get(self, request: Request, incident_id: UUID, notice_id: UUID) -> Response:
        """A notice with its newest text, what was sent, or the version asked for."""
        version = _version(request.query_params.get("version"))
        return Response(
            _with_text(*read_notice(self.principal, incident_id=incident_id, notice_id=notice_id, version=version))
        )

    @extend_schema(operation_id="saveBreachNotice", request=BreachNoticeTextInput, responses=BreachNoticeTextOutput)
    def put(self, request: Request, incident_id: UUID, notice_id: UUID) -> Response:
        """Save a version of the text."""
        body = BreachNoticeTextInput(data=request.data)
        body.is_valid(raise_exception=True)
        saved = save_notice(self.principal, incident_id=incident_id, notice_id=notice_id, **body.validated_data)
        return Response(BreachNoticeTextOutput(saved).data)


def _version(given: str | None) -> int | None:
    if given is None:
        return None
    if not _NUMBER.fullmatch(given):
        raise InvalidInput(errors=[FieldProblem("version", "a whole number from 1")])
    return int(given)


class BreachNoticeSentView(VaultAPIView):
    resource_type = "incident"

    @extend_schema(operation_id="markBreachNoticeSent", request=BreachNoticeSentInput, responses=BreachNoticeOutput)
    def post(self, request: Request, incident_id: UUID, notice_id: UUID) -> Response:
        """Say that the newest text was sent. The vault itself sends nothing."""
        body = BreachNoticeSentInput(data=request.data)
        body.is_valid(raise_exception=True)
        notice = mark_sent(self.principal, incident_id=incident_id, notice_id=notice_id, **body.validated_data)
        return Response(BreachNoticeOutput(notice).data)


class IncidentQuarantineView(VaultAPIView):
    resource_type = "incident"

    @extend_schema(operation_id="quarantineForIncident", request=IncidentQuarantineInput, responses=IncidentEntryOutput)
    def post(self, request: Request, incident_id: UUID) -> Response:
        """Put versions of a dataset in quarantine."""
        body = IncidentQuarantineInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        versions = tuple(given.pop("versions", ()))
        entry = quarantine_dataset(self.principal, incident_id=incident_id, versions=versions, **given)
        return Response(IncidentEntryOutput(entry).data)


class IncidentRevocationView(VaultAPIView):
    resource_type = "incident"

    @extend_schema(operation_id="revokeForIncident", request=IncidentRevocationInput, responses=IncidentEntryOutput)
    def post(self, request: Request, incident_id: UUID) -> Response:
        """End what somebody whom the incident names acts by: sessions, keys, a service account."""
        body = IncidentRevocationInput(data=request.data)
        body.is_valid(raise_exception=True)
        entry = end_access_of(self.principal, incident_id=incident_id, **body.validated_data)
        return Response(IncidentEntryOutput(entry).data)
