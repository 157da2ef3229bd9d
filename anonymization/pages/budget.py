"""Privacy budgets: gauges of every family, and one budget with who spent what of it."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from access.selectors import people_named
from access.services.authorize import may
from anonymization.models import BudgetSpend, PrivacyBudget
from anonymization.pages.gauge import Gauge, gauges_of
from anonymization.pages.page import open_page, refusal_of, render_page
from anonymization.privacy.amounts import Loss, as_text
from anonymization.privacy.errors import BudgetNotFound
from anonymization.services.budget import find_budget, history_of, known_budgets, state_of
from anonymization.services.budget_terms import BudgetChange, change_budget
from vaultsite.kernel.errors import FieldProblem, InvalidInput, VaultError
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal

SHOWN: Final = 100


@dataclass(frozen=True)
class ShownBudget:
    """One budget of the list."""

    family_id: UUID
    gauges: tuple[Gauge, Gauge]
    recipients: int


@dataclass(frozen=True)
class ShownShare:
    """What one recipient had."""

    recipient: UUID
    gauges: tuple[Gauge, Gauge]


@dataclass(frozen=True)
class ShownSpend:
    """One line of the history."""

    spend: BudgetSpend

    @property
    def epsilon(self) -> str:
        return as_text(self.spend.epsilon)

    @property
    def delta(self) -> str:
        return as_text(self.spend.delta)


def budgets_page(request: HttpRequest) -> HttpResponse:
    """Every family that somebody has asked about."""
    principal = open_page(request, "budget.read", ResourceRef("privacy_budget"))
    rows = known_budgets(after=None, limit=SHOWN + 1)
    budgets = [_shown(row, principal.id) for row in rows[:SHOWN]]
    context = {"title": "Privacy budgets", "budgets": budgets, "has_more": len(rows) > SHOWN}
    return render_page(request, "vault/budgets.html", context)


def budget_page(request: HttpRequest, family_id: UUID) -> HttpResponse:
    """One budget; posted, it is set, shared out or renewed."""
    if request.method != "POST":
        open_page(request, "budget.read", ResourceRef("privacy_budget", str(family_id)))
        return _page(request, family_id)
    principal = resolve_principal(request)
    reason = request.POST.get("reason", "")
    refusal = refusal_of(
        lambda: change_budget(principal, family_id=family_id, change=_change(request.POST), reason=reason)
    )
    if refusal is not None:
        return _page(request, family_id, refusal)
    return HttpResponseRedirect(reverse("admin:privacy_budget", args=[family_id]))


def _page(request: HttpRequest, family_id: UUID, refusal: VaultError | None = None) -> HttpResponse:
    principal = resolve_principal(request)
    budget = find_budget(family_id)
    if budget is None:
        raise BudgetNotFound
    shares = list(budget.shares.order_by("-epsilon_spent")[:SHOWN])
    history = list(history_of(budget)[:SHOWN])
    context: dict[str, Any] = {
        "title": "Privacy budget",
        "budget": budget,
        "shown": _shown(budget, principal.id),
        "usual": Loss(budget.recipient_epsilon, budget.recipient_delta).as_json(),
        "shares": [_share(budget, row.recipient) for row in shares],
        "history": [ShownSpend(row) for row in history],
        "people": people_named(principal, [*(row.recipient for row in shares), *(row.recipient for row in history)]),
        "may_manage": may(principal, "budget.manage"),
        "reason": request.POST.get("reason", "") if refusal else "",
    }
    return render_page(request, "vault/budget.html", context, refusal=refusal)


def _shown(budget: PrivacyBudget, reader: UUID) -> ShownBudget:
    state = state_of(budget.family_id, reader)
    return ShownBudget(budget.family_id, gauges_of(state.total, state.spent, state.left), budget.shares.count())


def _share(budget: PrivacyBudget, recipient: UUID) -> ShownShare:
    state = state_of(budget.family_id, recipient)
    return ShownShare(recipient, gauges_of(state.share, state.recipient_spent, state.recipient_left))


def _change(given: QueryDict) -> BudgetChange:
    """Raises InvalidInput."""
    if given.get("do") == "renew":
        return BudgetChange(is_renewed=True)
    if given.get("do") != "set":
        raise InvalidInput
    return BudgetChange(_loss(given, "total"), _loss(given, "usual"))


def _loss(given: QueryDict, name: str) -> Loss:
    return Loss(_decimal(given, f"{name}_epsilon"), _decimal(given, f"{name}_delta"))


def _decimal(given: QueryDict, name: str) -> Decimal:
    try:
        return Decimal(given.get(name, "").strip()[:40])
    except InvalidOperation:
        problem = FieldProblem(name, f"{name.replace('_', ' ')}: a decimal number")
        raise InvalidInput(errors=[problem]) from None
