"""The ledger of privacy budgets: exact, never overdrawn, durable."""

import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.db import connections
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from access.errors import AccessDenied
from anonymization.errors import PersonalDataInName
from anonymization.models import BudgetSpend, PrivacyBudget
from anonymization.privacy.amounts import Loss
from anonymization.privacy.errors import BudgetExhausted, InvalidAmount, ReasonMissing
from anonymization.services.budget import (
    budget_of,
    history_of,
    left_in,
    left_to,
    share_of,
    spend,
    store_answer,
    stored_answer,
)
from anonymization.services.budget_terms import BudgetChange, change_budget, merge_budgets
from audit.models import AuditEvent
from tests.conftest import new_tenant
from tests.factories.access import acting, principal_with

ZERO = Decimal(0)


def loss(epsilon: str, delta: str = "0") -> Loss:
    return Loss(Decimal(epsilon), Decimal(delta))


def give(tenant, family: UUID, total: Loss, *, usual: Loss | None = None) -> None:
    officer = principal_with(tenant, "privacy_officer")
    with acting(tenant, officer):
        change = BudgetChange(total, usual or total)
        change_budget(officer, family_id=family, change=change, reason="a first budget")


def set_share(officer, *, family: UUID, recipient: UUID, share: Loss | None) -> None:
    change = BudgetChange(shares={recipient: share})
    change_budget(officer, family_id=family, change=change, reason="a study")


def renew_budget(principal, *, family: UUID, reason: str) -> None:
    change_budget(principal, family_id=family, change=BudgetChange(is_renewed=True), reason=reason)


def take(tenant, family: UUID, epsilon: str, recipient: UUID | None = None, *, delta: str = "0") -> BudgetSpend:
    with acting(tenant):
        return spend(family, recipient or uuid4(), Decimal(epsilon), Decimal(delta), query_digest=uuid4().bytes)


def left(tenant, family: UUID, recipient: UUID | None = None) -> Loss:
    with acting(tenant):
        budget = budget_of(family)
        return left_in(budget) if recipient is None else left_to(budget, share_of(budget, recipient))


def test_fifty_parallel_queries_with_budget_for_ten_spend_exactly_ten(tenant):
    family = uuid4()
    give(tenant, family, loss("1.0"))
    ready = threading.Barrier(8)

    def ask(number: int) -> bool:
        try:
            if number < 8:
                ready.wait(timeout=60)
            take(tenant, family, "0.1", UUID(int=number % 3))
        except BudgetExhausted:
            return False
        else:
            return True
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(50)))
    assert sum(answers) == 10
    assert left(tenant, family) == loss("0")
    with acting(tenant):
        budget = budget_of(family)
        assert budget.epsilon_spent == Decimal(1)
        assert budget.spends.count() == 10
        assert sum(share.epsilon_spent for share in budget.shares.all()) == Decimal(1)


def test_what_was_spent_outlives_the_scope_that_failed(tenant):
    family = uuid4()
    give(tenant, family, loss("1"))
    with pytest.raises(RuntimeError), acting(tenant):
        spend(family, uuid4(), Decimal("0.4"), ZERO, query_digest=b"q" * 32)
        raise RuntimeError("the computation failed")
    assert left(tenant, family) == loss("0.6")


def test_amounts_are_exact(tenant):
    family = uuid4()
    give(tenant, family, loss("0.3"))
    for _ in range(3):
        take(tenant, family, "0.1")
    assert left(tenant, family) == loss("0")
    with pytest.raises(BudgetExhausted):
        take(tenant, family, "0.000000000000000001")


@pytest.mark.parametrize("epsilon", ["-1", "NaN", "Infinity", "1e7", "0.0000000000000000001"])
def test_an_amount_that_cannot_be_kept_is_refused(tenant, epsilon):
    with pytest.raises(InvalidAmount):
        take(tenant, uuid4(), epsilon)


def test_delta_has_a_budget_of_its_own(tenant):
    family = uuid4()
    give(tenant, family, loss("10", "0.000001"))
    take(tenant, family, "1", delta="0.000001")
    with pytest.raises(BudgetExhausted):
        take(tenant, family, "1", delta="0.000000001")
    take(tenant, family, "1")


