"""The privacy budget of a family of datasets, the shares of its recipients, and what was spent."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints

#: Digits of an epsilon or delta, and how many of them follow the point: exact decimals, never floats.
DIGITS, PLACES = 30, 18


def _amount(**options: object) -> "models.DecimalField[Decimal, Decimal]":
    return models.DecimalField(max_digits=DIGITS, decimal_places=PLACES, **options)  # type: ignore[arg-type]


class PrivacyBudget(TenantModel):
    """What all recipients together may learn about the people of one family (``family_id``), and what they have.

    ``recipient_*`` is the share of a recipient that has no share of its own. A family that became part of another one
    leaves its row as a sign (``merged_into``). Spent above total happens where families were merged or a total was
    lowered: then nothing is left.
    """

    family_id = models.UUIDField()
    merged_into = models.UUIDField(null=True, default=None)
    epsilon_total = _amount()
    delta_total = _amount()
    epsilon_spent = _amount(default=0)
    delta_spent = _amount(default=0)
    recipient_epsilon = _amount()
    recipient_delta = _amount()
    renewed_at = models.DateTimeField(null=True, default=None)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta(TenantModel.Meta):
        db_table = "privacy_budgets"
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE")),
            models.UniqueConstraint(fields=["tenant", "family_id"], name="privacy_budget_family"),
            models.CheckConstraint(
                condition=Q(epsilon_spent__gte=0, delta_spent__gte=0, epsilon_total__gte=0, delta_total__gte=0),
                name="privacy_budget_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return str(self.family_id)


class BudgetShare(TenantModel):
    """What one recipient spent, and may spend at most: null is the usual share of the budget."""

    budget = TenantForeignKey(PrivacyBudget, on_delete=models.PROTECT, related_name="shares")
    recipient = models.UUIDField()
    epsilon_total = _amount(null=True, default=None)
    delta_total = _amount(null=True, default=None)
    epsilon_spent = _amount(default=0)
    delta_spent = _amount(default=0)

    class Meta(TenantModel.Meta):
        db_table = "privacy_budget_shares"
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="privacy_share_budget_fk", field="budget", to="anonymization.PrivacyBudget"),
            models.UniqueConstraint(fields=["tenant", "budget", "recipient"], name="privacy_share_recipient"),
            models.CheckConstraint(
                condition=Q(epsilon_spent__gte=0, delta_spent__gte=0), name="privacy_share_not_negative"
            ),
        ]


class BudgetSpend(TenantModel):
    """One spend: whose, how much, for which queries (``query_digest``), and their answer once there is one, sealed.

    ``answer`` is noisy already; it is sealed because it is about people. ``renewed`` ones were taken out of the sums by
    a renewal; they stay as history.
    """

    budget = TenantForeignKey(PrivacyBudget, on_delete=models.PROTECT, related_name="spends")
    recipient = models.UUIDField()
    dataset_id = models.UUIDField(null=True)
    purpose = models.CharField(max_length=64, blank=True, default="", db_collation="C")
    epsilon = _amount()
    delta = _amount()
    queries = models.PositiveSmallIntegerField(default=1)
    query_digest = models.BinaryField(max_length=32)
    answer = models.BinaryField(null=True, default=None)
    is_renewed = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    answered_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        db_table = "privacy_budget_spends"
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE")),
            CompositeForeignKey(name="privacy_spend_budget_fk", field="budget", to="anonymization.PrivacyBudget"),
            models.CheckConstraint(
                condition=Q(epsilon__gte=0, delta__gte=0) & (Q(epsilon__gt=0) | Q(delta__gt=0)),
                name="privacy_spend_is_positive",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "budget", "query_digest"], name="privacy_spend_query"),
            models.Index(fields=["tenant", "budget", "created_at"], name="privacy_spend_history"),
            models.Index(F("tenant"), F("recipient"), F("created_at").desc(), name="privacy_spend_recipient"),
        ]
