"""Records that nobody has a reason to read, so that whoever does is noticed."""

from django.db import models
from django.db.models.functions import Now

from datasets.models.dataset import Dataset
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class Canary(TenantModel):
    """One record of a dataset. Which one is in no column: ``mac`` is an HMAC of its id under a key of the dataset's,
    ``sealed_id`` opens for those who may manage canaries.
    """

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="canaries")
    mac = models.BinaryField()
    sealed_id = models.BinaryField()
    placed_by = models.UUIDField(editable=False)
    placed_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        verbose_name_plural = "canaries"
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "DELETE")),
            CompositeForeignKey(name="datasets_canary_dataset_fk", field="dataset", to="datasets.Dataset"),
            models.UniqueConstraint(fields=["tenant", "dataset", "mac"], name="datasets_canary_once"),
        ]


class CanaryReader(TenantModel):
    """Somebody whose reading a dataset's canaries means nothing: a backup, the check of who placed them."""

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="canary_readers")
    principal_id = models.UUIDField()
    added_by = models.UUIDField(editable=False)
    added_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "DELETE")),
            CompositeForeignKey(name="datasets_canaryreader_dataset_fk", field="dataset", to="datasets.Dataset"),
            models.UniqueConstraint(fields=["tenant", "dataset", "principal_id"], name="datasets_canaryreader_once"),
        ]