def test_a_refusal_says_what_is_left_and_takes_nothing(tenant):
    family, recipient = uuid4(), uuid4()
    give(tenant, family, loss("1", "0.00001"), usual=loss("0.5", "0.00001"))
    take(tenant, family, "0.25", recipient)
    with pytest.raises(BudgetExhausted) as refused:
        take(tenant, family, "0.3", recipient)
    assert refused.value.extra == {"remaining_epsilon": "0.25", "remaining_delta": "0.00001"}
    assert left(tenant, family) == loss("0.75", "0.00001")
    take(tenant, family, "0.3")


def test_a_share_of_its_own_replaces_the_usual_one(tenant):
    family, recipient = uuid4(), uuid4()
    give(tenant, family, loss("1"), usual=loss("0.1"))
    officer = principal_with(tenant, "privacy_officer")
    with acting(tenant, officer):
        set_share(officer, family=family, recipient=recipient, share=loss("0.7"))
    take(tenant, family, "0.6", recipient)
    with pytest.raises(BudgetExhausted):
        take(tenant, family, "0.2", recipient)
    with acting(tenant, officer):
        set_share(officer, family=family, recipient=recipient, share=None)
    assert left(tenant, family, recipient) == loss("0")


def test_lowering_a_total_below_what_was_spent_leaves_nothing(tenant):
    family = uuid4()
    give(tenant, family, loss("1"))
    take(tenant, family, "0.8")
    give(tenant, family, loss("0.5"))
    assert left(tenant, family) == loss("0")


def test_a_renewal_needs_permission_and_reason_and_keeps_the_history(tenant):
    family, recipient = uuid4(), uuid4()
    give(tenant, family, loss("1"))
    take(tenant, family, "1", recipient)
    analyst, officer = principal_with(tenant, "analyst"), principal_with(tenant, "privacy_officer")
    with pytest.raises(AccessDenied), acting(tenant, analyst):
        renew_budget(analyst, family=family, reason="I need more")
    with pytest.raises(ReasonMissing), acting(tenant, officer):
        renew_budget(officer, family=family, reason="  ")
    with pytest.raises(PersonalDataInName), acting(tenant, officer):
        renew_budget(officer, family=family, reason="asked for by ada@example.com")
    with acting(tenant, officer):
        renew_budget(officer, family=family, reason="a new year of data")
    assert left(tenant, family, recipient) == loss("1")
    with acting(tenant):
        assert [spent.is_renewed for spent in history_of(budget_of(family))] == [True]
        event = AuditEvent.objects.filter(type="privacy.budget.changed").latest("time")
        assert event.resource_id == str(family)
        assert '"is_renewed":true' in bytes(event.body).decode()


def test_an_answer_is_kept_sealed_and_found_by_its_queries(tenant):
    family = uuid4()
    spent = take(tenant, family, "0.1")
    with acting(tenant):
        assert stored_answer(family, bytes(spent.query_digest)) is None
        store_answer(spent, b"about 12")
        found = stored_answer(family, bytes(spent.query_digest))
        assert found is not None
        assert (found[0].pk, found[1]) == (spent.pk, b"about 12")
        assert b"about 12" not in bytes(BudgetSpend.objects.get(pk=spent.pk).answer)
        store_answer(spent, b"about 13")
        assert stored_answer(family, bytes(spent.query_digest))[1] == b"about 12"


def test_merging_families_adds_what_was_spent_and_takes_the_lesser_totals(tenant):
    one, other, both, lone = uuid4(), uuid4(), uuid4(), uuid4()
    give(tenant, one, loss("2"), usual=loss("1.5"))
    give(tenant, other, loss("1"), usual=loss("0.9"))
    take(tenant, one, "0.5", both)
    take(tenant, one, "0.25", lone)
    take(tenant, other, "0.125", both)
    with acting(tenant):
        merge_budgets(one, other)
    with acting(tenant):
        assert budget_of(other).family_id == one
        merged = budget_of(one)
        assert (merged.epsilon_total, merged.epsilon_spent) == (Decimal(1), Decimal("0.875"))
        assert share_of(merged, both).epsilon_spent == Decimal("0.625")
        assert merged.spends.count() == 3
    assert left(tenant, other, lone) == loss("0.125")
    take(tenant, other, "0.125", both)
    with pytest.raises(BudgetExhausted):
        take(tenant, one, "0.001", both)


