"""The one statement that takes from a privacy budget."""

from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db import connections

from anonymization.privacy.amounts import Loss
from vaultsite.kernel.tenancy.scope import active_alias

# One statement, no read before the write: whoever waits for the row of the family judges by what is there then, and
# the row of the share is only reached with the family's. The ORM updates one table at a time.
_TAKE: Final = """
    WITH family AS (
        UPDATE privacy_budgets
           SET epsilon_spent = epsilon_spent + %(epsilon)s, delta_spent = delta_spent + %(delta)s, updated_at = now()
         WHERE family_id = %(family)s AND merged_into IS NULL
           AND epsilon_spent + %(epsilon)s <= epsilon_total AND delta_spent + %(delta)s <= delta_total
        RETURNING id, recipient_epsilon, recipient_delta
    )
    UPDATE privacy_budget_shares share
       SET epsilon_spent = share.epsilon_spent + %(epsilon)s, delta_spent = share.delta_spent + %(delta)s
      FROM family
     WHERE share.budget_id = family.id AND share.recipient = %(recipient)s
       AND share.epsilon_spent + %(epsilon)s <= COALESCE(share.epsilon_total, family.recipient_epsilon)
       AND share.delta_spent + %(delta)s <= COALESCE(share.delta_total, family.recipient_delta)
    RETURNING share.budget_id
"""


def take(family_id: UUID, recipient: UUID, loss: Loss) -> UUID | None:
    """Spend ``loss``; the id of the budget, or None where the family or the recipient has not that much left.

    The rows of budget and share must be committed. After None the transaction must be rolled back: the family's part
    may have been taken.
    """
    values: dict[str, UUID | Decimal] = {
        "family": family_id,
        "recipient": recipient,
        "epsilon": loss.epsilon,
        "delta": loss.delta,
    }
    with connections[active_alias()].cursor() as cursor:
        cursor.execute(_TAKE, values)
        row = cursor.fetchone()
    return row[0] if row else None
