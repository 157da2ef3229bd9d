"""REST: legal holds."""

from typing import Any, Final
from uuid import UUID

from django.http import QueryDict
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.bodies import PAGING, paged
from access.services.authorize import authorize
from compliance.api.holds_serializers import HoldInput, HoldListOutput, HoldOutput, HoldReleaseInput, hold_json
from compliance.holds.notices import answered_of
from compliance.holds.place import Wanted, confirm_hold, place_hold
from compliance.holds.release import confirm_release, request_release, withdraw_release
from compliance.holds.selectors import CONDITIONS, HoldFilter, find_hold, list_holds
from compliance.holds.texts import NoticeText, checked_notice
from datasets.models import HoldKind
from datasets.query import parse_filter
from datasets.services.holds import HoldScope, Identifier
from vaultsite.kernel.api.pagination import PageRequest, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import FieldProblem, InvalidCursor, InvalidInput
from vaultsite.kernel.events.event import ResourceRef

_FILTERS: Final = [
    OpenApiParameter("state", OpenApiTypes.STR, enum=tuple(CONDITIONS)),
    OpenApiParameter("dataset_id", OpenApiTypes.UUID),
]


class HoldListView(VaultAPIView):
    resource_type = "legal_hold"

    @extend_schema(operation_id="listLegalHolds", parameters=[*_FILTERS, *PAGING], responses=HoldListOutput)
    def get(self, request: Request) -> Response:
        """Legal holds, newest first."""
        authorize(self.principal, "hold.read", ResourceRef("legal_hold"))
        criteria, wanted = read_hold_filter(request.query_params), read_page(request, members=1)
        rows = list_holds(self.principal, criteria, limit=wanted.limit + 1, after=_after(wanted))
        answered = answered_of([hold.pk for hold in rows])
        return paged(rows, wanted, lambda hold: hold_json(self.principal, hold, answered[hold.pk]))

    @extend_schema(operation_id="placeLegalHold", request=HoldInput, responses={201: HoldOutput})
    def post(self, request: Request) -> Response:
        """Place a hold: what it names is kept from now on, and a second person is asked to confirm it."""
        body = HoldInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        wanted, notice = [_wanted(scope) for scope in given["scopes"]], read_notice_text(given["notice"])
        hold = place_hold(self.principal, **{**_without_scopes(given), "wanted": wanted, "notice": notice})
        response = Response(hold_json(self.principal, hold), status=201)
        response["Location"] = f"/api/v1/legal-holds/{hold.pk}"
        return response


def read_hold_filter(given: QueryDict) -> HoldFilter:
    """The filters of a query string; raises InvalidInput naming each parameter that does not fit."""
    problems = [FieldProblem(name, "There is no such filter.") for name in sorted(given.keys() - _KNOWN)]
    state, dataset = given.get("state", ""), given.get("dataset_id", "")
    if state and state not in CONDITIONS:
        problems.append(FieldProblem("state", f"one of {', '.join(CONDITIONS)}"))
    dataset_id = _uuid(dataset)
    if dataset and dataset_id is None:
        problems.append(FieldProblem("dataset_id", "the id of a dataset"))
    if problems:
        raise InvalidInput(errors=problems)
    return HoldFilter(state=state, dataset_id=dataset_id)


_KNOWN: Final = frozenset({"state", "dataset_id", "limit", "cursor"})


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _after(wanted: PageRequest) -> UUID | None:
    if wanted.after is None:
        return None
    found = _uuid(wanted.after[0])
    if found is None:
        raise InvalidCursor
    return found


def _without_scopes(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name != "scopes"}


def read_notice_text(given: dict[str, str] | None) -> NoticeText | None:
    """Raises InvalidInput."""
    return None if given is None else checked_notice(given["keep"], given["contact"])


def _wanted(given: dict[str, Any]) -> Wanted:
    people = tuple(Identifier(one["type"], one["value"]) for one in given["identifiers"])
    scope = HoldScope(
        HoldKind(given["kind"]),
        version=given["version"],
        identifiers=people,
        filter=parse_filter(given["filter"]) if given["filter"] is not None else None,
    )
    return Wanted(given["dataset_id"], scope)


class HoldView(VaultAPIView):
    resource_type = "legal_hold"

    @extend_schema(operation_id="getLegalHold", responses=HoldOutput)
    def get(self, _: Request, hold_id: UUID) -> Response:
        """One hold, and what it keeps now."""
        authorize(self.principal, "hold.read", ResourceRef("legal_hold", str(hold_id)))
        return Response(hold_json(self.principal, find_hold(self.principal, hold_id)))


class HoldConfirmationView(VaultAPIView):
    resource_type = "legal_hold"

    @extend_schema(operation_id="confirmLegalHold", request=None, responses=HoldOutput)
    def post(self, _: Request, hold_id: UUID) -> Response:
        """Say as a second person that the hold is right."""
        return Response(hold_json(self.principal, confirm_hold(self.principal, hold_id=hold_id)))


class HoldReleaseView(VaultAPIView):
    resource_type = "legal_hold"

    @extend_schema(operation_id="requestLegalHoldRelease", request=HoldReleaseInput, responses=HoldOutput)
    def post(self, request: Request, hold_id: UUID) -> Response:
        """Ask for the end of a hold; it keeps everything until another person agrees."""
        body = HoldReleaseInput(data=request.data)
        body.is_valid(raise_exception=True)
        hold = request_release(self.principal, hold_id=hold_id, reason=body.validated_data["reason"])
        return Response(hold_json(self.principal, hold))

    @extend_schema(operation_id="withdrawLegalHoldRelease", responses={204: None})
    def delete(self, _: Request, hold_id: UUID) -> Response:
        """Take back or refuse that the hold ends: it stands as before."""
        withdraw_release(self.principal, hold_id=hold_id)
        return Response(status=204)


class HoldReleaseConfirmationView(VaultAPIView):
    resource_type = "legal_hold"

    @extend_schema(operation_id="confirmLegalHoldRelease", request=None, responses=HoldOutput)
    def post(self, _: Request, hold_id: UUID) -> Response:
        """Agree as another person: what no other hold keeps can be deleted again."""
        return Response(hold_json(self.principal, confirm_release(self.principal, hold_id=hold_id)))
