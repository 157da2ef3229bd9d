"""The privacy budget: how much of it a family of datasets has, who spent what, and that nobody spends more."""

from decimal import Decimal
from uuid import UUID

from anonymization.models import BudgetSpend


def spend(
    family_id: UUID,
    recipient: UUID,
    epsilon: Decimal,
    delta: Decimal,
    *,
    query_digest: bytes,
    dataset_id: UUID | None = None,
    purpose: str = "",
    queries: int = 1,
) -> BudgetSpend:
    """Spend before anything is computed; committed at once, whatever becomes of the scope. Raises BudgetExhausted."""
    raise NotImplementedError
