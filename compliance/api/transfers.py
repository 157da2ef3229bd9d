"""REST: the log of transfers, to read."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.bodies import PAGING
from compliance.api.transfers_serializers import TransferListOutput, TransferOutput, TransferQuery
from compliance.transfers.selectors import TransferFilter, list_transfers, with_names
from vaultsite.kernel.api.pagination import encode_cursor, page, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import InvalidCursor

_PAGING = frozenset({"cursor", "limit"})


class TransferListView(VaultAPIView):
    resource_type = "transfer"

    @extend_schema(operation_id="listTransfers", parameters=[TransferQuery, *PAGING], responses=TransferListOutput)
    def get(self, request: Request) -> Response:
        """What left the region of its dataset, to whom and under what, and what was refused; the newest first."""
        wanted = read_page(request, members=1)
        asked = TransferQuery(data={name: text for name, text in request.query_params.items() if name not in _PAGING})
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        try:
            after = UUID(wanted.after[0]) if wanted.after else None
        except ValueError as exc:
            raise InvalidCursor from exc
        found = list_transfers(
            self.principal,
            wanted=TransferFilter(given["outcome"], given["country"], given["dataset_id"], given["party_id"]),
            limit=wanted.limit + 1,
            after=after,
        )
        more = encode_cursor([str(found[wanted.limit - 1].pk)]) if len(found) > wanted.limit else None
        shown = [dict(TransferOutput(one).data) for one in with_names(self.principal, found[: wanted.limit])]
        return Response(page(shown, limit=wanted.limit, next_cursor=more))
