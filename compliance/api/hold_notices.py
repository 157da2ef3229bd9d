"""REST: who was told of a legal hold, and one's own notices."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.bodies import PAGING, paged
from compliance.api.hold_notices_serializers import (
    HoldAcknowledgementInput,
    HoldNoticeInput,
    HoldNoticeListOutput,
    HoldNoticeOutput,
    OwnHoldNoticeListOutput,
    OwnHoldNoticeOutput,
    notice_json,
    own_notice_json,
)
from compliance.holds.notices import (
    acknowledge_notice,
    find_own_notice,
    list_notices,
    list_own_notices,
    record_acknowledgement,
    send_notice,
)
from compliance.holds.texts import checked_notice
from vaultsite.kernel.api.pagination import PageRequest, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import InvalidCursor


class HoldNoticeListView(VaultAPIView):
    resource_type = "legal_hold"

    @extend_schema(operation_id="listLegalHoldNotices", parameters=PAGING, responses=HoldNoticeListOutput)
    def get(self, request: Request, hold_id: UUID) -> Response:
        """Who was told of a hold and who has acknowledged it, oldest first."""
        wanted = read_page(request, members=1)
        rows = list_notices(self.principal, hold_id, limit=wanted.limit + 1, after=_after(wanted))
        return paged(rows, wanted, lambda notice: notice_json(self.principal, notice))

    @extend_schema(operation_id="sendLegalHoldNotice", request=HoldNoticeInput, responses={201: HoldNoticeOutput})
    def post(self, request: Request, hold_id: UUID) -> Response:
        """Tell the custodian, or another person, what to keep and whom to ask."""
        body = HoldNoticeInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        text = checked_notice(given["keep"], given["contact"])
        notice = send_notice(self.principal, hold_id=hold_id, person=given["person"], text=text)
        return Response(notice_json(self.principal, notice), status=201)


class HoldAcknowledgementView(VaultAPIView):
    resource_type = "legal_hold"

    @extend_schema(
        operation_id="recordLegalHoldAcknowledgement", request=HoldAcknowledgementInput, responses=HoldNoticeOutput
    )
    def post(self, request: Request, hold_id: UUID, hold_notice_id: UUID) -> Response:
        """Write down that a person acknowledged the hold elsewhere, and how one knows."""
        body = HoldAcknowledgementInput(data=request.data)
        body.is_valid(raise_exception=True)
        note = body.validated_data["note"]
        notice = record_acknowledgement(self.principal, hold_id=hold_id, notice_id=hold_notice_id, note=note)
        return Response(notice_json(self.principal, notice))


class OwnHoldNoticeListView(VaultAPIView):
    resource_type = "legal_hold_notice"

    @extend_schema(operation_id="listOwnLegalHoldNotices", parameters=PAGING, responses=OwnHoldNoticeListOutput)
    def get(self, request: Request) -> Response:
        """The legal holds that the caller was told of, newest first."""
        wanted = read_page(request, members=1)
        rows = list_own_notices(self.principal, limit=wanted.limit + 1, after=_after(wanted))
        return paged(rows, wanted, own_notice_json)


class OwnHoldNoticeView(VaultAPIView):
    resource_type = "legal_hold_notice"

    @extend_schema(operation_id="getOwnLegalHoldNotice", responses=OwnHoldNoticeOutput)
    def get(self, _: Request, hold_notice_id: UUID) -> Response:
        """What the caller was told of one hold."""
        return Response(own_notice_json(find_own_notice(self.principal, hold_notice_id)))


class OwnHoldAcknowledgementView(VaultAPIView):
    resource_type = "legal_hold_notice"

    @extend_schema(operation_id="acknowledgeLegalHold", request=None, responses=OwnHoldNoticeOutput)
    def post(self, _: Request, hold_notice_id: UUID) -> Response:
        """Say that one will keep what the hold names."""
        return Response(own_notice_json(acknowledge_notice(self.principal, notice_id=hold_notice_id)))


def _after(wanted: PageRequest) -> UUID | None:
    """Raises InvalidCursor."""
    try:
        return UUID(str(wanted.after[0])) if wanted.after is not None else None
    except ValueError as exc:
        raise InvalidCursor from exc
