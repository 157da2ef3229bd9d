"""The privacy budget: how much of it a family of datasets has, who spent what, and that nobody spends more.

Composition is basic: the epsilons of all answers about a family add up, and so do the deltas.
"""

from contextlib import suppress
from dataclasses import dataclass
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


def find_budget(family_id: UUID) -> PrivacyBudget | None:
    """As budget_of, but None for a family that nobody has asked about."""
    budget = PrivacyBudget.objects.filter(family_id=family_id).first()
    while budget is not None and budget.merged_into is not None:
        budget = PrivacyBudget.objects.filter(family_id=budget.merged_into).first()
    return budget


def share_of(budget: PrivacyBudget, recipient: UUID) -> BudgetShare:
    share, _ = BudgetShare.objects.get_or_create(budget=budget, recipient=recipient)
    return share


def left_in(budget: PrivacyBudget) -> Loss:
    """What all recipients together have left."""
    total = Loss(budget.epsilon_total, budget.delta_total)
    return total.less(Loss(budget.epsilon_spent, budget.delta_spent))


def left_to(budget: PrivacyBudget, share: BudgetShare) -> Loss:
    """What one recipient has left: of the share, and no more than the family has."""
    return cap_of(budget, share).less(Loss(share.epsilon_spent, share.delta_spent)).least(left_in(budget))


def cap_of(budget: PrivacyBudget, share: BudgetShare) -> Loss:
    """What one recipient may spend at most."""
    return Loss(
        budget.recipient_epsilon if share.epsilon_total is None else share.epsilon_total,
        budget.recipient_delta if share.delta_total is None else share.delta_total,
    )


@dataclass(frozen=True)
class BudgetState:
    """A budget as it is shown: of everybody, and of one recipient."""

    family_id: UUID
    total: Loss
    spent: Loss
    left: Loss
    recipient: UUID
    share: Loss
    recipient_spent: Loss
    recipient_left: Loss


def state_of(family_id: UUID, recipient: UUID) -> BudgetState:
    """Without making a budget or a share where there is none."""
    total = default_budget()
    budget = find_budget(family_id) or PrivacyBudget(
        family_id=family_id,
        epsilon_total=total.epsilon,
        delta_total=total.delta,
        recipient_epsilon=total.epsilon,
        recipient_delta=total.delta,
    )
    share = BudgetShare.objects.filter(budget_id=budget.pk, recipient=recipient).first() or BudgetShare(
        budget=budget, recipient=recipient
    )
    return BudgetState(
        budget.family_id,
        Loss(budget.epsilon_total, budget.delta_total),
        Loss(Decimal(budget.epsilon_spent), Decimal(budget.delta_spent)),
        left_in(budget),
        recipient,
        cap_of(budget, share),
        Loss(Decimal(share.epsilon_spent), Decimal(share.delta_spent)),
        left_to(budget, share),
    )


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
    budget = find_budget(family_id)
    if budget is None:
        return None
    found = budget.spends.filter(query_digest=query_digest, answer__isnull=False).order_by("answered_at", "id").first()
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


def known_budgets(*, after: UUID | None, limit: int) -> list[PrivacyBudget]:
    """The budgets of families of their own, newest first, from the one after the id ``after`` on."""
    rows = PrivacyBudget.objects.filter(merged_into=None).order_by("-id")
    return list((rows.filter(pk__lt=after) if after else rows)[:limit])
