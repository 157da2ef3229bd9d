"""REST: requests of data subjects."""

from collections.abc import Callable
from datetime import date
from typing import Any, ClassVar, Final
from uuid import UUID

from django.conf import settings
from django.http import QueryDict
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.bodies import PAGING
from access.selectors import current_tenant
from compliance.api.requests_serializers import (
    FormInput,
    FormOutput,
    LetterInput,
    LetterListOutput,
    LetterOutput,
    MatchesInput,
    MatchListOutput,
    MatchOutput,
    SubjectAnswerInput,
    SubjectAssignmentInput,
    SubjectExtensionInput,
    SubjectMoveInput,
    SubjectRefusalInput,
    SubjectRequestChangeInput,
    SubjectRequestDetailOutput,
    SubjectRequestInput,
    SubjectRequestListOutput,
    SubjectRequestOutput,
    VerificationOfSubjectInput,
)
from compliance.models import IntakeForm, SubjectRequest
from compliance.models.request import (
    Channel,
    Direction,
    IdentityMethod,
    Law,
    LegalBasis,
    RefusalGround,
    RequestType,
    SubjectRequestState,
)
from compliance.requests import cases
from compliance.requests.form import form_settings, set_form
from compliance.requests.intake import MANAGE, Intake, create_request
from compliance.requests.letters import add_letter
from compliance.requests.matches import matches_of, set_matches
from compliance.requests.sealed import Letter, SubjectFacts
from compliance.requests.selectors import (
    Position,
    RequestFilter,
    get_request,
    letters_of,
    list_requests,
    may_see_subject,
)
from vaultsite.kernel.api.pagination import encode_cursor, page, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.tenancy.principal import Principal

CHOICES: Final = {
    "state": ("open", *SubjectRequestState.values),
    "type": tuple(RequestType.values),
    "law": tuple(Law.values),
    "overdue": ("true", "false"),
}
_FILTERS: Final = [
    *(OpenApiParameter(name, OpenApiTypes.STR, enum=offered) for name, offered in CHOICES.items()),
    OpenApiParameter("assignee", OpenApiTypes.UUID),
    OpenApiParameter("due_before", OpenApiTypes.DATE),
]


def read_filter(parameters: QueryDict) -> RequestFilter:
    """The filters of a query string; raises InvalidInput naming each parameter that does not fit."""
    problems = [
        FieldProblem(name, f"one of {', '.join(offered)}")
        for name, offered in CHOICES.items()
        if name in parameters and parameters[name] not in offered
    ]
    parsed: dict[str, Any] = {}
    for name, read, shape in (("assignee", UUID, "an id"), ("due_before", date.fromisoformat, "a date")):
        try:
            parsed[name] = read(str(parameters[name])) if parameters.get(name) else None
        except ValueError:
            problems.append(FieldProblem(name, shape))
    unknown = parameters.keys() - CHOICES.keys() - {"assignee", "due_before", "limit", "cursor"}
    problems += [FieldProblem(name, "There is no such filter.") for name in sorted(unknown)]
    if problems:
        raise InvalidInput(errors=problems)
    parsed |= {name: str(parameters.get(name, "")) for name in ("state", "type", "law")}
    return RequestFilter(**parsed, is_overdue=parameters.get("overdue") == "true")


def _shown(request: SubjectRequest) -> dict[str, Any]:
    return dict(SubjectRequestOutput(request).data)


def _shown_whole(principal: Principal, request: SubjectRequest) -> dict[str, Any]:
    request.subject = SubjectFacts.of(request) if may_see_subject(principal) else None  # type: ignore[attr-defined]
    return dict(SubjectRequestDetailOutput(request).data)


