"""People whose records are not processed: restriction (GDPR Art. 18) and objection (Art. 21)."""

from django.db import models
from django.db.models.functions import Now

from datasets.models.dataset import Dataset
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel


class ProcessingRestriction(TenantModel):
    """What one person asked for: in force until ``lifted_at``. ``purpose`` is empty where it is for all of them.

    ``case`` is the request that it answers, by id.
    """

    case = models.UUIDField()
    purpose = models.CharField(max_length=64, blank=True, default="")
    imposed_by = models.UUIDField()
    imposed_at = models.DateTimeField(db_default=Now(), editable=False)
    lifted_by = models.UUIDField(null=True, default=None)
    lifted_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["tenant", "case", "purpose"],
                name="datasets_restriction_once",
                condition=models.Q(lifted_at__isnull=True),
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "purpose"],
                name="datasets_restriction_live",
                condition=models.Q(lifted_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"restriction {self.pk}"


class RestrictedKey(TenantModel):
    """An identifier of the person: the key under which the subject index knows it (HMAC-SHA-256)."""

    restriction = TenantForeignKey(ProcessingRestriction, on_delete=models.CASCADE, related_name="keys")
    key = models.BinaryField(max_length=32)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(
                name="datasets_restrictedkey_fk", field="restriction", to="datasets.ProcessingRestriction"
            ),
            models.UniqueConstraint(fields=["tenant", "restriction", "key"], name="datasets_restrictedkey_once"),
        ]


class RestrictedRecord(TenantModel):
    """A record that somebody found to be the person's, whatever the index says of it."""

    restriction = TenantForeignKey(ProcessingRestriction, on_delete=models.CASCADE, related_name="records")
    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE)
    record_id = models.CharField(max_length=128, db_collation="C")

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(
                name="datasets_restrictedrecord_fk", field="restriction", to="datasets.ProcessingRestriction"
            ),
            CompositeForeignKey(
                name="datasets_restrictedrecord_dataset_fk",
                field="dataset",
                to="datasets.Dataset",
                on_delete="CASCADE",
            ),
            models.UniqueConstraint(
                fields=["tenant", "dataset", "restriction", "record_id"], name="datasets_restrictedrecord_once"
            ),
        ]
