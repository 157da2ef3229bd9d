"""Scanning again what is stored, when the set of detectors has changed."""

from django.db import models
from django.db.models.functions import Now

from datasets.models.dataset import Dataset
from datasets.models.version import Version
from vaultsite.kernel.jobs import LongRunning
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class Rescan(LongRunning):
    """Scans every chunk of a dataset once with the set of detectors ``detector``.

    ``drift`` counts, by entity type, the findings that the set before did not have and those that it had:
    ``{type: [gained, lost]}``. ``failed_count`` records could not be scanned, ``refused_count`` hold what may not be
    stored at all; the versions with either go into quarantine.
    """

    task_name = "datasets.run_rescan"

    dataset = TenantForeignKey(Dataset, on_delete=models.CASCADE, related_name="rescans")
    detector = models.BinaryField(max_length=33)
    chunk_count = models.PositiveIntegerField(default=0)
    scanned_count = models.PositiveIntegerField(default=0)
    record_count = models.BigIntegerField(default=0)
    changed_count = models.BigIntegerField(default=0)
    failed_count = models.PositiveIntegerField(default=0)
    refused_count = models.PositiveIntegerField(default=0)
    drift = models.JSONField(default=dict)

    class Meta(LongRunning.Meta):
        constraints = [
            *tenant_constraints(system=("SELECT", "UPDATE")),
            CompositeForeignKey(name="datasets_rescan_dataset_fk", field="dataset", to="datasets.Dataset"),
        ]
        indexes = [
            models.Index(fields=["tenant", "dataset", "created_at"], name="datasets_rescan_dataset"),
            models.Index(fields=["status", "lease_until"], name="datasets_rescan_lease"),
        ]

    def __str__(self) -> str:
        return f"rescan {self.id}"


class VersionProfile(TenantModel):
    """The sealed counts of findings of a version by a later set of detectors than the one that first scanned it."""

    version = TenantForeignKey(Version, on_delete=models.CASCADE, related_name="profiles")
    detector = models.BinaryField(max_length=33)
    profile = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="datasets_versionprofile_version_fk", field="version", to="datasets.Version"),
            models.UniqueConstraint(fields=["tenant", "version", "detector"], name="datasets_versionprofile_set"),
        ]
