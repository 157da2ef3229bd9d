"""What a steward declares of a dataset's people before anything is released about them."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from datasets.models.dataset import Dataset
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel


class ReleaseRules(TenantModel):
    """The rules of one dataset; without a row nobody who does not read raw is given tables or statistics of it.

    ``subject`` is the JSON pointer to whom a record is about. ``sensitive`` and ``insensitive`` name the columns that
    may have these roles. ``minimum_k`` null: the installation's. ``hierarchies`` are sealed: their tables hold values.
    """

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="release_rules")
    subject = models.CharField(max_length=1024)
    sensitive = models.JSONField(default=list)
    insensitive = models.JSONField(default=list)
    minimum_k = models.PositiveIntegerField(null=True, default=None)
    allows_id_filters = models.BooleanField(default=False)
    hierarchies = models.BinaryField(null=True, default=None)
    declared_by = models.UUIDField()
    declared_at = models.DateTimeField(db_default=Now())

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="release_rules_dataset_fk", field="dataset", to="datasets.Dataset"),
            models.UniqueConstraint(fields=["tenant", "dataset"], name="release_rules_dataset"),
            models.CheckConstraint(condition=Q(minimum_k=None) | Q(minimum_k__gte=2), name="release_rules_minimum_k"),
        ]