def test_a_merge_raises_nobodys_share(tenant):
    one, other, mine, theirs = uuid4(), uuid4(), uuid4(), uuid4()
    give(tenant, one, loss("5"), usual=loss("1"))
    give(tenant, other, loss("5"), usual=loss("2"))
    officer = principal_with(tenant, "privacy_officer")
    with acting(tenant, officer):
        set_share(officer, family=one, recipient=mine, share=loss("4"))
        set_share(officer, family=other, recipient=theirs, share=loss("3"))
    with acting(tenant):
        merge_budgets(one, other)
    assert left(tenant, one, mine) == loss("2")
    assert left(tenant, one, theirs) == loss("1")
    assert left(tenant, one, uuid4()) == loss("1")


def test_a_query_that_meets_a_merge_spends_from_what_is_left_of_both(tenant):
    one, other = uuid4(), uuid4()
    give(tenant, one, loss("1"))
    give(tenant, other, loss("1"))
    take(tenant, one, "0.9")
    with acting(tenant):
        merge_budgets(one, other)
    with pytest.raises(BudgetExhausted):
        take(tenant, other, "0.2")
    take(tenant, other, "0.1")


def test_other_tenants_budgets_do_not_exist(tenant, rival):
    family = uuid4()
    give(tenant, family, loss("0.1"))
    take(tenant, family, "0.1")
    take(rival, family, "0.1")
    with acting(rival):
        assert PrivacyBudget.objects.filter(family_id=family).count() == 1


class Ledger(RuleBasedStateMachine):
    """The ledger against a model that keeps plain numbers."""

    @initialize()
    def begin(self):
        self.tenant = new_tenant("ledger")
        self.families = [uuid4() for _ in range(3)]
        self.recipients = [uuid4() for _ in range(2)]
        self.total = dict.fromkeys(self.families, Decimal(1))
        self.usual = dict.fromkeys(self.families, Decimal("0.6"))
        self.spent = {(family, who): ZERO for family in self.families for who in self.recipients}
        self.home = {family: family for family in self.families}
        for family in self.families:
            give(self.tenant, family, loss("1"), usual=loss("0.6"))

    def sum_of(self, family):
        return sum((amount for (owner, _), amount in self.spent.items() if owner == family), ZERO)

    @rule(family=st.integers(0, 2), who=st.integers(0, 1), hundredths=st.integers(1, 40))
    def spend(self, family, who, hundredths):
        epsilon, recipient = Decimal(hundredths) / 100, self.recipients[who]
        home = self.home[self.families[family]]
        fits = (
            self.sum_of(home) + epsilon <= self.total[home]
            and self.spent[home, recipient] + epsilon <= self.usual[home]
        )
        try:
            take(self.tenant, self.families[family], str(epsilon), recipient)
        except BudgetExhausted:
            assert not fits
        else:
            assert fits
            self.spent[home, recipient] += epsilon

    @rule(family=st.integers(0, 2), tenths=st.integers(0, 20))
    def set_total(self, family, tenths):
        home = self.home[self.families[family]]
        self.total[home] = self.usual[home] = Decimal(tenths) / 10
        give(self.tenant, self.families[family], loss(str(self.total[home])))

    @rule(one=st.integers(0, 2), other=st.integers(0, 2))
    def merge(self, one, other):
        kept, gone = self.home[self.families[one]], self.home[self.families[other]]
        with acting(self.tenant):
            merge_budgets(self.families[one], self.families[other])
        if kept == gone:
            return
        for terms in (self.total, self.usual):
            terms[kept] = min(terms[kept], terms[gone])
        for who in self.recipients:
            self.spent[kept, who] += self.spent.pop((gone, who))
        self.home = {family: kept if home == gone else home for family, home in self.home.items()}
        for family in self.families:
            for who in self.recipients:
                self.spent.setdefault((family, who), ZERO)

    @invariant()
    def the_ledger_says_what_the_model_says(self):
        for family in getattr(self, "families", []):
            home = self.home[family]
            with acting(self.tenant):
                budget = budget_of(family)
                assert budget.epsilon_spent == self.sum_of(home)
                assert left_in(budget).epsilon == max(ZERO, self.total[home] - self.sum_of(home))


class TestLedger(Ledger.TestCase):
    settings = settings(max_examples=8, stateful_step_count=12, deadline=None)
