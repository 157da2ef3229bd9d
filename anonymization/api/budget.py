"""REST: privacy budgets of families of datasets."""

from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.services.authorize import authorize
from anonymization.models import BudgetSpend
from anonymization.privacy.amounts import Loss, as_text
from anonymization.privacy.errors import BudgetNotFound
from anonymization.services.budget import BudgetState, find_budget, history_of, known_budgets, state_of
from anonymization.services.budget_terms import BudgetChange, change_budget
from anonymization.services.reasons import MAX_REASON
from vaultsite.kernel.api.inputs import StrictInput
from vaultsite.kernel.api.pagination import MAX_LIMIT, PageRequest, encode_cursor, page, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import InvalidCursor
from vaultsite.kernel.events.event import ResourceRef

PAGING: Final = [
    OpenApiParameter("limit", int, description=f"Rows of a page, at most {MAX_LIMIT}."),
    OpenApiParameter("cursor", str, description="Where the page before ended."),
]


class LossOutput(serializers.Serializer[Any]):
    """Exact decimals, as texts."""

    epsilon = serializers.CharField()
    delta = serializers.CharField()


class LossInput(serializers.Serializer[Any]):
    epsilon = serializers.DecimalField(max_digits=24, decimal_places=18, min_value=Decimal(0))
    delta = serializers.DecimalField(max_digits=19, decimal_places=18, min_value=Decimal(0))


class RecipientOutput(serializers.Serializer[Any]):
    """What one recipient may spend at most, has spent, and has left: no more than the family has."""

    recipient = serializers.UUIDField()
    share = LossOutput()
    spent = LossOutput()
    remaining = LossOutput()


class BudgetOutput(serializers.Serializer[Any]):
    """The budget of a family of datasets, over all recipients; ``composition`` says how losses add up."""

    family = serializers.UUIDField()
    total = LossOutput()
    spent = LossOutput()
    remaining = LossOutput()
    composition = serializers.CharField()
    you = RecipientOutput()


class ExactField(serializers.DecimalField):
    """A decimal text without the zeros that the column fills up with."""

    def __init__(self) -> None:
        super().__init__(max_digits=None, decimal_places=None, read_only=True)

    def to_representation(self, value: Any) -> str:
        return as_text(value)


class SpendOutput(serializers.ModelSerializer[BudgetSpend]):
    epsilon = ExactField()
    delta = ExactField()

    class Meta:
        model = BudgetSpend
        fields = ["id", "recipient", "dataset_id", "purpose", "epsilon", "delta", "queries", "is_renewed", "created_at"]


class BudgetHistoryOutput(BudgetOutput):
    shares = RecipientOutput(many=True)
    history = SpendOutput(many=True)


class ShareInput(serializers.Serializer[Any]):
    """The share of one recipient; ``share`` null: the usual one."""

    recipient = serializers.UUIDField()
    share = LossInput(allow_null=True)


class BudgetInput(StrictInput):
    """What is left out stays as it is. ``renew`` begins again with nothing spent."""

    total = LossInput(required=False)
    recipient = LossInput(required=False)
    shares = ShareInput(many=True, required=False)
    renew = serializers.BooleanField(required=False, default=False)
    reason = serializers.CharField(max_length=MAX_REASON)


def cursor_id(wanted: PageRequest) -> UUID | None:
    """The id after which a page goes on. Raises InvalidCursor."""
    try:
        return UUID(wanted.after[0]) if wanted.after else None
    except ValueError as exc:
        raise InvalidCursor from exc


def recipient_shown(state: BudgetState) -> dict[str, Any]:
    return {
        "recipient": str(state.recipient),
        "share": state.share.as_json(),
        "spent": state.recipient_spent.as_json(),
        "remaining": state.recipient_left.as_json(),
    }


def budget_shown(state: BudgetState) -> dict[str, Any]:
    """As BudgetOutput describes."""
    return {
        "family": str(state.family_id),
        "total": state.total.as_json(),
        "spent": state.spent.as_json(),
        "remaining": state.left.as_json(),
        "composition": "basic",
        "you": recipient_shown(state),
    }


class BudgetListView(VaultAPIView):
    resource_type = "privacy_budget"

    @extend_schema(parameters=PAGING, responses=BudgetOutput(many=True))
    def get(self, request: Request) -> Response:
        """The budgets of all families that anybody has asked about, newest first."""
        authorize(self.principal, "budget.read", ResourceRef(type="privacy_budget"))
        wanted = read_page(request, members=1)
        rows = known_budgets(after=cursor_id(wanted), limit=wanted.limit + 1)
        more = encode_cursor([str(rows[wanted.limit - 1].pk)]) if len(rows) > wanted.limit else None
        data = [budget_shown(state_of(row.family_id, self.principal.id)) for row in rows[: wanted.limit]]
        return Response(page(data, limit=wanted.limit, next_cursor=more))


class BudgetView(VaultAPIView):
    resource_type = "privacy_budget"

    @extend_schema(responses=BudgetHistoryOutput)
    def get(self, _: Request, family_id: UUID) -> Response:
        """One budget with the shares of its recipients and the latest spends."""
        authorize(self.principal, "budget.read", ResourceRef(type="privacy_budget", id=str(family_id)))
        return Response(self._shown(family_id))

    @extend_schema(request=BudgetInput, responses=BudgetHistoryOutput)
    def put(self, request: Request, family_id: UUID) -> Response:
        """Set what a family has, the usual share and shares of recipients, or renew it; with a reason."""
        body = BudgetInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        shares = {item["recipient"]: _loss(item["share"]) for item in given.get("shares", ())}
        change = BudgetChange(_loss(given.get("total")), _loss(given.get("recipient")), shares, given["renew"])
        change_budget(self.principal, family_id=family_id, change=change, reason=given["reason"])
        return Response(self._shown(family_id))

    def _shown(self, family_id: UUID) -> dict[str, Any]:
        budget = find_budget(family_id)
        if budget is None:
            raise BudgetNotFound
        shares = [
            state_of(budget.family_id, share.recipient) for share in budget.shares.order_by("-epsilon_spent")[:100]
        ]
        return budget_shown(state_of(budget.family_id, self.principal.id)) | {
            "shares": [recipient_shown(share) for share in shares],
            "history": SpendOutput(history_of(budget)[:100], many=True).data,
        }


def _loss(given: dict[str, Decimal] | None) -> Loss | None:
    return None if given is None else Loss(given["epsilon"], given["delta"])
