"""A purpose for which data may be read."""

from django.db import models
from django.db.models import Q

from vaultsite.kernel.tenancy.models import TenantModel


class LawfulBasis(models.TextChoices):
    """What makes processing for a purpose lawful: GDPR Art. 6(1), in its order."""

    CONSENT = "consent", "consent"
    CONTRACT = "contract", "contract"
    LEGAL_OBLIGATION = "legal_obligation", "legal obligation"
    VITAL_INTERESTS = "vital_interests", "vital interests"
    PUBLIC_TASK = "public_task", "public task"
    LEGITIMATE_INTERESTS = "legitimate_interests", "legitimate interests"


class SpecialCondition(models.TextChoices):
    """What lifts the prohibition of processing special categories of data: GDPR Art. 9(2), by its letters."""

    EXPLICIT_CONSENT = "explicit_consent", "Art. 9(2)(a) explicit consent"
    EMPLOYMENT = "employment", "Art. 9(2)(b) employment and social protection law"
    VITAL_INTERESTS = "vital_interests", "Art. 9(2)(c) vital interests"
    NOT_FOR_PROFIT = "not_for_profit", "Art. 9(2)(d) members of a not-for-profit body"
    MADE_PUBLIC = "made_public", "Art. 9(2)(e) made public by the person"
    LEGAL_CLAIMS = "legal_claims", "Art. 9(2)(f) legal claims"
    PUBLIC_INTEREST = "public_interest", "Art. 9(2)(g) substantial public interest"
    HEALTH_CARE = "health_care", "Art. 9(2)(h) health or social care"
    PUBLIC_HEALTH = "public_health", "Art. 9(2)(i) public health"
    RESEARCH = "research", "Art. 9(2)(j) archiving, research or statistics"


#: Purposes whose records are released only where their people have agreed.
NEEDS_CONSENT = Q(lawful_basis=LawfulBasis.CONSENT) | Q(special_condition=SpecialCondition.EXPLICIT_CONSENT)


class Purpose(TenantModel):
    """An entry of the tenant's registry; a read under a purpose that is not in it, or not active, is denied.

    ``lawful_basis`` is empty until somebody has said what it is; ``special_condition`` where the purpose touches no
    special categories of data.
    """

    code = models.CharField(max_length=63)
    description = models.CharField(max_length=300, blank=True, default="")
    is_active = models.BooleanField(default=True)
    lawful_basis = models.CharField(max_length=24, choices=LawfulBasis.choices, blank=True, default="", db_default="")
    special_condition = models.CharField(
        max_length=24, choices=SpecialCondition.choices, blank=True, default="", db_default=""
    )

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["tenant", "code"], name="access_purpose_code"),
        ]

    def __str__(self) -> str:
        return self.code
