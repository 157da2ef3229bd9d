"""Schemas of a dataset's records, one version after the other."""

from django.db import models
from django.db.models.functions import Now

from datasets.models.dataset import Dataset
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class Compatibility(models.TextChoices):
    """What a new schema owes to the one before it."""

    NONE = "none", "none"
    BACKWARD = "backward", "backward: old records fit the new schema"
    FORWARD = "forward", "forward: new records fit the old schema"
    FULL = "full", "full: both"


class RecordSchema(TenantModel):
    """One version of what records must be like; the newest is the active one.

    ``document`` is the JSON Schema as its author ordered it, ``digest`` SHA-256 over it with sorted members.
    """

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="schemas")
    version = models.PositiveIntegerField()
    document = models.BinaryField()
    digest = models.BinaryField(max_length=32)
    compatibility = models.CharField(max_length=8, choices=Compatibility.choices, default=Compatibility.NONE)
    message = models.CharField(max_length=1000, blank=True, default="")
    created_by = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "DELETE")),
            CompositeForeignKey(name="datasets_schema_dataset_fk", field="dataset", to="datasets.Dataset"),
            models.UniqueConstraint(fields=["tenant", "dataset", "version"], name="datasets_schema_version"),
        ]

    def __str__(self) -> str:
        return f"schema {self.version}"
