"""Who has agreed to which purpose, who has withdrawn, and what somebody still has to do about it."""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from access.models import Purpose
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class ConsentQuerySet(models.QuerySet["Consent"]):
    def live(self) -> "ConsentQuerySet":
        """Consents that count at this moment, by the database's clock."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=Now()), given_at__lte=Now(), withdrawals=None)

    def lapsed(self) -> "ConsentQuerySet":
        """Those that ended by themselves."""
        return self.filter(expires_at__lte=Now(), withdrawals=None)


class Consent(TenantModel):
    """One person's agreement to one purpose, as it was given; the row never changes.

    The person is named by ConsentKey rows alone. ``evidence`` is the sealed reference to what proves it (GDPR
    Art. 7(1)). ``digest`` is a keyed digest of what was recorded, so that the same is recorded once.
    """

    purpose = TenantForeignKey(Purpose, on_delete=models.PROTECT, related_name="consents")
    given_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, default=None)
    evidence = models.BinaryField(null=True, default=None)
    source = models.CharField(max_length=63)
    digest = models.BinaryField(max_length=32)
    recorded_by = models.UUIDField()
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = ConsentQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT")),
            CompositeForeignKey(name="compliance_consent_purpose_fk", field="purpose", to="access.Purpose"),
            models.UniqueConstraint(fields=["tenant", "digest"], name="compliance_consent_once"),
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(expires_at__gt=F("given_at")), name="compliance_consent_ends_later"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "purpose", "expires_at"], name="compliance_consent_purpose")]

    def __str__(self) -> str:
        return f"consent {self.pk}"


class ConsentKey(TenantModel):
    """One identifier of the person who agreed: the key under which the subject index knows it (HMAC-SHA-256)."""

    consent = TenantForeignKey(Consent, on_delete=models.PROTECT, related_name="keys")
    key = models.BinaryField(max_length=32)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT")),
            CompositeForeignKey(name="compliance_consentkey_fk", field="consent", to="compliance.Consent"),
            models.UniqueConstraint(fields=["tenant", "key", "consent"], name="compliance_consentkey_once"),
        ]
        indexes = [models.Index(fields=["tenant", "consent"], name="compliance_consentkey_consent")]


class ConsentWithdrawal(TenantModel):
    """The end that a person put to a consent; the row never changes. ``channel`` says how they said so."""

    consent = TenantForeignKey(Consent, on_delete=models.PROTECT, related_name="withdrawals")
    channel = models.CharField(max_length=63)
    recorded_by = models.UUIDField()
    withdrawn_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT")),
            CompositeForeignKey(name="compliance_withdrawal_consent_fk", field="consent", to="compliance.Consent"),
            models.UniqueConstraint(fields=["tenant", "consent"], name="compliance_withdrawal_once"),
        ]
        indexes = [models.Index(fields=["tenant", "withdrawn_at"], name="compliance_withdrawal_at")]


class WithdrawalEffect(models.TextChoices):
    """What follows a withdrawal, beside the records being left out for the purpose at once."""

    RESTRICT = "restrict", "restrict: left out of reads for the purpose"
    ERASE = "erase", "erase: a privacy officer decides on the records"


class PurposeTerms(TenantModel):
    """What the register says of a purpose beside its basis, and what a withdrawal of its consent leads to."""

    purpose = TenantForeignKey(Purpose, on_delete=models.CASCADE, related_name="terms")
    on_withdrawal = models.CharField(max_length=8, choices=WithdrawalEffect.choices, default=WithdrawalEffect.RESTRICT)
    subjects = models.CharField(max_length=500, blank=True, default="")
    time_limit = models.CharField(max_length=500, blank=True, default="")
    note = models.CharField(max_length=1000, blank=True, default="")
    changed_by = models.UUIDField()
    changed_at = models.DateTimeField(db_default=Now())

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(
                name="compliance_terms_purpose_fk", field="purpose", to="access.Purpose", on_delete="CASCADE"
            ),
            models.UniqueConstraint(fields=["tenant", "purpose"], name="compliance_terms_purpose"),
        ]


class ConsentTask(TenantModel):
    """A withdrawal whose records a privacy officer decides on: erased, or kept on another lawful ground."""

    withdrawal = TenantForeignKey(ConsentWithdrawal, on_delete=models.PROTECT, related_name="tasks")
    outcome = models.CharField(
        max_length=8, choices=[("", "open"), ("erased", "erased"), ("kept", "kept")], blank=True, default=""
    )
    ground = models.CharField(max_length=1000, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    decided_by = models.UUIDField(null=True, default=None)
    decided_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(
                name="compliance_consenttask_fk", field="withdrawal", to="compliance.ConsentWithdrawal"
            ),
            models.UniqueConstraint(fields=["tenant", "withdrawal"], name="compliance_consenttask_once"),
        ]
        indexes = [models.Index(fields=["tenant", "outcome"], name="compliance_consenttask_open")]

    def __str__(self) -> str:
        return f"consent task {self.pk}"


def keys_of_live(purpose: str) -> "models.QuerySet[ConsentKey, Any]":
    """The keys of everybody whose consent to the purpose counts now."""
    live = Consent.objects.live().filter(purpose__code=purpose)
    return ConsentKey.objects.filter(consent__in=live)