class SubjectRequestListView(VaultAPIView):
    resource_type = "subject_request"

    @extend_schema(
        operation_id="listSubjectRequests", parameters=[*_FILTERS, *PAGING], responses=SubjectRequestListOutput
    )
    def get(self, request: Request) -> Response:
        """Requests of data subjects, those due first first."""
        criteria, wanted = read_filter(request.query_params), read_page(request, members=2)
        rows = list_requests(self.principal, criteria, limit=wanted.limit + 1, after=Position.of(wanted.after))
        kept = rows[: wanted.limit]
        last = kept[-1] if len(rows) > wanted.limit else None
        cursor = encode_cursor([last.due_on.isoformat(), str(last.pk)]) if last else None
        return Response(page([_shown(row) for row in kept], limit=wanted.limit, next_cursor=cursor))

    @extend_schema(
        operation_id="createSubjectRequest", request=SubjectRequestInput, responses={201: SubjectRequestDetailOutput}
    )
    def post(self, request: Request) -> Response:
        """Enter a request that reached the organization; its clock runs from ``received_at``."""
        body = SubjectRequestInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        created = create_request(
            self.principal,
            intake=Intake(
                RequestType(given["type"]),
                Law(given["law"]),
                Channel(given["channel"]),
                given.get("received_at"),
                LegalBasis(given["legal_basis"]),
            ),
            facts=SubjectFacts(given["name"], given["contact"], tuple(given["identifiers"]), given["details"]),
            identity=IdentityMethod(given.get("identity", "")),
        )
        location = reverse("subject-request", args=[created.pk])
        return Response(_shown_whole(self.principal, created), status=201, headers={"Location": location})


class SubjectRequestView(VaultAPIView):
    resource_type = "subject_request"

    @extend_schema(operation_id="getSubjectRequest", responses=SubjectRequestDetailOutput)
    def get(self, _: Request, subject_request_id: UUID) -> Response:
        """One request; who asks is shown to those who work on requests."""
        return Response(_shown_whole(self.principal, get_request(self.principal, subject_request_id)))

    @extend_schema(
        operation_id="updateSubjectRequest", request=SubjectRequestChangeInput, responses=SubjectRequestDetailOutput
    )
    def patch(self, request: Request, subject_request_id: UUID) -> Response:
        """Say on which ground the subject's data are held."""
        body = SubjectRequestChangeInput(data=request.data)
        body.is_valid(raise_exception=True)
        basis = LegalBasis(body.validated_data["legal_basis"])
        changed = cases.set_basis(self.principal, request_id=subject_request_id, legal_basis=basis)
        return Response(_shown_whole(self.principal, changed))


class _ActView(VaultAPIView):
    """Reads a body and does one thing to a request."""

    resource_type = "subject_request"
    shape: ClassVar[type[serializers.Serializer[Any]]]
    act: ClassVar[Callable[..., SubjectRequest]]

    def done(self, request: Request, request_id: UUID, **read: Callable[[Any], Any]) -> Response:
        """Members named in ``read`` are made what the service takes."""
        body = self.shape(data=request.data)
        body.is_valid(raise_exception=True)
        given = {name: read.get(name, lambda value: value)(value) for name, value in body.validated_data.items()}
        return Response(_shown_whole(self.principal, type(self).act(self.principal, request_id=request_id, **given)))


class AssignmentView(_ActView):
    shape, act = SubjectAssignmentInput, cases.assign

    @extend_schema(
        operation_id="assignSubjectRequest", request=SubjectAssignmentInput, responses=SubjectRequestDetailOutput
    )
    def post(self, request: Request, subject_request_id: UUID) -> Response:
        """Give the request to somebody who may work on it."""
        return self.done(request, subject_request_id)


class VerificationOfSubjectView(_ActView):
    shape, act = VerificationOfSubjectInput, cases.verify

    @extend_schema(
        operation_id="verifySubjectRequest", request=VerificationOfSubjectInput, responses=SubjectRequestDetailOutput
    )
    def post(self, request: Request, subject_request_id: UUID) -> Response:
        """Say that the subject is who they say, and by what that was made sure."""
        return self.done(request, subject_request_id, method=IdentityMethod)


class IdentityLinkView(VaultAPIView):
    resource_type = "subject_request"

    @extend_schema(operation_id="mailIdentityLink", request=None, responses=SubjectRequestDetailOutput)
    def post(self, _: Request, subject_request_id: UUID) -> Response:
        """Mail the subject a link that proves who has the address; it holds 48 hours and once."""
        asked = cases.ask_for_identity(self.principal, request_id=subject_request_id)
        return Response(_shown_whole(self.principal, asked))


class MoveView(_ActView):
    shape, act = SubjectMoveInput, cases.advance

    @extend_schema(operation_id="moveSubjectRequest", request=SubjectMoveInput, responses=SubjectRequestDetailOutput)
    def post(self, request: Request, subject_request_id: UUID) -> Response:
        """Get on with the request, or close it."""
        return self.done(request, subject_request_id, to=SubjectRequestState)


