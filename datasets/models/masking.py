"""The replacement of everything that was found in a dataset by its kind, for good."""

from django.db import models
from django.db.models import Q

from datasets.models.dataset import Dataset
from vaultsite.kernel.jobs import FINAL, LongRunning
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import tenant_constraints


class Masking(LongRunning):
    """First the head of each branch becomes a version without what was found, then what was there before is erased.

    ``upto`` is the sequence of the newest version that it knew of; None before it has asked for the erasures, whose ids
    the checkpoint has. ``masked_count`` counts records in new versions, ``version_count`` those versions,
    ``erased_count`` the records of which earlier content goes.
    """

    task_name = "datasets.run_masking"

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="maskings")
    reason = models.CharField(max_length=1000)
    upto = models.PositiveIntegerField(null=True, default=None)
    masked_count = models.PositiveIntegerField(default=0)
    version_count = models.PositiveIntegerField(default=0)
    erased_count = models.PositiveIntegerField(default=0)

    class Meta(LongRunning.Meta):
        constraints = [
            *tenant_constraints(system=("SELECT", "UPDATE")),
            CompositeForeignKey(name="datasets_masking_dataset_fk", field="dataset", to="datasets.Dataset"),
            models.UniqueConstraint(
                fields=["tenant", "dataset"], condition=~Q(status__in=FINAL), name="datasets_masking_alone"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "dataset", "status"], name="datasets_masking_dataset"),
            models.Index(fields=["status", "lease_until"], name="datasets_masking_lease"),
        ]

    def __str__(self) -> str:
        return f"masking {self.id}"
