"""The terms of privacy budgets: totals, shares and renewals, by those who may manage them; and families that merge."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models.functions import Now

from access.services.authorize import authorize
from anonymization.models import BudgetShare, BudgetSpend, PrivacyBudget
from anonymization.privacy.amounts import Loss
from anonymization.services.budget import amount, budget_of, share_of
from anonymization.services.reasons import require_reason
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal


@dataclass(frozen=True)
class BudgetChange:
    """New terms of a budget; what is not given stays as it is.

    ``recipient`` is the share of each recipient that has none of its own in ``shares`` (None there: the usual one).
    ``is_renewed``: begin again with nothing spent. What was learnt before is then no longer counted; the history stays,
    and answers given are still repeated.
    """

    total: Loss | None = None
    recipient: Loss | None = None
    shares: Mapping[UUID, Loss | None] = field(default_factory=dict)
    is_renewed: bool = False


def change_budget(principal: Principal, *, family_id: UUID, change: BudgetChange, reason: str) -> PrivacyBudget:
    """Change a budget, for a reason that the audit keeps. A total below what was spent leaves nothing.

    Raises AccessDenied, ReasonMissing, PersonalDataInName, InvalidAmount.
    """
    authorize(principal, "budget.manage", ResourceRef(type="privacy_budget", id=str(family_id)))
    reason = require_reason(reason)
    budget = PrivacyBudget.objects.select_for_update().get(pk=budget_of(family_id).pk)
    facts = _set_terms(budget, change)
    for recipient, share in change.shares.items():
        _set_share(budget, recipient, share)
    if change.is_renewed:
        facts["was"] = Loss(budget.epsilon_spent, budget.delta_spent).as_json()
        budget.shares.update(epsilon_spent=0, delta_spent=0)
        budget.spends.filter(is_renewed=False).update(is_renewed=True)
        PrivacyBudget.objects.filter(pk=budget.pk).update(epsilon_spent=0, delta_spent=0, renewed_at=Now())
    shares = {str(recipient): share.as_json() if share else None for recipient, share in change.shares.items()}
    resource = ResourceRef(type="privacy_budget", id=str(budget.family_id))
    metadata = {"why": reason, "shares": shares, "is_renewed": change.is_renewed, **facts}
    emit(Event(type=EventType.BUDGET_CHANGED, operation="update", resource=resource, metadata=metadata))
    budget.refresh_from_db()
    return budget


def _set_terms(budget: PrivacyBudget, change: BudgetChange) -> dict[str, Any]:
    """Returns what the audit is told."""
    columns: dict[str, Any] = {}
    facts: dict[str, Any] = {}
    given = (("total", ("epsilon_total", "delta_total")), ("recipient", ("recipient_epsilon", "recipient_delta")))
    for name, (epsilon, delta) in given:
        loss = getattr(change, name)
        if loss is not None:
            kept = amount(loss.epsilon, loss.delta)
            columns |= {epsilon: kept.epsilon, delta: kept.delta}
            facts[name] = kept.as_json()
    PrivacyBudget.objects.filter(pk=budget.pk).update(**columns, updated_at=Now())
    return facts


def _set_share(budget: PrivacyBudget, recipient: UUID, share: Loss | None) -> None:
    row = share_of(budget, recipient)
    loss = None if share is None else amount(share.epsilon, share.delta)
    caps = {"epsilon_total": loss.epsilon if loss else None, "delta_total": loss.delta if loss else None}
    BudgetShare.objects.filter(pk=row.pk).update(**caps)


def merge_budgets(kept: UUID, gone: UUID) -> None:
    """The budget of two families that turned out to be one, in the open scope; it is ``kept``'s from now on.

    What was spent adds up, totals and shares are the lesser ones: the result may have nothing left.
    """
    one, other = (budget_of(family_id) for family_id in (kept, gone))
    if one.pk == other.pk:
        return
    held = {row.pk: row for row in PrivacyBudget.objects.select_for_update().filter(pk__in=[one.pk, other.pk])}
    one, other = held[one.pk], held[other.pk]
    for share in other.shares.all():
        _merge_share(one, other, share)
    _keep_caps(one, other)
    for name in ("epsilon_total", "delta_total", "recipient_epsilon", "recipient_delta"):
        setattr(one, name, min(getattr(one, name), getattr(other, name)))
    one.epsilon_spent += other.epsilon_spent
    one.delta_spent += other.delta_spent
    one.save()
    BudgetSpend.objects.filter(budget=other).update(budget=one)
    PrivacyBudget.objects.filter(pk=other.pk).update(merged_into=one.family_id)


def _merge_share(one: PrivacyBudget, other: PrivacyBudget, share: BudgetShare) -> None:
    """What ``share`` of ``other`` adds to the same recipient's share of ``one``."""
    mine = share_of(one, share.recipient)
    for name, usual in (("epsilon_total", "recipient_epsilon"), ("delta_total", "recipient_delta")):
        caps = [
            getattr(budget, usual) if getattr(row, name) is None else getattr(row, name)
            for row, budget in ((mine, one), (share, other))
        ]
        is_usual = getattr(mine, name) is None and getattr(share, name) is None
        setattr(mine, name, None if is_usual else min(caps))
    mine.epsilon_spent += share.epsilon_spent
    mine.delta_spent += share.delta_spent
    mine.save()


def _keep_caps(one: PrivacyBudget, other: PrivacyBudget) -> None:
    """Shares of their own that only ``one`` knows must not exceed what ``other`` usually grants."""
    known = set(other.shares.values_list("recipient", flat=True))
    for name, usual in (("epsilon_total", other.recipient_epsilon), ("delta_total", other.recipient_delta)):
        lone = one.shares.exclude(recipient__in=known).filter(**{f"{name}__gt": usual})
        lone.update(**{name: usual})