class ExtensionView(_ActView):
    shape, act = SubjectExtensionInput, cases.extend

    @extend_schema(
        operation_id="extendSubjectRequest", request=SubjectExtensionInput, responses=SubjectRequestDetailOutput
    )
    def post(self, request: Request, subject_request_id: UUID) -> Response:
        """Take the longer term that the law gives, inside the first; the subject is told why."""
        return self.done(request, subject_request_id)


class RefusalView(_ActView):
    shape, act = SubjectRefusalInput, cases.refuse

    @extend_schema(
        operation_id="refuseSubjectRequest", request=SubjectRefusalInput, responses=SubjectRequestDetailOutput
    )
    def post(self, request: Request, subject_request_id: UUID) -> Response:
        """Refuse on a ground of law; the subject is told why, and where they may complain."""
        return self.done(request, subject_request_id, ground=RefusalGround)


class AnswerView(_ActView):
    shape, act = SubjectAnswerInput, cases.answer

    @extend_schema(
        operation_id="answerSubjectRequest", request=SubjectAnswerInput, responses=SubjectRequestDetailOutput
    )
    def post(self, request: Request, subject_request_id: UUID) -> Response:
        """Say that the subject has what they asked for; a request for erasure, once it has its receipt."""
        return self.done(request, subject_request_id, ground=RefusalGround)


class CorrespondenceView(VaultAPIView):
    resource_type = "subject_request"

    @extend_schema(operation_id="listSubjectCorrespondence", responses=LetterListOutput)
    def get(self, _: Request, subject_request_id: UUID) -> Response:
        """Everything written about the request, oldest first."""
        found = get_request(self.principal, subject_request_id, action=MANAGE)
        return Response({"data": [dict(LetterOutput(row).data) for row in letters_of(found)]})

    @extend_schema(operation_id="addSubjectCorrespondence", request=LetterInput, responses={201: LetterOutput})
    def post(self, request: Request, subject_request_id: UUID) -> Response:
        """Enter a message or a note; one to the subject by e-mail is sent."""
        body = LetterInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        row = add_letter(
            self.principal,
            request_id=subject_request_id,
            direction=Direction(given["direction"]),
            channel=Channel(given["channel"]),
            letter=Letter(given["subject"], given["text"]),
        )
        return Response(dict(LetterOutput(row).data), status=201)


class MatchesView(VaultAPIView):
    resource_type = "subject_request"

    @extend_schema(operation_id="listRequestMatches", responses=MatchListOutput)
    def get(self, _: Request, subject_request_id: UUID) -> Response:
        """Which records are the subject's, by dataset: found by the search and accepted, or entered by hand."""
        found = get_request(self.principal, subject_request_id, action=MANAGE)
        return Response({"data": [dict(MatchOutput(one).data) for one in matches_of(found)]})

    @extend_schema(operation_id="setSubjectMatches", request=MatchesInput, responses=MatchListOutput)
    def put(self, request: Request, subject_request_id: UUID) -> Response:
        """Enter by hand which records are the subject's, in place of what was entered before."""
        body = MatchesInput(data=request.data)
        body.is_valid(raise_exception=True)
        found: dict[UUID, list[str]] = {}
        for one in body.validated_data["matches"]:
            found.setdefault(one["dataset_id"], []).extend(one["record_ids"])
        changed = set_matches(self.principal, request_id=subject_request_id, found=found)
        return Response({"data": [dict(MatchOutput(one).data) for one in matches_of(changed)]})


class FormView(VaultAPIView):
    resource_type = "subject_request"

    @extend_schema(operation_id="getSubjectRequestForm", responses=FormOutput)
    def get(self, _: Request) -> Response:
        """Whether the public form takes requests, and where it is."""
        return Response(_shown_form(form_settings(self.principal)))

    @extend_schema(operation_id="setSubjectRequestForm", request=FormInput, responses=FormOutput)
    def put(self, request: Request) -> Response:
        """Open or close the public form."""
        body = FormInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        return Response(_shown_form(set_form(self.principal, is_open=given["is_open"], law=Law(given["law"]))))


def _shown_form(row: IntakeForm) -> dict[str, Any]:
    return {"is_open": row.is_open, "law": row.law, "address": form_address() if row.is_open else ""}


def form_address() -> str:
    """Where the public form of the scope's tenant is."""
    return f"{settings.PUBLIC_URL}{reverse('subject_form', args=[current_tenant().slug])}"
