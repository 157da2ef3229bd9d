"""Who takes part in the processing that the register tells of."""

from django.db import models
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.models import TenantModel


class PartyRole(models.TextChoices):
    """What a party is to the tenant (GDPR Art. 30(1)(a), (d), (e) and 30(2)(a))."""

    CONTROLLER = "controller", "controller: the organization itself"
    REPRESENTATIVE = "representative", "representative of the controller"
    DPO = "dpo", "data protection officer"
    JOINT_CONTROLLER = "joint_controller", "joint controller"
    PROCESSOR = "processor", "processor on our behalf"
    CLIENT = "client", "controller on whose behalf we process"
    RECIPIENT = "recipient", "recipient"


class Safeguard(models.TextChoices):
    """What covers a transfer to a third country (GDPR Art. 45, 46 and 49)."""

    NONE = "none", "no transfer to a third country"
    ADEQUACY = "adequacy", "adequacy decision (Art. 45)"
    CLAUSES = "clauses", "standard contractual clauses (Art. 46(2)(c))"
    BINDING_RULES = "binding_rules", "binding corporate rules (Art. 47)"
    CERTIFICATION = "certification", "code of conduct or certification (Art. 46(2)(e), (f))"
    DEROGATION = "derogation", "derogation (Art. 49)"


class Party(TenantModel):
    """One party; ``details`` are its sealed name and contact. One that has ended stays in the register's history."""

    role = models.CharField(max_length=16, choices=PartyRole.choices)
    details = models.BinaryField()
    country = models.CharField(max_length=2, blank=True, default="")
    safeguard = models.CharField(max_length=16, choices=Safeguard.choices, default=Safeguard.NONE)
    contract_reference = models.CharField(max_length=200, blank=True, default="")
    does = models.CharField(max_length=500, blank=True, default="")
    added_by = models.UUIDField()
    added_at = models.DateTimeField(db_default=Now(), editable=False)
    ended_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = [*TenantModel.Meta.constraints]
        indexes = [models.Index(fields=["tenant", "role"], name="compliance_party_role")]

    def __str__(self) -> str:
        return f"party {self.pk}"
