"""The terms of privacy budgets: totals, shares and renewals, by those who may manage them; and families that merge."""

from dataclasses import dataclass
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
class Terms:
    """New terms of a budget; None leaves one as it is. ``recipient``: of each recipient without a share of its own."""

    total: Loss | None = None
    recipient: Loss | None = None


def set_budget(principal: Principal, *, family_id: UUID, terms: Terms, reason: str) -> PrivacyBudget:
    """Set what a family has, and the usual share. A total below what was spent leaves nothing.

    Raises AccessDenied, ReasonMissing, PersonalDataInText, InvalidAmount.
    """
    _decide(principal, family_id, reason)
    budget = _held(family_id)
    if terms.total is not None:
        total = amount(terms.total.epsilon, terms.total.delta)
        budget.epsilon_total, budget.delta_total = total.epsilon, total.delta
    if terms.recipient is not None:
        usual = amount(terms.recipient.epsilon, terms.recipient.delta)
        budget.recipient_epsilon, budget.recipient_delta = usual.epsilon, usual.delta
    budget.updated_at = Now()
    budget.save(update_fields=["epsilon_total", "delta_total", "recipient_epsilon", "recipient_delta", "updated_at"])
    facts = {name: loss.as_json() for name, loss in vars(terms).items() if loss is not None}
    _tell(budget, "set", reason, **facts)
    budget.refresh_from_db()
    return budget


def set_share(
    principal: Principal, *, family_id: UUID, recipient: UUID, share: Loss | None, reason: str
) -> BudgetShare:
    """Give one recipient a share of its own; None: the usual one. Raises as set_budget."""
    _decide(principal, family_id, reason)
    budget = _held(family_id)
    row = share_of(budget, recipient)
    loss = None if share is None else amount(share.epsilon, share.delta)
    caps = {"epsilon_total": loss.epsilon if loss else None, "delta_total": loss.delta if loss else None}
    BudgetShare.objects.filter(pk=row.pk).update(**caps)
    row.refresh_from_db()
    _tell(budget, "share", reason, recipient=str(recipient), share=loss.as_json() if loss else None)
    return row


def renew_budget(principal: Principal, *, family_id: UUID, reason: str) -> PrivacyBudget:
    """Begin again with nothing spent: what was learnt before is no longer counted, so somebody must say why.

    The history stays, and answers given are still repeated. Raises AccessDenied, ReasonMissing, PersonalDataInText.
    """
    _decide(principal, family_id, reason)
    budget = _held(family_id)
    was = Loss(budget.epsilon_spent, budget.delta_spent)
    budget.shares.update(epsilon_spent=0, delta_spent=0)
    BudgetSpend.objects.filter(budget=budget, is_renewed=False).update(is_renewed=True)
    PrivacyBudget.objects.filter(pk=budget.pk).update(epsilon_spent=0, delta_spent=0, renewed_at=Now())
    _tell(budget, "renewed", reason, was=was.as_json())
    budget.refresh_from_db()
    return budget


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


def _held(family_id: UUID) -> PrivacyBudget:
    """The budget, its row held until the scope ends."""
    return PrivacyBudget.objects.select_for_update().get(pk=budget_of(family_id).pk)


def _decide(principal: Principal, family_id: UUID, reason: str) -> None:
    authorize(principal, "budget.manage", ResourceRef(type="privacy_budget", id=str(family_id)))
    require_reason(reason)


def _tell(budget: PrivacyBudget, change: str, reason: str, **facts: object) -> None:
    resource = ResourceRef(type="privacy_budget", id=str(budget.family_id))
    metadata = {"change": change, "why": reason, **facts}
    emit(Event(type=EventType.BUDGET_CHANGED, operation="update", resource=resource, metadata=metadata))
