"""The privacy budget: how much of it a family of datasets has, who spent what, and that nobody spends more.

Composition is basic: the epsilons of all answers about a family add up, and so do the deltas.
"""

from contextlib import suppress
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now

from access.services.keyring import open_column, seal_column
from anonymization.models import BudgetShare, BudgetSpend, PrivacyBudget
from anonymization.privacy.amounts import Loss, exact
from anonymization.privacy.errors import BudgetExhausted, InvalidAmount
from anonymization.privacy.taking import take
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.scope import durable_effect

#: Beyond it nothing is protected, and columns end.
MAX_EPSILON: Final = 1_000_000
_ANSWER: Final = "anonymization.answer"


def default_budget() -> Loss:
    """What a family has before anybody sets its budget."""
    return Loss(Decimal(settings.VAULT["PRIVACY_EPSILON"]), Decimal(settings.VAULT["PRIVACY_DELTA"]))


def budget_of(family_id: UUID) -> PrivacyBudget:
    """The budget of a family, made at its first use; of a family that became part of another, the other's."""
    total = default_budget()
    budget, _ = PrivacyBudget.objects.get_or_create(
        family_id=family_id,
        defaults={
            "epsilon_total": total.epsilon,
            "delta_total": total.delta,
            "recipient_epsilon": total.epsilon,
            "recipient_delta": total.delta,
        },
    )
    return budget if budget.merged_into is None else budget_of(budget.merged_into)


def share_of(budget: PrivacyBudget, recipient: UUID) -> BudgetShare:
    share, _ = BudgetShare.objects.get_or_create(budget=budget, recipient=recipient)
    return share


def left_in(budget: PrivacyBudget) -> Loss:
    """What all recipients together have left."""
    total = Loss(budget.epsilon_total, budget.delta_total)
    return total.less(Loss(budget.epsilon_spent, budget.delta_spent))


def left_to(budget: PrivacyBudget, share: BudgetShare) -> Loss:
    """What one recipient has left: of the share, and no more than the family has."""
    cap = Loss(
        budget.recipient_epsilon if share.epsilon_total is None else share.epsilon_total,
        budget.recipient_delta if share.delta_total is None else share.delta_total,
    )
    return cap.less(Loss(share.epsilon_spent, share.delta_spent)).least(left_in(budget))


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
    """Spend before anything is computed; committed at once, whatever becomes of the open scope.

    The scope must not have touched the budget. A computation that fails afterwards gives nothing back. Raises
    InvalidAmount, BudgetExhausted.
    """
    loss = amount(epsilon, delta)
    entry = BudgetSpend(
        recipient=recipient,
        dataset_id=dataset_id,
        purpose=purpose,
        epsilon=loss.epsilon,
        delta=loss.delta,
        queries=queries,
        query_digest=query_digest,
    )
    budget = _take(family_id, entry, loss)
    resource = ResourceRef(type="privacy_budget", id=str(budget.family_id), dataset_id=dataset_id)
    facts = {**loss.as_json(), "queries": queries}
    emit(Event(type=EventType.BUDGET_SPENT, operation="update", resource=resource, purpose=purpose, metadata=facts))
    return entry


def _take(family_id: UUID, entry: BudgetSpend, loss: Loss) -> PrivacyBudget:
    while True:
        with durable_effect():  # rows that the next transaction must find committed
            budget = budget_of(family_id)
            share_of(budget, entry.recipient)
        with suppress(BudgetExhausted), durable_effect():
            _take_once(budget, entry, loss)
            return budget
        with durable_effect():
            now = budget_of(family_id)
            if now.pk == budget.pk:  # else the family became part of another one meanwhile
                left = left_to(now, share_of(now, entry.recipient)).as_json()
                raise BudgetExhausted(remaining_epsilon=left["epsilon"], remaining_delta=left["delta"])


def _take_once(budget: PrivacyBudget, entry: BudgetSpend, loss: Loss) -> None:
    """Raises BudgetExhausted, which undoes the transaction around it."""
    budget_id = take(budget.family_id, entry.recipient, loss)
    if budget_id is None:
        raise BudgetExhausted
    entry.budget_id = budget_id
    entry.save(force_insert=True)


def amount(epsilon: Decimal, delta: Decimal) -> Loss:
    """Raises InvalidAmount unless both can be kept exactly, neither is negative and delta is under 1."""
    try:
        loss = Loss(exact(epsilon), exact(delta))
    except ValueError as exc:
        raise InvalidAmount(str(exc)) from None
    if loss.epsilon < 0 or not 0 <= loss.delta < 1 or loss.epsilon >= MAX_EPSILON:
        raise InvalidAmount(f"epsilon is from 0 to below {MAX_EPSILON}, delta from 0 to below 1")
    return loss


def stored_answer(family_id: UUID, query_digest: bytes) -> tuple[BudgetSpend, bytes] | None:
    """The answer that was given to the same queries before, to whomever of the family's recipients."""
    found = (
        BudgetSpend.objects.filter(budget=budget_of(family_id), query_digest=query_digest, answer__isnull=False)
        .order_by("answered_at")
        .first()
    )
    if found is None or found.answer is None:
        return None
    return found, open_column(_ANSWER, found.pk.bytes, found.answer)


def store_answer(spent: BudgetSpend, answer: bytes) -> None:
    """Keep the answer, sealed, before it leaves: the same queries get it again without spending."""
    sealed = seal_column(_ANSWER, spent.pk.bytes, answer)
    BudgetSpend.objects.filter(pk=spent.pk, answer=None).update(answer=sealed, answered_at=Now())


def history_of(budget: PrivacyBudget) -> QuerySet[BudgetSpend]:
    """What was spent, newest first."""
    return budget.spends.order_by("-created_at", "-id")
