"""The log of transfers: what went to whom outside of the region of its dataset, and what was refused."""

from django.db import models
from django.db.models.functions import Now

from compliance.models.party import Safeguard
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class TransferOutcome(models.TextChoices):
    MADE = "made", "made"
    REFUSED = "refused", "refused"


class RefusedBecause(models.TextChoices):
    """What a transfer lacked; none of one that was made."""

    NOTHING = "", "nothing was missing"
    NO_RECIPIENT = "no_recipient", "no recipient was named"
    UNKNOWN_PARTY = "unknown_party", "the register has no such party"
    NO_COUNTRY = "no_country", "the recipient's country is not known"
    NO_SAFEGUARD = "no_safeguard", "nothing covers the transfer"
    NO_GROUND = "no_ground", "the derogation states no ground"


class Transfer(TenantModel):
    """One transfer, made or refused; written once and never changed.

    It names dataset, export and party by id, without foreign keys: the log outlives them. ``size`` is in bytes;
    ``event`` is the id of the audit event that tells the same.
    """

    outcome = models.CharField(max_length=7, choices=TransferOutcome.choices)
    reason = models.CharField(max_length=16, choices=RefusedBecause.choices, blank=True, default="")
    principal = models.UUIDField()
    dataset = models.UUIDField()
    version = models.CharField(max_length=128)
    export = models.UUIDField()
    region = models.CharField(max_length=64)
    party = models.UUIDField(null=True)
    country = models.CharField(max_length=2, blank=True, default="")
    safeguard = models.CharField(max_length=16, choices=Safeguard.choices, default=Safeguard.NONE)
    purpose = models.CharField(max_length=64, blank=True, default="")
    size = models.BigIntegerField(default=0)
    record_count = models.BigIntegerField(default=0)
    event = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [*tenant_constraints(grants=("SELECT", "INSERT"))]
        indexes = [models.Index(fields=["tenant", "-id"], name="compliance_transfer_newest")]

    def __str__(self) -> str:
        return f"transfer {self.pk} ({self.outcome})"
