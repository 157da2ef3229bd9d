"""The end of a dataset, and how much a tenant may keep."""

from django.db import models
from django.db.models.functions import Now

from vaultsite.kernel.jobs import LongRunning
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class Purge(LongRunning):
    """The removal of one dataset for good: queued when it is deleted, due when the time to undo is over.

    Its lease is what makes it wait: the reaper wakes a worker when that has passed. The row outlives the dataset.
    """

    task_name = "datasets.run_purge"

    #: Not a foreign key: the dataset's row goes before the job ends.
    dataset_id = models.UUIDField()
    versions = models.PositiveIntegerField(default=0)

    class Meta(LongRunning.Meta):
        constraints = tenant_constraints(system=("SELECT", "UPDATE"))
        indexes = [
            models.Index(fields=["tenant", "dataset_id"], name="datasets_purge_dataset"),
            models.Index(fields=["status", "lease_until"], name="datasets_purge_lease"),
        ]

    def __str__(self) -> str:
        return f"purge {self.id}"


class Quota(TenantModel):
    """How much a tenant may keep; None: as much as there is room for."""

    max_bytes = models.BigIntegerField(null=True)
    max_datasets = models.BigIntegerField(null=True)
    max_records = models.BigIntegerField(null=True)
    updated_by = models.UUIDField()
    updated_at = models.DateTimeField(db_default=Now())

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["tenant"], name="datasets_quota_tenant"),
        ]

    def __str__(self) -> str:
        return "quota"
